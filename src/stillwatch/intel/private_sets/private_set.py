"""The file of a set: one line that says what it is, one JSON line, and the bits of the filter.

``stillwatch.private-set/1``, a line feed, the header as canonical JSON (RFC 8785), a line feed, the
bits. The header carries the SHA-256 of the bits and the maker's signature.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from stillwatch.durable import write_whole
from stillwatch.errors import IndicatorError, IntelError, OutputError, SealError
from stillwatch.intel.identifiers import FIELDS
from stillwatch.intel.private_sets.bloom import Bloom, Pairs
from stillwatch.intel.private_sets.watermark import CANARIES, canaries, held_by
from stillwatch.intel.profile.markings import Tlp
from stillwatch.intel.profile.times import to_the_second
from stillwatch.ledger import SigningKey, canonical, is_signed, parsed

__all__ = ["FORMAT", "Header", "PrivateSet", "build_set", "read_set"]

FORMAT: Final = "stillwatch.private-set/1"
_MAGIC: Final = FORMAT.encode() + b"\n"
_PERSON: Final = b"sw.private-set"
_LONGEST_HEADER: Final = 65_536
#: wrong answers of a file, by its bits; and times as many as it says, by chance
_MOST_WRONG: Final = 1e-3
_SLACK: Final = 2.0
#: bits of a filter: half a gigabyte
_LARGEST: Final = 1 << 32
#: a digest, and the id of a set
_DIGEST = re.compile(r"[0-9a-f]{32}", re.ASCII)

Bools = npt.NDArray[np.bool_]


class Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a set says of itself; `docs/intel-profile.md` has the fields."""

    id: str
    scheme: str
    fields: tuple[str, ...]
    false_positives: float
    size: int
    hashes: int
    bits: str
    maker: str
    tlp: str
    purpose: str
    made: str
    valid_until: str
    key: str
    signature: str = ""


