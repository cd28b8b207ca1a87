"""A head: how long the ledger was at a moment, its root, and a signature over both.

Who holds a head can tell later whether the ledger still begins with what it held then. A head may
carry an RFC 3161 time stamp, so that not even the holder of the key can date it back.
"""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from stillwatch.errors import InputError, TamperedError
from stillwatch.ledger.canonical import LARGEST_NUMBER, canonical, parsed
from stillwatch.ledger.signing import SigningKey, is_signed

__all__ = ["FORMAT", "Head"]

FORMAT = "stillwatch.ledger.head/1"
_HEX = {"ledger": 32, "root": 64, "key": 64, "signature": 128}


class Head(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A signed head. Bytes stand as lower-case hexadecimal digits.

    Attributes:
        ledger: the ledger's own random name, 16 bytes.
        size: number of entries that it covers.
        root: RFC 6962 root of them.
        at: RFC 3339, by the clock of whoever signed.
        key: the public key that `signature` is held against.
        signature: Ed25519, over the canonical JSON of all fields but itself and the time stamp.
        timestamp: DER of an RFC 3161 response over :meth:`stamped`, hexadecimal; None for none.
    """

    format: str = FORMAT
    ledger: str
    size: int
    root: str
    at: str
    key: str
    signature: str = ""
    timestamp: str | None = None

    @classmethod
    def signed(cls, key: SigningKey, *, ledger: str, size: int, root: bytes, at: datetime) -> Head:
        """A head, signed now."""
        spoken = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        bare = cls(ledger=ledger, size=size, root=root.hex(), at=spoken, key=key.public)
        return msgspec.structs.replace(bare, signature=key.sign(bare._message()))

    def check(self, key: str | None = None) -> None:
        """Hold the signature against `key`, or against the key that the head names itself.

        The latter shows that the head is whole, and nothing about whose it is.

        Raises:
            TamperedError: it was signed with another key, or changed since.
        """
        if key is not None and key != self.key:
            raise TamperedError(
                f"the head is signed with the key {self.key[:16]}…, not {key[:16]}…"
            )
        if not is_signed(self._message(), self.signature, self.key):
            raise TamperedError(
                "the signature of the head does not hold: it was changed, or forged"
            )

    def stamped(self) -> bytes:
        """What a time stamp is of: the canonical bytes of the signed head."""
        return canonical(self._fields(without=("timestamp",)))

    def encoded(self) -> bytes:
        """The canonical bytes of a head file."""
        return canonical(self._fields(without=("timestamp",) if self.timestamp is None else ()))

    @classmethod
    def parse(cls, data: bytes, *, path: Path | None = None) -> Head:
        """Read a head; nothing is verified yet.

        Raises:
            InputError: this is none.
        """
        try:
            fields = parsed(data)
            if isinstance(fields, dict) and fields.get("format") != FORMAT:
                raise ValueError(f"its format is not {FORMAT}")  # noqa: TRY301
            head = msgspec.convert(fields, cls, strict=True)
            head._check_form()
        except ValueError as error:  # msgspec's errors are some, too
            raise InputError(f"this is no head of a ledger: {error}", path=path) from error
        return head

    def _check_form(self) -> None:
        for name, digits in _HEX.items():
            if not re.fullmatch(f"[0-9a-f]{{{digits}}}", getattr(self, name)):
                raise ValueError(f"{name} has not {digits} hexadecimal digits")
        if not re.fullmatch("([0-9a-f]{2})*", self.timestamp or ""):
            raise ValueError("timestamp is not hexadecimal")
        if not 0 <= self.size <= LARGEST_NUMBER:
            raise ValueError("size is no number of entries")
        if datetime.fromisoformat(self.at).tzinfo is None:  # could not be compared with a clock
            raise ValueError("at has no offset from UTC")

    def _message(self) -> bytes:
        return canonical(self._fields(without=("signature", "timestamp")))

    def _fields(self, *, without: tuple[str, ...]) -> dict[str, Any]:
        fields = msgspec.structs.asdict(self)
        return {name: value for name, value in fields.items() if name not in without}
