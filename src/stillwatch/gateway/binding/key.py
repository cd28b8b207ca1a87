"""The secret of the wrappers: a file, made once, that all gateways of a service share."""

from __future__ import annotations

import contextlib
import hmac
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from stillwatch.errors import KeyFileError
from stillwatch.key_files import MINIMUM_BYTES, create_key_file, read_key_file

__all__ = ["KEY_FILE", "BindingKey", "read_keys"]

#: Its name in the state folder, where the settings name no other file.
KEY_FILE = "binding.key"


class BindingKey:
    """A secret of at least 32 bytes and what is derived from it: HMAC-SHA-256 (RFC 2104) of a
    purpose each, so that no use of one tells about another.

    Raises:
        KeyFileError: the secret is shorter.
    """

    __slots__ = ("id", "mac", "mask", "names")

    def __init__(self, secret: bytes) -> None:
        if len(secret) < MINIMUM_BYTES:
            raise KeyFileError(
                f"a binding key needs at least {MINIMUM_BYTES} bytes, this one has {len(secret)}"
            )
        self.mac, self.mask, self.names = (
            hmac.digest(secret, b"stillwatch.binding/1 " + purpose, "sha256")
            for purpose in (b"mac", b"mask", b"names")
        )
        #: 4 bytes that tell the keys of one service apart
        self.id = hmac.digest(secret, b"stillwatch.binding/1 id", "sha256")[:4]

    @classmethod
    def from_file(cls, path: Path) -> BindingKey:
        """Read the key at `path`: raw bytes.

        Raises:
            KeyFileError: missing, unreadable, shorter than 32 bytes, or open to other users.
        """
        return cls(read_key_file(path, "the binding key"))

    def digest(self, purpose: str, name: str) -> bytes:
        """8 bytes that stand for a name of this purpose."""
        text = f"{purpose}\0{name}".encode("utf-8", "surrogatepass")
        return hmac.digest(self.names, text, "sha256")[:8]

    def __repr__(self) -> str:
        return f"BindingKey(id={self.id.hex()!r})"


def read_keys(
    state: Path, file: Path | None = None, old: Sequence[Path] = ()
) -> tuple[BindingKey, ...]:
    """The keys that wrappers are opened with, first the one that they are made with.

    Without a `file` that is ``binding.key`` in the folder `state`, which is made if absent (mode
    0600): of several processes that try, one makes it, and all read the same.

    Raises:
        KeyFileError: a file that is named is not there, or one cannot be read, made, or trusted.
    """
    if file is None:
        file = state / KEY_FILE
        if not file.exists():
            _make(file)
    return tuple(BindingKey.from_file(each) for each in (file, *old))


def _make(path: Path) -> None:
    """Written aside, then given its name if nobody else was faster: it is never seen in part."""
    aside = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        create_key_file(aside, secrets.token_bytes(MINIMUM_BYTES))
        try:
            with contextlib.suppress(FileExistsError):
                os.link(aside, path)
        finally:
            aside.unlink()
    except OSError as error:
        raise KeyFileError(f"cannot make the binding key: {error.strerror}", path=path) from error
