"""A signed statement: an in-toto Statement v1 in a DSSE envelope v1, under Ed25519 keys.

Other programs read both: nothing here is a format of our own but the predicate.
"""

from __future__ import annotations

import base64
import binascii
import re
from pathlib import Path
from typing import Any, Final

import msgspec

from stillwatch.errors import InputError, TamperedError
from stillwatch.ledger import SigningKey, canonical, is_signed, parsed

__all__ = ["PAYLOAD_TYPE", "STATEMENT_TYPE", "Envelope", "Signature", "Statement", "Subject"]

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"


class Subject(msgspec.Struct, frozen=True):
    """A file that a statement is about: its name in the bundle, and ``{"sha256": digits}``."""

    name: str
    digest: dict[str, str]


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """An in-toto Statement v1 (in-toto attestation framework, 2023)."""

    type: str = msgspec.field(name="_type", default=STATEMENT_TYPE)
    subject: tuple[Subject, ...]
    predicate_type: str = msgspec.field(name="predicateType")
    predicate: dict[str, Any]


class Signature(msgspec.Struct, frozen=True):
    """One signature: `keyid` is the public key, 64 hexadecimal digits; `sig` is base64."""

    keyid: str
    sig: str


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """A DSSE envelope (secure-systems-lab/dsse, protocol version 1)."""

    payload: str
    payload_type: str = msgspec.field(name="payloadType", default=PAYLOAD_TYPE)
    signatures: tuple[Signature, ...]

    @classmethod
    def signed(cls, statement: Statement, key: SigningKey) -> Envelope:
        """The envelope of a statement under one key."""
        payload = canonical(msgspec.to_builtins(statement))
        bare = cls(payload=base64.b64encode(payload).decode(), signatures=())
        return bare.also_signed(key)

    def also_signed(self, key: SigningKey) -> Envelope:
        """With one more signature, as of somebody who checked it."""
        made = base64.b64encode(bytes.fromhex(key.sign(self.message()))).decode()
        return msgspec.structs.replace(
            self, signatures=(*self.signatures, Signature(key.public, made))
        )

    def message(self) -> bytes:
        """What is signed: the pre-authentication encoding of type and payload."""
        kind, body = self.payload_type.encode(), self._body()
        return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(body), body)

    def encoded(self) -> bytes:
        """The canonical bytes of the file."""
        return canonical(msgspec.to_builtins(self)) + b"\n"

    def check(self, key: str | None = None) -> str:
        """Hold each signature against the key that it names, and one of these against `key`.

        Returns:
            `key`, or else the one that the first signature names.

        Raises:
            TamperedError: nobody signed it with that key, it was changed since, or some signature
                beside is none: it would lend the statement a name that never signed it.
        """
        names = [each.keyid for each in self.signatures]
        if not names or key not in (None, *names):
            raise TamperedError(f"the statement is not signed with the key {str(key)[:16]}…")
        message = self.message()
        for each in self.signatures:
            try:
                signature = base64.b64decode(each.sig, validate=True).hex()
            except binascii.Error:
                signature = ""
            if not is_signed(message, signature, each.keyid):
                raise TamperedError(
                    f"the signature of the statement with the key {each.keyid[:16]}… does not "
                    "hold: it was changed, or forged"
                )
        return key or names[0]

    def statement(self) -> Statement:
        """What was signed.

        Raises:
            InputError: it is no statement of in-toto.
        """
        try:
            if self.payload_type != PAYLOAD_TYPE:
                raise ValueError(f"its payload is {self.payload_type}")  # noqa: TRY301
            found = msgspec.convert(parsed(self._body()), Statement, strict=True)
            if found.type != STATEMENT_TYPE:
                raise ValueError(f"its type is {found.type}")  # noqa: TRY301
        except ValueError as error:  # msgspec's errors are some, too
            raise InputError(f"this is no statement of in-toto: {error}") from error
        return found

    @classmethod
    def parse(cls, data: bytes, *, path: Path | None = None) -> Envelope:
        """Read an envelope; nothing is verified yet.

        Raises:
            InputError: this is none.
        """
        try:
            found = msgspec.convert(parsed(data), cls, strict=True)
            found._body()
            if not all(re.fullmatch("[0-9a-f]{64}", each.keyid) for each in found.signatures):
                raise ValueError("a keyid is no public key of 64 hexadecimal digits")  # noqa: TRY301
        except ValueError as error:
            raise InputError(f"this is no DSSE envelope: {error}", path=path) from error
        return found

    def _body(self) -> bytes:
        return base64.b64decode(self.payload, validate=True)
