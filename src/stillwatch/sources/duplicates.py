"""Which request ids were seen before: an exact-enough set in fixed memory.

Ids are kept as 64-bit hashes in open-addressed numpy tables, probed a batch at a time. Two distinct
ids among 50 million share a hash with probability below 10⁻⁴. A table holds 25 million ids in
256 MB; when it is full it becomes the older generation and a new one begins, so at least the last
25 million ids are remembered, and memory never passes 512 MB.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["SeenIds"]

_SLOTS_START = 1 << 16
_SLOTS_MAX = 1 << 25
_LOAD = 0.75
_EMPTY = np.int64(0)


class SeenIds:
    """The request ids of a log so far. `slots` bounds a table, a power of two."""

    def __init__(self, slots: int = _SLOTS_MAX) -> None:
        self._slots_max = slots
        self._table = _Table(min(_SLOTS_START, slots))
        self._older: _Table | None = None
        self.forgot = False

    def repeats(self, ids: Sequence[str | None]) -> NDArray[np.bool_]:
        """For each id whether it came before, in this batch or an earlier one; False for None.

        The batch should be small beside the table: 8,192 ids, say.
        """
        return self.repeated(
            np.fromiter((0 if i is None else hash(i) or 1 for i in ids), np.int64, len(ids))
        )

    def repeated(self, hashes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """:meth:`repeats` for ids that are hashed already; 0 stands for None."""
        known = hashes != _EMPTY
        repeated = np.zeros(len(hashes), np.bool_)
        distinct, first = np.unique(hashes[known], return_index=True)
        places = np.flatnonzero(known)
        repeated[places] = True
        fresh = ~self.known(distinct)
        repeated[places[first[fresh]]] = False
        self._add(distinct[fresh])
        return repeated

    def known(self, hashes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """For each hash whether it came before; none of them is remembered for that."""
        found = self._table.holds(hashes)
        if self._older is not None:
            found |= self._older.holds(hashes)
        return found

    def _add(self, hashes: NDArray[np.int64]) -> None:
        while self._table.used + len(hashes) > _LOAD * self._table.slots:
            if self._table.slots < self._slots_max:
                self._table = self._table.grown()
            else:
                self.forgot = self.forgot or self._older is not None
                self._older, self._table = self._table, _Table(self._slots_max)
        self._table.add(hashes)


class _Table:
    """Open addressing with linear probing; 0 marks an empty slot."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.used = 0
        self._keys = np.zeros(slots, np.int64)

    def holds(self, hashes: NDArray[np.int64]) -> NDArray[np.bool_]:
        found = np.zeros(len(hashes), np.bool_)
        pending = np.arange(len(hashes))
        slots = self._home(hashes)
        while len(pending):
            met = self._keys[slots]
            hit = met == hashes[pending]
            found[pending[hit]] = True
            going = ~hit & (met != _EMPTY)
            pending, slots = pending[going], (slots[going] + 1) & (self.slots - 1)
        return found

    def add(self, hashes: NDArray[np.int64]) -> None:
        """Add distinct hashes that the table does not hold."""
        self.used += len(hashes)
        slots = self._home(hashes)
        while len(hashes):
            free = self._keys[slots] == _EMPTY
            self._keys[slots[free]] = hashes[free]  # of several for one slot, one stays
            going = self._keys[slots] != hashes
            hashes, slots = hashes[going], (slots[going] + 1) & (self.slots - 1)

    def grown(self) -> _Table:
        """A table of twice the size with the same hashes."""
        larger = _Table(self.slots * 2)
        keys = self._keys[self._keys != _EMPTY]
        for start in range(0, len(keys), 1 << 16):
            larger.add(keys[start : start + (1 << 16)])
        return larger

    def _home(self, hashes: NDArray[np.int64]) -> NDArray[np.int64]:
        # Python's hash of a text is SipHash: its low bits are as good as any
        return hashes & np.int64(self.slots - 1)
