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
        met: dict[str, dict[str, int | None]] = {field: {} for field in FIELDS}  # of these rows
        found: list[int] = []
        ends = np.zeros(len(rows) + 1, np.int32)
        for number, row in enumerate(rows):
            made = []
            for field, value in identifiers(row).items():
                here = met[field]
                if value not in here:
                    here[value] = self._digest(field, value)
                if (digest := here[value]) is not None:
                    made.append(digest)
            made.sort()
            found += made
            ends[number + 1] = len(found)
        return np.array(found, np.int64), ends

    def _digest(self, field: str, value: str) -> int | None:
        known = self._known[field]
        name: str | bytes = value
        if len(value) > _LONG:  # system prompts are long, and no text stays here
            name = blake2b(value.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        if name not in known:
            if len(known) > _REMEMBERED:
                known.clear()
            [digest] = self.key.digests(field, [value], leaving=self._leaving)
            known[name] = None if digest is None else number_of(digest)
        return known[name]


def number_of(digest: str) -> int:
    """The first 64 bits of a digest (hexadecimal), as they are kept and compared."""
    return int.from_bytes(bytes.fromhex(digest[:16]), "big", signed=True)


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
