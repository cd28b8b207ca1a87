"""Focus and coverage: do members work on one thing, and divide it?

Workers of one queue get the queue's next item. So one common profile of topics explains all of
them (:func:`stillwatch.statistics.shared_profile`), two exchanges of one account are no more
alike than two of different accounts (:func:`stillwatch.statistics.agreement`), and no item is
sent by two. Customers are different people with matters of their own. So are not learners, a
class or the users of a single-purpose tool: what speaks for one queue here is advice, no family.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from stillwatch.detections.contents import distinct_contents, repeated_share
from stillwatch.detections.detection import Evidence, Family, Findings, Metadata, Tables
from stillwatch.detections.group import Group, Ints, Rows
from stillwatch.engines import Stage
from stillwatch.statistics import (
    Profiles,
    agreement,
    fit_profiles,
    shared_profile,
)

__all__ = ["Focus"]

#: below what counts as a family: honest groups lie on both sides of campaigns, see
#: docs/decisions/006-topic-mixture.md
CEILING = 1.0
#: nats from which on the topics speak: 20 to 1
DECIDED = math.log(20)
#: exchanges of an account that count, so that a busy one does not decide
MOST = 32
#: below this `between` there is room for accounts to differ
SATURATED = 0.9
#: kappa of honest groups, lower decile; measured, see docs/detections/focus.md
HONEST = 0.2
#: share of contents that another member sent too, from which on the work is not divided
REPEATED = 0.05


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
        repeated = repeated_share(shared.alike_seen())
        return [
            *self._one_purpose(shared, group.others, repeated),
            *self._divided(shared, repeated),
        ]

    def _one_purpose(self, shared: Rows, others: Rows, repeated: float) -> Sequence[Evidence]:
        classes, profiles = others.once(_benign)
        if profiles is None:
            return []
        counts = _topics(shared, classes)
        nats = shared_profile(counts, profiles)
        if nats is None or abs(nats) < DECIDED:
            return []
        common = nats > 0
        return [
            Evidence(
                self.metadata.family,
                self.metadata.name,
                value=round(nats, 2),
                base_rate=None,
                speaks_for=common,
                weight=CEILING if not common or repeated < REPEATED else 0.0,
                text=f"One common mix of topics explains the marked exchanges of "
                f"{len(counts)} accounts {abs(nats):.0f} nats {'better' if common else 'worse'} "
                "than the mixes of ordinary accounts, one for each (learned on one half of the "
                "accounts, tested on the other). "
                + (
                    "Learners and users of a tool with one purpose look like that too."
                    if common
                    else "Accounts that bring matters of their own look like that."
                ),
            )
        ]

    def _divided(self, shared: Rows, repeated: float) -> Sequence[Evidence]:
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
        divided = repeated < REPEATED
        comparison = "no more alike than" if one_queue else "more alike than"
        return [
            Evidence(
                self.metadata.family,
                self.metadata.name,
                value=kappa,
                base_rate=None,
                speaks_for=one_queue,
                weight=float(min(CEILING, abs(nats))) if divided or not one_queue else 0.0,
                text=f"Two exchanges of one account are {comparison} two of different accounts "
                f"(agreement beyond chance {kappa:.3f} ± {max(error, 0.001):.3f}; 0 where accounts "
                f"work off one queue, {HONEST} and more among honest users of one tool)."
                + (
                    ""
                    if divided
                    else f" But {repeated:.0%} of the contents came from another of them too."
                ),
            )
        ]


def _benign(others: Rows) -> tuple[Ints, Profiles | None]:
    """The topics that the background knows, ascending, and its profiles over them."""
    distinct = distinct_contents(others)
    topics = distinct.ints("topic")
    classes = np.unique(topics[topics >= 0])
    return classes, fit_profiles(_topics(distinct, classes))


def _topics(rows: Rows, classes: Ints) -> Ints:
    """Account × class, exchanges; the last class is for topics outside `classes`.

    Of each account :data:`MOST` exchanges, those with the smallest content digests; texts too
    short for a topic say nothing.
    """
    order = np.lexsort((rows.ints("content"), rows.owner))
    order = order[rows.ints("topic")[order] >= 0]
    owner, topics = rows.owner[order], rows.ints("topic")[order]
    rank = np.arange(len(owner)) - np.searchsorted(owner, owner)
    owner, topics = owner[rank < MOST], topics[rank < MOST]
    at = np.searchsorted(classes, topics)
    known = np.append(classes, -1)[at] == topics
    counts = np.zeros((len(rows.accounts), len(classes) + 1), dtype=np.int64)
    np.add.at(counts, (owner, np.where(known, at, len(classes))), 1)
    return counts


def _length_class(rows: Rows) -> Ints:
    words = np.maximum(rows.ints("words"), 1)
    classes: Ints = np.floor(np.log2(words) * 2).astype(np.int64)
    return classes
