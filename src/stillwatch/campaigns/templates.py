"""Masked words of a campaign's styles, from the cell dictionary, put together to be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import ibis
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stillwatch.campaigns.campaign import Template
from stillwatch.detections import Tables
from stillwatch.sketches import MASK_SIGN

__all__ = ["CELLS", "CellUse", "cell_uses", "templates"]

Ints = npt.NDArray[np.int64]

#: cells of one campaign that are read, most used first
CELLS = 240
SHOWN = 12
#: words, or characters, in a row that make two clauses the same one, and that a clause needs to be
#: worth reading
RUN, CHARACTERS = 3, 6
#: a window belongs to a clause when it occurs this often beside the most used one of it
FOLLOWED = 0.3


class CellUse:
    """How often one cell occurs: accounts inside and outside a campaign, exchanges inside."""

    def __init__(self, members: int, others: int, exchanges: int) -> None:
        self.members, self.others, self.exchanges = members, others, exchanges


_Parts = Sequence[CellUse]


def cell_uses(tables: Tables, cells: Ints, members: Ints) -> dict[int, CellUse]:
    """Use of `cells` by `members` and by everybody else; the :data:`CELLS` most used ones."""
    uses = tables[f"account_cells_{tables.sampling}"]
    wanted = ibis.memtable(pa.table({"cell": cells}))
    found = tables.engine.collect(uses.semi_join(wanted, "cell"))
    cell, account = found["cell"].to_numpy(), found["account"].to_numpy()
    inside = np.isin(account, members)
    names, which = np.unique(cell, return_inverse=True)
    ours = np.bincount(which[inside], minlength=len(names))
    theirs = np.bincount(which[~inside], minlength=len(names))
    exchanges = np.bincount(which[inside], found["uses"].to_numpy()[inside], len(names))
    order = np.lexsort((names, -exchanges))[:CELLS]
    return {int(names[i]): CellUse(int(ours[i]), int(theirs[i]), int(exchanges[i])) for i in order}


def templates(uses: Mapping[int, CellUse], words: Mapping[int, str]) -> tuple[Template, ...]:
    """Distinct clauses, put together from windows that overlap; those most members send first.

    Every window of a clause was sent by that many members and exchanges at least, and none by more
    others than said: the numbers never make a clause look more telling than its parts are.
    """
    made = []
    for text, parts in _distinct(_clauses({words[c]: uses[c] for c in uses if c in words})):
        members = min(part.members for part in parts)
        others = max(part.others for part in parts)
        made.append(Template(text, members, others, min(part.exchanges for part in parts)))
    made.sort(key=lambda each: (-each.members, -each.exchanges, each.words))
    return tuple(made[:SHOWN])


def _distinct(clauses: Iterable[tuple[list[str], _Parts]]) -> Iterator[tuple[str, _Parts]]:
    """Clauses that can be read, without those that repeat a run of an earlier one, or its edge."""
    seen: set[tuple[str, ...]] = set()
    heads: set[tuple[str, ...]] = set()
    tails: set[tuple[str, ...]] = set()
    for tokens, parts in clauses:
        read = _readable(tokens)
        spaced = any(len(token) > 1 for token in read)
        run = RUN if spaced else CHARACTERS
        runs = {tuple(read[i : i + run]) for i in range(len(read) - run + 1)}
        head, tail = tuple(read[: run - 1]), tuple(read[1 - run :])
        known = head in tails or tail in heads or not runs.isdisjoint(seen)
        if not known and sum(token != MASK_SIGN for token in read) >= run:
            yield (" " if spaced else "").join(read), parts
            seen |= runs
            heads.add(head)
            tails.add(tail)


def _readable(tokens: Sequence[str]) -> list[str]:
    """Without masks at the ends, and with one mask for several in a row."""
    kept = [t for i, t in enumerate(tokens) if t != MASK_SIGN or tokens[i - 1 : i] != [t]]
    while kept and kept[0] == MASK_SIGN:
        kept.pop(0)
    while kept and kept[-1] == MASK_SIGN:
        kept.pop()
    return kept


def _clauses(windows: Mapping[str, CellUse]) -> Iterator[tuple[list[str], _Parts]]:
    """From the most used window on, grow to both sides while windows overlap it, longest first.

    A template with alternatives gives windows that many others overlap: of those the most used
    ones are followed, and none that is much rarer than the first.
    """
    left = dict(sorted(windows.items(), key=lambda each: (-each[1].exchanges, each[0])))
    while left:
        first, use = next(iter(left.items()))
        del left[first]
        tokens, parts = _tokens(first), [use]
        least = FOLLOWED * use.exchanges
        for after in (True, False):
            while (more := _next(tokens, left, least, after=after)) is not None:
                window, fresh = more
                parts.append(left.pop(window))
                tokens = tokens + fresh if after else fresh + tokens
        yield tokens, parts


def _next(
    tokens: Sequence[str], left: Mapping[str, CellUse], least: float, *, after: bool
) -> tuple[str, list[str]] | None:
    """The window that goes on after (or before) `tokens`, and what it adds."""
    best: tuple[int, str, list[str]] | None = None
    for window, use in left.items():
        own = _tokens(window)
        for overlap in range(len(own) - 1, len(own) // 2, -1):
            edge, other = (tokens[-overlap:], own[:overlap])
            if not after:
                edge, other = tokens[:overlap], own[-overlap:]
            if edge == other and use.exchanges >= least and (best is None or overlap > best[0]):
                best = overlap, window, own[overlap:] if after else own[:-overlap]
    return None if best is None else best[1:]


def _tokens(window: str) -> list[str]:
    """Words, or characters in a script without spaces."""
    return window.split() if " " in window else list(window)
