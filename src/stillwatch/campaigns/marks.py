"""Which exchanges hold which style cells: one index for all candidates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["Marks", "spans", "union"]

Ints = npt.NDArray[np.int64]


class Marks:
    """An inverted index of style cells over exchanges.

    Every candidate asks for the cells of its own few styles; looking each up in all exchanges
    again was a third of the time that judging took.
    """

    def __init__(self, cells: pa.ListArray, number: Ints, wanted: Ints) -> None:
        """Index `cells`, a list an exchange, by the cells in `wanted` (ascending).

        `number` says what each exchange is called in answers.
        """
        lengths = pc.fill_null(pc.list_value_length(cells), 0).to_numpy()
        code = pc.index_in(cells.flatten(), value_set=pa.array(wanted))
        held = code.is_valid().to_numpy(zero_copy_only=False)
        code = code.drop_null().to_numpy()
        row = np.repeat(number, lengths)[held]
        order = np.argsort(code, kind="stable")
        self._row: Ints = row[order]
        self._wanted = wanted
        self._first = np.searchsorted(code[order], np.arange(len(wanted) + 1))

    def holding(self, cells: Ints) -> tuple[Ints, Ints]:
        """The exchanges that hold any of `cells`: (exchange, position in `cells`), an entry each.

        All `cells` must have been wanted.
        """
        at = np.searchsorted(self._wanted, cells)
        first, last = self._first[at], self._first[at + 1]
        return self._row[spans(first, last)], np.repeat(np.arange(len(cells)), last - first)


def spans(first: Ints, last: Ints) -> Ints:
    """The whole numbers of all half-open spans, one after another."""
    lengths = last - first
    begins = np.cumsum(lengths) - lengths
    return np.repeat(first - begins, lengths) + np.arange(int(lengths.sum()))


def union(parts: Sequence[Ints]) -> Ints:
    """The distinct values of `parts`, ascending."""
    return np.unique(np.concatenate(parts)) if parts else np.zeros(0, dtype=np.int64)
