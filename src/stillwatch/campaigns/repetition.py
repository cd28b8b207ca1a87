"""Repetition: do members send each other's texts? Classes and benchmarks do, a queue does not.

An assignment is sent by every student, a benchmark by every evaluator, and who shares one text
with another shares others with it. A queue hands an item to whoever comes, once, or several times
where several answers are wanted.
"""

from __future__ import annotations

from collections.abc import Sequence

from stillwatch.detections import (
    Evidence,
    Family,
    Group,
    Metadata,
    distinct_contents,
    repeated_share,
    repeated_together,
)

__all__ = ["REPETITION", "judge_repetition"]

#: share of marked exchanges that another member sent too, and share of the other texts that two who
#: have one in common share too, from which on it is an assignment or a benchmark, whatever else is
#: said; simulated classes and evaluators reach 0.28 and 0.4 and more, queues 0.0 of the second
REPEATED, TOGETHER = 0.2, 0.1

REPETITION = Metadata(
    name="repetition",
    family=Family.PURPOSE,
    title="Members send each other's texts",
    sees="the share of the group's marked texts that another member sent too, and whether they "
    "are always the same members; it only speaks against a campaign",
    null="a group that divides work up hands each text to whoever comes",
    base_rate="simulated: classes and evaluators 28 % and more; a veto from "
    f"{100 * REPEATED:.0f} % on",
    look_alikes=("classes with an assignment", "benchmarks", "evaluators of one test set"),
)


def judge_repetition(group: Group) -> Sequence[Evidence]:
    """A veto where marked contents repeat across accounts."""
    shared = distinct_contents(group.shared).alike_seen()
    if len(shared) < 10:
        return []
    repeated = repeated_share(shared)
    if repeated < REPEATED:
        return []
    together = repeated_together(shared)
    if together is not None and together < TOGETHER:
        return []
    return [
        Evidence(
            REPETITION.family,
            REPETITION.name,
            value=repeated,
            base_rate=None,
            speaks_for=False,
            veto=True,
            weight=6.0,
            text=f"{repeated:.0%} of its marked exchanges have the very text of another member's: "
            "an assignment or a benchmark that each does for itself, not work divided up.",
        )
    ]