class PrivateSet:
    """A set that can be asked. `header` says of what, whose, and until when."""

    def __init__(self, header: Header, bloom: Bloom) -> None:
        self.header, self._bloom = header, bloom

    @property
    def id(self) -> str:
        """32 hexadecimal digits; a set that is made anew has another one."""
        return self.header.id

    def holds(self, field: str, digests: Sequence[str | None]) -> Bools:
        """Which of `digests` of a field, made under the set's scheme, are in it; None never is.

        Raises:
            IndicatorError: a digest is not 32 hexadecimal digits.
        """
        known = [number for number, digest in enumerate(digests) if digest is not None]
        found = np.zeros(len(digests), np.bool_)
        if known and field in self.header.fields:
            pairs = _pairs(self.id, ((field, str(digests[number])) for number in known))
            found[known] = self._bloom.holds(pairs)
        return found

    def holds_bytes(self, values: Sequence[bytes]) -> Bools:
        """The same of canaries."""
        return self._bloom.holds(_hashed(self.id, (b"\0" + value for value in values)))

    def check(self, key: str) -> None:
        """Hold the signature against the public key of the maker (64 hexadecimal digits).

        Raises:
            SealError: another key signed it, or it was changed.
        """
        if self.header.key != key:
            raise SealError(f"the set is signed with {self.header.key[:16]}…, not {key[:16]}…")
        if not is_signed(_signed(self.header), self.header.signature, key):
            raise SealError("the set was changed after it was signed, or its signature is forged")

    def encoded(self) -> bytes:
        """The file."""
        head = canonical(msgspec.to_builtins(self.header))
        return _MAGIC + head + b"\n" + self._bloom.bits.tobytes()

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all.

        Raises:
            OutputError: there is one already, or it cannot be written.
        """
        if path.exists():
            raise OutputError("there is a file already; name another one", path=path)
        write_whole(path, self.encoded())


def build_set(
    digests: Iterable[tuple[str, str]], *, scheme: str, maker: str, key: SigningKey,
    watermark: bytes, recipient: str, tlp: Tlp, purpose: str, made: datetime,
    valid_until: datetime, false_positives: float = 1e-6, set_id: str | None = None,
) -> PrivateSet:  # fmt: skip
    """A set of digests for one recipient.

    Args:
        digests: (field, 32 hexadecimal digits), under `scheme`.
        watermark: a secret of the maker, 32 bytes at least; the canaries are made of it.
        recipient: whose file this is. It does not stand in the file.
        set_id: the same for all files of one set, so that files that were joined still tell.

    Raises:
        IndicatorError: a digest is none, or of a field that is not shared.
        IntelError: the watermark's secret is too short, or `set_id` is no id.
    """
    if len(watermark) < 32:
        raise IntelError(f"the secret of watermarks has {len(watermark)} bytes; 32 are needed")
    set_id = set_id or secrets.token_hex(16)
    if not _DIGEST.fullmatch(set_id):
        raise IntelError(f"{set_id[:40]!r} is no id of a set: 32 hexadecimal digits")
    told = sorted(set(digests))
    fields = tuple(sorted({field for field, _ in told}))
    if odd := [field for field in fields if field not in FIELDS]:
        raise IndicatorError(f"'{odd[0]}' is no field that is shared: {', '.join(FIELDS)}")
    bloom = Bloom.sized(len(told) + CANARIES // 2, false_positives)
    bloom.add(_pairs(set_id, told))
    every = canaries(watermark, set_id)
    held = [every[number] for number in held_by(watermark, set_id, recipient)]
    bloom.add(_hashed(set_id, (b"\0" + value for value in held)))
    header = Header(
        id=set_id,
        scheme=scheme,
        fields=fields,
        false_positives=false_positives,
        size=bloom.size,
        hashes=bloom.hashes,
        bits=hashlib.sha256(bloom.bits.tobytes()).hexdigest(),
        maker=maker,
        tlp=str(tlp),
        purpose=purpose,
        made=to_the_second(made),
        valid_until=to_the_second(valid_until),
        key=key.public,
    )
    signature = key.sign(_signed(header))
    return PrivateSet(msgspec.structs.replace(header, signature=signature), bloom)


def read_set(path: Path) -> PrivateSet:
    """Read a file; whose it is is for :meth:`PrivateSet.check` to say.

    Raises:
        IndicatorError: it is none, not whole, or says yes to values that are not in it more often
            than it admits: somebody's customers would be found in it, whoever they are.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise IndicatorError(f"cannot be read: {error.strerror or error}", path=path) from error
    end = data.find(b"\n", len(_MAGIC), len(_MAGIC) + _LONGEST_HEADER)
    if not data.startswith(_MAGIC) or end < 0:
        raise IndicatorError(f"this is no {FORMAT} file", path=path)
    try:
        header = msgspec.convert(parsed(data[len(_MAGIC) : end]), Header)
    except (ValueError, msgspec.ValidationError) as error:
        raise IndicatorError(f"the header: {error}", path=path) from error
    bits = np.frombuffer(data, np.uint8, offset=end + 1)
    if not (
        0 < header.size <= _LARGEST and 0 < header.hashes <= 64 and _DIGEST.fullmatch(header.id)
    ):
        raise IndicatorError("the header: a size that no set has", path=path)
    if len(bits) != (header.size + 7) // 8:
        raise IndicatorError(
            f"it has {len(bits):,} bytes of bits, and says {(header.size + 7) // 8:,}", path=path
        )
    if hashlib.sha256(bits.tobytes()).hexdigest() != header.bits:
        raise IndicatorError("its bits are not those that the header names", path=path)
    bloom = Bloom(header.size, header.hashes, bits)
    if bloom.wrong() > min(_MOST_WRONG, _SLACK * header.false_positives):
        raise IndicatorError(
            f"it says yes to {bloom.wrong():.2g} of all values: it is wrong more often than it "
            f"says ({header.false_positives:g}), or than a set may be ({_MOST_WRONG:g})",
            path=path,
        )
    return PrivateSet(header, bloom)


def _signed(header: Header) -> bytes:
    fields = msgspec.to_builtins(header)
    del fields["signature"]
    return _MAGIC + canonical(fields)


def _pairs(set_id: str, digests: Iterable[tuple[str, str]]) -> Pairs:
    return _hashed(set_id, map(_entry, digests))


def _entry(entry: tuple[str, str]) -> bytes:
    field, digest = entry
    if not _DIGEST.fullmatch(digest):
        raise IndicatorError(f"{digest[:40]!r} is no digest of 32 hexadecimal digits")
    return field.encode() + b"\0" + bytes.fromhex(digest)


def _hashed(set_id: str, entries: Iterable[bytes]) -> Pairs:
    """BLAKE2b (RFC 7693) salted with the id, so that no two sets can be compared bit by bit."""
    start = hashlib.blake2b(digest_size=16, salt=set_id.encode()[:16], person=_PERSON)
    made = bytearray()
    for entry in entries:
        hasher = start.copy()
        hasher.update(entry)
        made += hasher.digest()
    return np.frombuffer(bytes(made), "<u8").reshape(-1, 2)
