"""What the asker keeps of its question: a secret file, without which no answer can be opened."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

import msgspec

from stillwatch.errors import KeyFileError, OutputError
from stillwatch.intel.overlap.gathering import Item
from stillwatch.intel.policy.policy import Asks
from stillwatch.key_files import create_key_file, read_key_file

__all__ = ["FORMAT", "Secret", "read_secret", "write_secret"]

FORMAT: Final = "stillwatch.overlap-secret/1"


class Secret(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of one question.

    Attributes:
        request: SHA-256 of the request's file.
        member: the id of whoever was asked.
        key: what the points were blinded with, 64 hexadecimal digits.
        items: in the order of the points; None where a point only fills up.
    """

    format: Literal["stillwatch.overlap-secret/1"] = FORMAT
    exchange: str
    request: str
    member: str
    asks: Asks
    fields: tuple[str, ...]
    key: str
    items: tuple[Item | None, ...]


def write_secret(secret: Secret, path: Path) -> None:
    """Write a new file that only its owner can read (mode 0600).

    Raises:
        OutputError: there is one already, or it cannot be written.
    """
    try:
        create_key_file(path, msgspec.json.encode(secret) + b"\n")
    except FileExistsError as error:
        raise OutputError("there is a file already; name another one", path=path) from error
    except OSError as error:
        raise OutputError(f"cannot be written: {error.strerror or error}", path=path) from error


def read_secret(path: Path) -> Secret:
    """Read a file as :func:`write_secret` leaves it.

    Raises:
        KeyFileError: missing, open to other users, or no such file.
    """
    data = read_key_file(path, "the secret of the question")
    try:
        secret = msgspec.json.decode(data, type=Secret)
        bytes.fromhex(secret.key)
    except (msgspec.MsgspecError, ValueError) as error:
        raise KeyFileError(
            f"this is no {FORMAT} file; `stillwatch intel overlap ask` writes one", path=path
        ) from error
    return secret
