"""Many indicators, ready to be looked up: identifiers by digest, wordings by style cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stillwatch.intel.community import CommunityKey
from stillwatch.intel.compared import ComparedKey, number_of
from stillwatch.intel.matching.indicators import Indicator
from stillwatch.intel.profile.patterns import DigestPattern, TemplatePattern

__all__ = ["MOST_SHARING", "Entry", "IndicatorSet"]

Ints = npt.NDArray[np.int64]
Offsets = npt.NDArray[np.int32]
#: wordings of one sender that may share a cell: each is counted for every exchange that has it, and
#: what one case tells shares none
MOST_SHARING = 16


@dataclass(frozen=True)
class Entry:
    """All indicators that look for the same, whoever told them."""

    told: tuple[Indicator, ...]

    @property
    def name(self) -> str:
        """One text for the entry, the same in every set."""
        return self.told[0].pattern.name

    @property
    def senders(self) -> frozenset[str]:
        """Who told it."""
        return frozenset(each.sender for each in self.told)

    @property
    def claimed(self) -> int | None:
        """The most accounts that a sender says it stands for; None where nobody says."""
        return max((each.accounts for each in self.told if each.accounts is not None), default=None)

    @property
    def rate(self) -> float | None:
        """The smallest share of innocents that a sender measured; None where nobody did. What one
        says of its own customers takes no weight from what another says of its own."""
        return min((each.rate for each in self.told if each.rate is not None), default=None)

    @property
    def is_wording(self) -> bool:
        """Whether it looks for a wording, and not for an identifier."""
        return isinstance(self.told[0].pattern.what, TemplatePattern)


def _is_crowded(each: Indicator, sharing: Counter[tuple[str, int]]) -> bool:
    """Whether a cell of a wording is in enough others of its sender; else it is counted."""
    if not isinstance(each.pattern.what, TemplatePattern):
        return False
    cells = [(each.sender, cell) for cell in each.pattern.what.cells]
    if any(sharing[cell] >= MOST_SHARING for cell in cells):
        return True
    sharing.update(cells)
    return False


class IndicatorSet:
    """The live indicators of one community key. Serves one thread at a time.

    Args:
        indicators: those under other keys are left out and counted in `foreign`, those that are
            revoked, or not valid at `at`, in `over`, and wordings that share a cell with too many
            newer ones of their sender in `crowded`.
        at: seconds since the epoch.
    """

    def __init__(
        self, indicators: Iterable[Indicator], key: CommunityKey | ComparedKey, at: float
    ) -> None:
        #: the key, as exchanges are compared under it
        self.key = key if isinstance(key, ComparedKey) else ComparedKey(key)
        self.foreign = self.over = self.crowded = 0
        sharing: Counter[tuple[str, int]] = Counter()
        scheme, told = self.key.key.scheme, dict[str, list[Indicator]]()
        for each in sorted(indicators, key=lambda each: (-each.valid_from, each.id)):
            if each.pattern.scheme != scheme:
                self.foreign += 1
            elif not each.is_live(at):
                self.over += 1
            elif _is_crowded(each, sharing):
                self.crowded += 1
            else:
                told.setdefault(each.pattern.name, []).append(each)
        self.entries = [Entry(tuple(some)) for _, some in sorted(told.items())]
        digests: list[tuple[int, int]] = []
        wordings: list[tuple[int, TemplatePattern]] = []
        for number, entry in enumerate(self.entries):
            what = entry.told[0].pattern.what
            if isinstance(what, DigestPattern):
                digests.append((number, number_of(what.value)))
            else:
                wordings.append((number, what))
        self._digests = _Postings([value for _, value in digests])
        self._identifiers = np.array([number for number, _ in digests], np.int64)
        cells = [cell for _, what in wordings for cell in what.cells]
        self._cells = _Postings(cells)
        self._owners = np.repeat(
            np.arange(len(wordings)), [len(what.cells) for _, what in wordings]
        )
        self._least = np.array([what.least for _, what in wordings], np.int64)
        self._wordings = np.array([number for number, _ in wordings], np.int64)

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def has_wordings(self) -> bool:
        """Whether cells must be made to look them up."""
        return bool(len(self._wordings))

    def identified(self, digests: Ints, offsets: Offsets) -> tuple[Ints, Ints]:
        """Which exchange meets which entry by an identifier: (exchange, entry), in that order.

        Args:
            digests: of all exchanges under the community's key, flat; `offsets` says where each
                exchange's begin.
        """
        places, posting = self._digests.find(digests)
        exchange = np.searchsorted(offsets, places, side="right") - 1
        entry = self._identifiers[posting]
        order = np.lexsort((entry, exchange))
        return exchange[order], entry[order]

    def worded(self, cells: Ints, offsets: Offsets) -> tuple[Ints, Ints]:
        """Which exchange meets which entry by its wording: (exchange, entry), in that order.

        Args:
            cells: style cells of all exchanges under the community's key, flat; `offsets` says
                where each exchange's begin.
        """
        places, posting = self._cells.find(cells)
        rows = np.searchsorted(offsets, places, side="right") - 1
        pairs = rows * max(1, len(self._wordings)) + self._owners[posting]
        found = cells[places]
        order = np.lexsort((found, pairs))
        pairs, found = pairs[order], found[order]
        # a cell that an exchange has twice counts once
        again = np.zeros(len(pairs), dtype=bool)
        again[1:] = (pairs[1:] == pairs[:-1]) & (found[1:] == found[:-1])
        pair, times = np.unique(pairs[~again], return_counts=True)
        exchange, wording = np.divmod(pair, max(1, len(self._wordings)))
        enough = times >= self._least[wording]
        return exchange[enough], self._wordings[wording[enough]]


class _Postings:
    """Numbers, to be found among many others of which nearly all are none of them."""

    def __init__(self, numbers: Sequence[int]) -> None:
        flat = np.array(numbers, np.int64)
        self._order = np.argsort(flat, kind="stable")
        self._sorted = flat[self._order]
        # which the last bits of nearly every other number show
        self._sieve = np.zeros(1 << max(10, (16 * len(flat)).bit_length()), dtype=bool)
        self._sieve[flat & (len(self._sieve) - 1)] = True

    def find(self, values: Ints) -> tuple[Ints, Ints]:
        """Each value that is among the numbers: its place in `values`, and that of the number;
        once for each time that the number is there."""
        maybe = np.flatnonzero(self._sieve[values & (len(self._sieve) - 1)])
        begin = np.searchsorted(self._sorted, values[maybe], side="left")
        count = np.searchsorted(self._sorted, values[maybe], side="right") - begin
        hit = np.flatnonzero(count)
        times = count[hit]
        first = np.repeat(np.cumsum(times) - times, times)
        at = np.arange(times.sum()) - first + np.repeat(begin[hit], times)
        return np.repeat(maybe[hit], times), self._order[at]
