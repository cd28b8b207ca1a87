"""Which cells at least k accounts sent: distinct pairs of a cell and an account, in arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["Ints", "Senders"]

Ints = npt.NDArray[np.int64]
#: pairs that wait before they are made distinct: 64 MB
_WAITING: Final = 4_000_000


class Senders:
    """Takes 16 bytes a distinct pair, however often it occurs."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._waiting: list[Ints] = []
        self._pairs: Ints = np.zeros((0, 2), np.int64)

    def add(self, accounts: Sequence[str], cells: Ints, offsets: npt.NDArray[np.int32]) -> None:
        """One more batch: the cells of exchange i are ``cells[offsets[i] : offsets[i + 1]]``."""
        numbers = [self._numbers.setdefault(name, len(self._numbers)) for name in accounts]
        owners = np.repeat(np.array(numbers, np.int64), np.diff(offsets))
        self._waiting.append(np.column_stack((cells, owners)))
        if sum(map(len, self._waiting)) > _WAITING:
            self._merge()

    def cells_of(self, k: int, most: int) -> Ints:
        """Cells that `k` accounts sent, the `most` that most accounts did, ascending."""
        self._merge()
        cells, counts = np.unique(self._pairs[:, 0], return_counts=True)
        cells, counts = cells[counts >= k], counts[counts >= k]
        best = np.lexsort((cells, -counts))[:most]
        return np.sort(cells[best])

    def _merge(self) -> None:
        self._pairs = np.unique(np.concatenate((self._pairs, *self._waiting)), axis=0)
        self._waiting = []
