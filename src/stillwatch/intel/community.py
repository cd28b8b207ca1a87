"""The secret of a community of providers, and the digests that its members can compare.

A community is a group of providers that hold one secret an epoch. Digests under it can be compared
by its members and by nobody else, and digests of two epochs by nobody at all. Who holds the key can
try guesses, so that only values are digested that nobody can enumerate. `docs/intel-profile.md`
gives the scheme byte by byte, with test vectors.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import msgspec

from stillwatch.errors import KeyFileError, LowEntropyError
from stillwatch.intel.guessing import why_guessable
from stillwatch.intel.identifiers import FIELDS, REFUSED, normalised
from stillwatch.key_files import create_key_file, read_key_file

if TYPE_CHECKING:
    from hashlib import _Hash

    from stillwatch.sketches import SketchKey

__all__ = ["DIGEST", "FORMAT", "SECRET_BYTES", "CommunityKey"]

FORMAT: Final = "stillwatch.community/1"
DIGEST: Final = "stillwatch.digest/1"
SECRET_BYTES: Final = 32
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_WHAT = "the community key"
#: bytes of a block of SHA-256
_BLOCK: Final = 64

_States: TypeAlias = "tuple[_Hash, _Hash]"


class _Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file of a key."""

    format: Literal["stillwatch.community/1"]
    community: str
    epoch: str
    secret: str


class CommunityKey:
    """The secret of one community in one epoch. Its ``repr`` and :attr:`scheme` do not reveal it.

    Raises:
        KeyFileError: a name that is none (lower-case letters, digits, ``.``, ``_``, ``-``; 64 at
            most), or a secret that has not 32 bytes.
    """

    __slots__ = ("_secret", "_states", "community", "epoch")

    def __init__(self, community: str, epoch: str, secret: bytes) -> None:
        for what, name in (("community", community), ("epoch", epoch)):
            if not _NAME.fullmatch(name):
                raise KeyFileError(
                    f"'{name}' is no name of {'an' if what == 'epoch' else 'a'} {what}: 1 to 64 "
                    "lower-case letters, digits, '.', '_' and '-'"
                )
        if len(secret) != SECRET_BYTES:
            raise KeyFileError(f"{_WHAT} has {SECRET_BYTES} bytes, not {len(secret)}")
        self.community, self.epoch = community, epoch
        self._secret = bytes(secret)
        self._states = {field: self._begun(field) for field in FIELDS}

    @classmethod
    def generate(cls, community: str, epoch: str) -> CommunityKey:
        """A new random key. Every epoch has one of its own, so that digests of two never match."""
        return cls(community, epoch, secrets.token_bytes(SECRET_BYTES))

    @classmethod
    def from_file(cls, path: Path | str) -> CommunityKey:
        """Read a file as :meth:`write` leaves it.

        Raises:
            KeyFileError: missing, open to other users, or no such file.
        """
        path = Path(path)
        data = read_key_file(path, _WHAT)
        try:
            kept = msgspec.json.decode(data, type=_Kept)
            secret = bytes.fromhex(kept.secret)
        except (msgspec.MsgspecError, ValueError) as error:
            raise KeyFileError(
                f"this is no {FORMAT} file; make one with `stillwatch intel keygen`", path=path
            ) from error
        return cls(kept.community, kept.epoch, secret)

    def write(self, path: Path | str) -> None:
        """Write the key to a new file that only its owner can read (mode 0600).

        Raises:
            KeyFileError: the file exists (a key is never overwritten) or cannot be written.
        """
        path = Path(path)
        kept = _Kept(FORMAT, self.community, self.epoch, self._secret.hex())
        try:
            create_key_file(path, msgspec.json.encode(kept) + b"\n")
        except FileExistsError as error:
            raise KeyFileError(
                "there is a file already, and a key is never overwritten", path=path
            ) from error
        except OSError as error:
            raise KeyFileError(f"cannot write {_WHAT}: {error.strerror}", path=path) from error

    @property
    def key_id(self) -> str:
        """16 hexadecimal digits that name the secret."""
        return self._subkey("key-id")[:8].hex()

    @property
    def scheme(self) -> str:
        """How, and under which key, digests are made; stands beside each: never the secret."""
        return f"{DIGEST}:{self.community}:{self.epoch}:{self.key_id}"

    def digest(self, field: str, value: str) -> str:
        """The digest of `value`, 32 hexadecimal digits.

        Raises:
            LowEntropyError: who holds the key could find `value` by trying; says why.
        """
        if field in REFUSED:
            raise LowEntropyError(f"{field}: {REFUSED[field]}")
        if field not in FIELDS:
            raise LowEntropyError(
                f"{field}: only fields that nobody can enumerate are shared: {', '.join(FIELDS)}"
            )
        value = normalised(field, value)
        if (why := why_guessable(field, value)) is not None:
            raise LowEntropyError(f"{field}: {why}")
        return self._made(field, value)

    def digests(
        self, field: str, values: Iterable[str | None], *, leaving: bool = True
    ) -> list[str | None]:
        """The digests of many values; None where :meth:`digest` refuses, and for None.

        `leaving` false is for values that stay in this house, to be compared with what others sent:
        they are not checked, for nobody who keeps to the profile has sent a digest of such a one.
        """
        if field not in FIELDS:
            return [None for _ in values]
        write = FIELDS[field]
        found: dict[str, str | None] = {}
        made: list[str | None] = []
        for value in values:
            if value is None:
                made.append(None)
                continue
            if value not in found:
                written = write(value)
                guessable = leaving and why_guessable(field, written) is not None
                found[value] = None if guessable else self._made(field, written)
            made.append(found[value])
        return made

    def sketch_key(self) -> SketchKey:
        """The key of style cells that members can compare (``docs/sketches.md``)."""
        from stillwatch.sketches import SketchKey

        return SketchKey(self._subkey("cells"))

    def _made(self, field: str, written: str) -> str:
        inner, outer = self._states[field]
        inner, outer = inner.copy(), outer.copy()
        inner.update(written.encode("utf-8", "surrogatepass"))
        outer.update(inner.digest())
        return outer.hexdigest()[:32]

    def _begun(self, field: str) -> _States:
        """HMAC (RFC 2104) up to the value: twice as fast as from the start for each value."""
        key = self._subkey("digest").ljust(_BLOCK, b"\0")
        inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key))
        inner.update(field.encode() + b"\0")
        return inner, hashlib.sha256(bytes(byte ^ 0x5C for byte in key))

    def _subkey(self, purpose: str) -> bytes:
        return hmac.digest(self._secret, purpose.encode(), "sha256")

    def __repr__(self) -> str:
        return f"CommunityKey({self.scheme!r})"
