"""Asks that a distiller lives on: reasoning, grades, rewritten prompts, the model's instructions.

Honest students ask for steps, evaluators for grades. So the share of asking exchanges is compared
with everybody else's, and it counts as a family of its own only where it remains when the
exchanges of the group's largest style are removed (law 1).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stillwatch.detections.detection import Evidence, Family, Findings, Metadata, Tables, weigh
from stillwatch.detections.group import Group, Mask, Rows
from stillwatch.detections.infrastructure import organisations
from stillwatch.detections.tables import ACCOUNT_DAYS
from stillwatch.detections.wording import share_of
from stillwatch.engines import Stage
from stillwatch.sketches import Asks, describe_asks
from stillwatch.statistics import excess

__all__ = ["Elicitation"]

CEILING = 4.0
#: exchanges from which on an organisation can have the habit, and the asks and the share of asks
#: that make it: one ask in three exchanges is chance
LEAST, ASKS, HABIT = 4, 2, 0.25


class Elicitation:
    """Scores accounts by their share of asking exchanges; links nobody."""

    metadata = Metadata(
        name="elicitation",
        family=Family.PURPOSE,
        title="Asks for reasoning, grades or prompt rewrites",
        sees="asks for hidden or stepwise reasoning, grades, prompt rewrites, instructions",
        null="the group's accounts ask for such things as often as everybody else",
        base_rate="measured in the same log, on a random sample of other accounts",
        look_alikes=("tutoring", "evaluators", "prompt optimisers", "answer graders"),
        atlas=("AML.T0024.002", "AML.T0054"),
    )

    def stages(self, sampling: int) -> Sequence[Stage]:
        return [ACCOUNT_DAYS]

    def find(self, tables: Tables) -> Findings:
        days = tables["account_days"]
        totals = tables.engine.collect(
            days.group_by("account").agg(
                exchanges=days.exchanges.sum(), asking=days.asking.cast("int64").sum()
            )
        )
        share = totals["asking"].to_numpy() / totals["exchanges"].to_numpy()
        asking = np.flatnonzero(share > 0)
        accounts = totals["account"].to_numpy()[asking]
        return Findings(dict(zip(accounts.tolist(), share[asking].tolist(), strict=True)))

    def judge(self, group: Group) -> Sequence[Evidence]:
        others = len(group.others)
        usual = _asking(group.others).mean() if others else 0.0
        asking = _asking(group.rows)
        share = float(asking.mean())
        if share < 0.1 or share < 2 * usual:
            return []
        rest = group.style != _largest(group)
        elsewhere = group.others.once(_habitual)
        everything = excess(*_habitual(group.rows), *elsewhere)
        remains = excess(*_habitual(group.rows.where(rest)), *elsewhere)
        weight, explained = weigh(everything, remains, CEILING)
        if weight < 0.5:
            return []
        bits = int(np.bitwise_or.reduce(group.rows.ints("asks")))
        common = [
            bit
            for bit in Asks
            if bits & bit and (group.rows.ints("asks") & bit).astype(bool).mean() > share / 5
        ]
        names = ", ".join(describe_asks(sum(common))) or "several kinds"
        return [
            Evidence(
                self.metadata.family,
                self.metadata.name,
                value=share,
                base_rate=float(usual),
                weight=weight,
                explained=explained,
                text=f"{share:.0%} of the group's exchanges ask for what a distiller needs "
                f"({names}); {share_of(usual * others, others, 'exchanges of other accounts')} do."
                + (" One shared template may explain all of it." if explained else ""),
            )
        ]


def _asking(rows: Rows) -> Mask:
    asking: Mask = rows.ints("asks") != 0
    return asking


def _largest(group: Group) -> int:
    styles = group.style[group.styled]
    if not len(styles):
        return -2
    values, counts = np.unique(styles, return_counts=True)
    return int(values[counts.argmax()])


def _habitual(rows: Rows) -> tuple[int, int]:
    """How many organisations habitually ask for such things, and how many there are to tell.

    Exchanges of one organisation are alike, so organisations are what is counted.
    """
    _, owner = np.unique(organisations(rows)[rows.owner], return_inverse=True)
    total = np.bincount(owner)
    enough = total >= LEAST
    asked = np.bincount(owner, weights=_asking(rows))
    habit = (asked >= HABIT * total) & (asked >= ASKS)
    return int((habit & enough).sum()), int(enough.sum())
