"""Repetition: do members send each other's texts? Classes and benchmarks do, a queue does not.

A queue hands each item to one worker; repeating it elsewhere buys nothing. An assignment is sent
by every student, a benchmark by every evaluator.
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
)

__all__ = ["REPETITION", "judge_repetition"]

#: share of marked exchanges that another member sent too, from which on it is an assignment or a
#: benchmark, whatever else is said; simulated campaigns stay at 0.0, classes reach 0.29 and more
REPEATED = 0.2

REPETITION = Metadata(
    name="repetition",
    family=Family.PURPOSE,
    title="Members send each other's texts",
    sees="the share of the group's marked texts that another member sent too; it only speaks "
    "against a campaign",
    null="a group that divides work up sends each text once",
    base_rate="simulated: campaigns show none, classes 29 % and more; a veto from "
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
