"""What of an exchange the members of a community can compare, without telling anybody what it is.

Only identifiers that the profile lets leave (:data:`~stillwatch.intel.identifiers.FIELDS`), and of
these only values that a holder of the key could not find by trying: what is made here is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from stillwatch.exchange import RawExchange
from stillwatch.intel.community import CommunityKey
from stillwatch.intel.guessing import why_guessable
from stillwatch.intel.identifiers import FIELDS, identifiers, normalised

if TYPE_CHECKING:
    from stillwatch.sketches import SketchKey

__all__ = ["ComparedKey", "is_guessable", "number_of", "open_keys"]

Ints: TypeAlias = NDArray[np.int64]
Offsets: TypeAlias = NDArray[np.int32]

#: values whose digests are remembered, a field: one account sends many exchanges
_REMEMBERED: Final = 1 << 17
#: characters from which on a value is remembered by a hash of it
_LONG: Final = 128


class ComparedKey:
    """A community's key, for :class:`stillwatch.sketches.compared.Comparable`.

    Remembers a bounded number of digests, and serves one thread at a time.
    """

    def __init__(self, key: CommunityKey) -> None:
        self.key = key
        self.number: int = int.from_bytes(bytes.fromhex(key.key_id), "big", signed=True)
        self.cells: SketchKey = key.sketch_key()
        self._known: dict[str, dict[str | bytes, int | None]] = {field: {} for field in FIELDS}
        self._passing: ComparedKey | None = None
        self._leaving = True

    @property
    def passing(self) -> ComparedKey:
        """The same for what is not kept: nothing is refused, which costs a tenth. Whoever meets
        something must ask :func:`is_guessable`."""
        if self._passing is None:
            self._passing = ComparedKey(self.key)
            self._passing._leaving = False
        return self._passing

    def digests(self, rows: Sequence[RawExchange]) -> tuple[Ints, Offsets]:
        """The digests of each row, flat and ascending, and where each row begins."""
        places: dict[str, list[int]] = {field: [] for field in FIELDS}
        values: dict[str, list[str]] = {field: [] for field in FIELDS}
        for number, row in enumerate(rows):
            for field, value in identifiers(row).items():
                places[field].append(number)
                values[field].append(value)
        at: list[int] = []
        found: list[int] = []
        for field in FIELDS:
            for place, digest in zip(places[field], self._kept(field, values[field]), strict=True):
                if digest is not None:
                    at.append(place)
                    found.append(digest)
        flat, owner = np.array(found, np.int64), np.array(at, np.int64)
        begins = np.searchsorted(np.sort(owner), np.arange(len(rows) + 1)).astype(np.int32)
        return flat[np.lexsort((flat, owner))], begins

    def _kept(self, field: str, values: Sequence[str]) -> list[int | None]:
        """The digest of each value, as it is kept; None where it could be guessed."""
        known = self._known[field]
        names = [value if len(value) <= _LONG else _hashed(value) for value in values]
        fresh = {name: value for name, value in zip(names, values, strict=True)
                 if name not in known}  # fmt: skip
        if len(known) + len(fresh) > _REMEMBERED:
            known.clear()
            fresh = dict(zip(names, values, strict=True))
        made = self.key.digests(field, fresh.values(), leaving=self._leaving)
        known.update(
            (name, None if digest is None else number_of(digest))
            for name, digest in zip(fresh, made, strict=True)
        )
        return list(map(known.__getitem__, names))


def _hashed(value: str) -> bytes:
    """What a long value is remembered by: system prompts are long, and no text stays here."""
    return blake2b(value.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def number_of(digest: str) -> int:
    """The first 64 bits of a digest (hexadecimal), as they are kept and compared."""
    number = int(digest[:16], 16)
    return number - 2**64 if number >= 2**63 else number


def is_guessable(field: str, value: str) -> bool:
    """Whether a value, as logged, is one that has no digest in what is kept."""
    return why_guessable(field, normalised(field, value)) is not None


def open_keys(files: Iterable[Path]) -> list[ComparedKey]:
    """The keys in some files, each once.

    Raises:
        KeyFileError: a file cannot be read, or is open to other users.
    """
    keys = [ComparedKey(CommunityKey.from_file(file)) for file in files]
    return list({each.number: each for each in keys}.values())
