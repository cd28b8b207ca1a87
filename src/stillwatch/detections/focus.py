"""Interchangeable accounts: do members differ from each other as independent customers would?

Workers of one queue get the queue's next item, so two exchanges of one account are no more alike
than two of different accounts. Customers of one tool are different people with matters of their
own. The statistic is the chance-corrected agreement within accounts of
:func:`stillwatch.statistics.agreement`, over topic, length and script: 0 for a shared queue,
above 0.2 for honest groups. A shared template cannot explain it: honest users share one too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stillwatch.detections.detection import Evidence, Family, Findings, Metadata, Tables
from stillwatch.detections.group import Group, Ints, Rows
from stillwatch.engines import Stage
from stillwatch.statistics import agreement

__all__ = ["Focus", "distinct_contents"]

#: below what counts as a family: on simulated traffic campaigns reach 0.15, honest groups fall to
#: 0.01 (docs/decisions/004-focus-is-weak.md)
CEILING = 1.0
#: below this `between` there is room for accounts to differ
SATURATED = 0.9
#: kappa of honest groups, lower decile; measured, see docs/detections/focus.md
HONEST = 0.2


class Focus:
    """Judges groups only: it links nobody."""

    metadata = Metadata(
        name="focus",
        family=Family.PURPOSE,
        title="Interchangeable accounts with one purpose",
        sees="topics, lengths and scripts of the group's exchanges, within and between accounts",
        null="accounts differ from each other in what they ask about",
        base_rate="measured on simulated tools and classrooms: docs/detections/focus.md",
        look_alikes=("classrooms with one assignment", "one company's batch job over many keys"),
        atlas=("AML.T0024.002",),
    )

    def stages(self, sampling: int) -> Sequence[Stage]:
        return []

    def find(self, tables: Tables) -> Findings:
        return Findings()

    def judge(self, group: Group) -> Sequence[Evidence]:
        shared = distinct_contents(group.shared)
        measured = [
            found
            for classes in (shared.ints("topic"), _length_class(shared), shared.ints("script"))
            if (found := agreement(shared.owner, classes)) and found.between < SATURATED
        ]
        if not measured:
            return []
        precision = np.array([1 / max(found.error, 0.005) ** 2 for found in measured])
        kappa = float(np.average([found.kappa for found in measured], weights=precision))
        error = float(precision.sum() ** -0.5)
        # how much better "one queue" (kappa 0) explains the value than "honest" (HONEST or more)
        nats = (((kappa - HONEST) / error) ** 2 - (kappa / error) ** 2) / 2
        one_queue = nats > 0
        comparison = "no more alike than" if one_queue else "more alike than"
        return [
            Evidence(
                self.metadata.family,
                self.metadata.name,
                value=kappa,
                base_rate=None,
                speaks_for=one_queue,
                weight=float(min(CEILING, abs(nats))),
                text=f"Two exchanges of one account are {comparison} two of different accounts "
                f"(agreement beyond chance {kappa:.3f} ± {max(error, 0.001):.3f}; 0 where accounts "
                f"work off one queue, {HONEST} and more among honest users of one tool).",
            )
        ]


def distinct_contents(rows: Rows) -> Rows:
    """`rows` without repeats of a content within an account: retries are no agreement."""
    contents, code = np.unique(rows.ints("content"), return_inverse=True)
    _, first = np.unique(rows.owner * max(1, len(contents)) + code, return_index=True)
    mask = np.zeros(len(rows), dtype=bool)
    mask[first] = True
    return rows.where(mask)


def _length_class(rows: Rows) -> Ints:
    words = np.maximum(rows.ints("words"), 1)
    classes: Ints = np.floor(np.log2(words) * 2).astype(np.int64)
    return classes
