"""Wordings that a case's accounts share and others do not, as sets of community cells.

Cells that occur together make one wording. An exchange matches when it has `least` of them, which
is chosen by the rate of false positives among the other accounts of the log. Every cell was sent
by k accounts of the case, so that no wording is anybody's own (a k-anonymous support, as the cell
dictionary has it).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from stillwatch.intel.exporting.observed import CROWD, Hits, Observed
from stillwatch.intel.profile.patterns import FEWEST_CELLS
from stillwatch.statistics import share_interval

__all__ = ["MOST_WORDINGS", "Wording", "wordings"]

MOST_WORDINGS: Final = 16
#: cells of one wording, most used first
_CELLS: Final = 64
#: a cell is the case's own when its share among others is at most so much of that among members
_OWN: Final = 0.1
#: two cells belong together when so many of the combinations with the rarer one have both
_TOGETHER: Final = 0.3
_MOST_LEAST: Final = 6
#: so many of the most members that any `least` reaches are enough, if fewer others are
_NEARLY: Final = 0.9


@dataclass(frozen=True)
class Wording:
    """`cells`, of which an exchange must have `least`.

    `members` accounts of the case and `others` other accounts sent a matching exchange; `share` is
    the upper end of the interval (95 %) of the others' share.
    """

    cells: tuple[int, ...]
    least: int
    members: int
    others: int
    share: float


def wordings(seen: Observed, k: int, most: float) -> tuple[list[Wording], list[str]]:
    """Wordings that at most a share `most` of other accounts use, those most members sent first;
    and why the other ones are not among them."""
    found: list[Wording] = []
    why: Counter[str] = Counter()
    own = _own_cells(seen)
    if not own:
        return [], ["no wording that enough accounts of the case share is rare among others"]
    for cells in _groups(own, seen.hits):
        if len(cells) < FEWEST_CELLS:
            why[f"fewer than {FEWEST_CELLS} cells occur together"] += 1
            continue
        wording = _fitted(cells, seen, most)
        if wording is None:
            why["too many other accounts in the log would match"] += 1
        elif wording.members < k:
            why[f"fewer than {k} accounts of the case sent it"] += 1
        else:
            found.append(wording)
    found.sort(key=lambda each: (-each.members, each.cells))
    if len(found) > MOST_WORDINGS:
        why[f"{MOST_WORDINGS} that more accounts sent are told"] += len(found) - MOST_WORDINGS
    return found[:MOST_WORDINGS], [
        f"{n:,} of the wordings: {text}" for text, n in sorted(why.items())
    ]


def _own_cells(seen: Observed) -> list[int]:
    members, others = max(1, len(seen.members)), max(1, len(seen.others))
    own = []
    for cell, who in sorted(seen.cells.items()):
        senders = len(seen.cell_others.get(cell, ()))
        if senders < CROWD and senders / others <= _OWN * len(who) / members:
            own.append(cell)
    return own


def _groups(cells: Sequence[int], hits: Iterable[Hits]) -> list[list[int]]:
    """Cells that occur together, the most used :data:`_CELLS` of each group."""
    known = frozenset(cells)
    single: Counter[int] = Counter()
    pairs: Counter[tuple[int, int]] = Counter()
    for _, found in hits:
        ours = sorted(known.intersection(found))
        single.update(ours)
        pairs.update(combinations(ours, 2))
    parent = {cell: cell for cell in cells}

    def root(cell: int) -> int:
        while parent[cell] != cell:
            parent[cell] = parent[parent[cell]]
            cell = parent[cell]
        return cell

    for (a, b), both in pairs.items():
        if both >= _TOGETHER * min(single[a], single[b]):
            parent[root(a)] = root(b)
    groups: dict[int, list[int]] = defaultdict(list)
    for cell in cells:
        groups[root(cell)].append(cell)
    kept = (sorted(g, key=lambda c: (-single[c], c))[:_CELLS] for g in groups.values())
    return sorted(kept, key=lambda g: (-single[g[0]], g[0]))


def _fitted(cells: Sequence[int], seen: Observed, most: float) -> Wording | None:
    """With the `least` that the fewest others reach, of those that nearly as many members reach as
    any that few enough others do. None where too many others reach each, or no fewer than members.
    """
    chosen = frozenset(cells)
    ours, theirs = _reach(chosen, seen.hits), _reach(chosen, seen.other_hits)
    fitting = []
    for least in range(FEWEST_CELLS, min(_MOST_LEAST, len(cells)) + 1):
        others = sum(reached >= least for reached in theirs.values())
        members = sum(reached >= least for reached in ours.values())
        _, share = share_interval(others, len(seen.others))
        if share <= most and others < members:
            fitting.append(Wording(tuple(sorted(cells)), least, members, others, share))
    reached = max((each.members for each in fitting), default=0)
    near = [each for each in fitting if each.members >= _NEARLY * reached]
    return min(near, key=lambda each: (each.others, each.least), default=None)


def _reach(cells: frozenset[int], hits: Iterable[Hits]) -> dict[str, int]:
    """Account → the most of `cells` in one of its exchanges."""
    best: dict[str, int] = {}
    for account, found in hits:
        number = len(cells.intersection(found))
        if number > best.get(account, 0):
            best[account] = number
    return best
