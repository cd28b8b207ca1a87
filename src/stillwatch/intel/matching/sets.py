"""Many indicators, ready to be looked up: identifiers by digest, wordings by style cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stillwatch.intel.community import CommunityKey
from stillwatch.intel.identifiers import FIELDS
from stillwatch.intel.matching.indicators import Indicator
from stillwatch.intel.profile.patterns import DigestPattern, TemplatePattern

__all__ = ["MOST_SHARING", "Entry", "IndicatorSet"]

Ints = npt.NDArray[np.int64]
#: wordings of one sender that may share a cell: each is counted for every exchange that has it, and
#: what one case tells shares none
MOST_SHARING = 16
#: values whose entries are remembered, a field: one account sends many exchanges
_REMEMBERED = 1 << 18


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

    def __init__(self, indicators: Iterable[Indicator], key: CommunityKey, at: float) -> None:
        self.key = key
        self.foreign = self.over = self.crowded = 0
        sharing: Counter[tuple[str, int]] = Counter()
        scheme, told = key.scheme, dict[str, list[Indicator]]()
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
        self._digests: dict[str, dict[str, int]] = {field: {} for field in FIELDS}
        self._known: dict[str, dict[str | None, int]] = {field: {} for field in FIELDS}
        wordings: list[tuple[int, TemplatePattern]] = []
        for number, entry in enumerate(self.entries):
            what = entry.told[0].pattern.what
            if isinstance(what, DigestPattern):
                self._digests[what.field][what.value] = number
            else:
                wordings.append((number, what))
        self._index(wordings)

    def _index(self, wordings: Sequence[tuple[int, TemplatePattern]]) -> None:
        """A posting for each cell of each wording, by cell."""
        cells = [np.array(what.cells, np.int64) for _, what in wordings]
        flat = np.concatenate([np.zeros(0, np.int64), *cells])
        owner = np.repeat(np.arange(len(wordings)), [len(each) for each in cells])
        order = np.argsort(flat, kind="stable")
        self._cells, self._owners = flat[order], owner[order]
        # nearly every cell of a log is in no wording, which its last bits show
        self._sieve = np.zeros(1 << max(10, (16 * len(flat)).bit_length()), dtype=bool)
        self._sieve[flat & (len(self._sieve) - 1)] = True
        self._least = np.array([what.least for _, what in wordings], np.int64)
        self._wordings = np.array([number for number, _ in wordings], np.int64)

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that any of its identifiers is of."""
        return tuple(field for field, known in self._digests.items() if known)

    @property
    def has_wordings(self) -> bool:
        """Whether the text of exchanges must be sketched to look them up."""
        return bool(len(self._wordings))

    def meets(self, field: str, values: Sequence[str | None]) -> Ints:
        """For each value as logged the number of the entry that it meets, or -1."""
        digests = self._digests[field]
        if not digests or not any(values):
            return np.full(len(values), -1, np.int64)
        known = self._known[field]
        if len(known) > _REMEMBERED:
            known.clear()
        known[None] = -1
        fresh = [value for value in dict.fromkeys(values) if value not in known]
        if fresh:
            made = self.key.digests(field, fresh, leaving=False)
            known.update(zip(fresh, (digests.get(d or "", -1) for d in made), strict=True))
        return np.fromiter(map(known.__getitem__, values), np.int64, len(values))

    def worded(self, cells: Ints, offsets: npt.NDArray[np.int32]) -> tuple[Ints, Ints]:
        """Which exchange meets which entry by its wording: (exchange, entry), in that order.

        Args:
            cells: style cells of all exchanges under the community's key, flat; `offsets` says
                where each exchange's begin.
        """
        maybe = np.flatnonzero(self._sieve[cells & (len(self._sieve) - 1)])
        begin = np.searchsorted(self._cells, cells[maybe], side="left")
        count = np.searchsorted(self._cells, cells[maybe], side="right") - begin
        hit = np.flatnonzero(count)
        times = count[hit]
        rows = np.repeat(np.searchsorted(offsets, maybe[hit], side="right") - 1, times)
        first = np.repeat(np.cumsum(times) - times, times)
        places = np.arange(len(rows)) - first + np.repeat(begin[hit], times)
        pairs = rows * max(1, len(self._wordings)) + self._owners[places]
        found = self._cells[places]
        order = np.lexsort((found, pairs))
        pairs, found = pairs[order], found[order]
        # a cell that an exchange has twice counts once
        again = np.zeros(len(pairs), dtype=bool)
        again[1:] = (pairs[1:] == pairs[:-1]) & (found[1:] == found[:-1])
        pair, times = np.unique(pairs[~again], return_counts=True)
        exchange, wording = np.divmod(pair, max(1, len(self._wordings)))
        enough = times >= self._least[wording]
        return exchange[enough], self._wordings[wording[enough]]
