"""Salt and keys of a plan: what computes results, and what a bundle may show."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from stillwatch.errors import InputError
from stillwatch.ledger import parsed

__all__ = ["Opened", "OpenedKey"]

_KEY = re.compile("[0-9a-f]{16}")


class OpenedKey(msgspec.Struct, frozen=True, omit_defaults=True):
    """A key of a mark.

    Attributes:
        epoch, cluster: whose it is.
        value: 16 hexadecimal digits.
        reader: what finds the choices (keyed).
        sketch: the key of the sketch of what was served, 16 hexadecimal digits (closed-served).
    """

    epoch: str
    cluster: str
    value: str
    reader: str = ""
    sketch: str | None = None


class Opened(msgspec.Struct, frozen=True):
    """Salt and keys of a plan, so that commitments can be checked and results computed.

    They are the keys of these clusters and epochs alone; others of the same master stay secret.
    """

    salt: str
    keys: tuple[OpenedKey, ...]

    @classmethod
    def parse(cls, data: bytes, path: Path) -> Opened:
        """Read opened keys; raises InputError where these are none."""
        try:
            found = msgspec.convert(parsed(data), cls, strict=True)
            bytes.fromhex(found.salt)
            for key in found.keys:
                if not all(_KEY.fullmatch(each) for each in (key.value, key.sketch or key.value)):
                    raise ValueError("a key has 16 hexadecimal digits")  # noqa: TRY301
        except ValueError as error:
            raise InputError(f"holds no opened keys: {error}", path=path) from error
        return found
