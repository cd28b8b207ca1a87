"""Masked words of a campaign's styles, from the cell dictionary, put together to be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import ibis
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stillwatch.campaigns.campaign import Template
from stillwatch.detections import Tables

__all__ = ["CELLS", "CellUse", "cell_uses", "templates"]

Ints = npt.NDArray[np.int64]

#: cells of one campaign that are read, most used first
CELLS = 240
SHOWN = 12


class CellUse:
    """How often one cell occurs: accounts inside and outside a campaign, exchanges inside."""

    def __init__(self, members: int, others: int, exchanges: int) -> None:
        self.members, self.others, self.exchanges = members, others, exchanges


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
    """Overlapping windows joined into clauses, the most used first."""
    read = {words[cell]: use for cell, use in uses.items() if cell in words}
    clauses = _clauses(read.keys())
    made = []
    for text, windows in clauses:
        best = max((read[window] for window in windows), key=lambda use: use.exchanges)
        made.append(Template(text, best.members, best.others, best.exchanges))
    made.sort(key=lambda each: (-each.exchanges, each.words))
    return tuple(made[:SHOWN])


def _clauses(windows: Iterable[str]) -> list[tuple[str, Sequence[str]]]:
    """Chain windows whose ends overlap by at least three words, longest overlaps first."""
    chains = [(window.split(), [window]) for window in sorted(windows)]
    for overlap in (4, 3):
        merged = True
        while merged:
            merged = False
            starts = {tuple(words[:overlap]): i for i, (words, _) in enumerate(chains)}
            for i, (words, sources) in enumerate(chains):
                j = starts.get(tuple(words[-overlap:]))
                if j is None or j == i:
                    continue
                chains[i] = (words + chains[j][0][overlap:], sources + chains[j][1])
                del chains[j]
                merged = True
                break
    return [(" ".join(words), sources) for words, sources in chains]
