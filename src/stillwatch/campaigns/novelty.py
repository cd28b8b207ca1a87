"""Was the style there before? The reference period as evidence for or against.

The reference is never assumed clean: a campaign that was already active in it is not excused by
that. What speaks against a group is that *other* accounts used its style before, as they do with
an established tool.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import ibis
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stillwatch.detections import Evidence, Family, Metadata
from stillwatch.engines import Engine

__all__ = ["NOVELTY", "Reference"]

Ints = npt.NDArray[np.int64]

#: accounts of the reference outside the group, per member, from which on a style is established
ESTABLISHED = 0.5

NOVELTY = Metadata(
    name="novelty",
    family=Family.CONTENT,
    title="A style that was not there before",
    sees="how many accounts used the group's style cells in the reference period",
    null="styles of honest groups were in use before, by accounts outside the group too",
    base_rate="new tools and frameworks are new as well: novelty only adds to an echo",
    look_alikes=("a tool that was launched within the period",),
    needs=("a reference period",),
)


@dataclass(frozen=True)
class Reference:
    """The exchanges of an earlier period.

    Attributes:
        files: their Parquet files.
        accounts: how many accounts it holds.
        words: how a report calls it.
    """

    engine: Engine
    files: Sequence[Path]
    accounts: int
    words: str

    def judge(self, cells: Ints, members: Ints) -> Sequence[Evidence]:
        """Evidence from who used at least two of `cells` in the reference period."""
        if not len(cells) or not self.accounts:
            return []
        wanted = ibis.memtable(pa.table({"cell": np.unique(cells)}))
        rows = self.engine.read(list(self.files))
        uses = rows.select("account", cell=rows.cells.unnest()).semi_join(wanted, "cell")
        breadth = uses.group_by("account").agg(cells=uses.cell.nunique())
        found = self.engine.collect(breadth.filter(breadth.cells >= 2).select("account"))
        before = found["account"].to_numpy()
        outside = len(np.setdiff1d(before, members))
        inside = len(before) - outside
        established = outside >= ESTABLISHED * len(members)
        if established:
            text = (
                f"{outside} accounts outside the group already used its style in the reference "
                f"period: it looks like an established tool or template."
            )
        elif inside:
            text = (
                f"{inside} of its accounts already sent its style in the reference period, and "
                f"{outside} others: the reference is not clean of it."
            )
        else:
            text = "Nobody sent its style in the reference period."
        return [
            Evidence(
                NOVELTY.family,
                NOVELTY.name,
                value=outside / max(1, len(members)),
                base_rate=None,
                speaks_for=not established,
                weight=2.0 if established else 1.0,
                text=text,
            )
        ]
