"""Repetition: do members send each other's texts? Classes and benchmarks do, a queue does not.

A queue hands each item to one worker; repeating it elsewhere buys nothing. An assignment is sent
by every student, a benchmark by every evaluator.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stillwatch.detections import Evidence, Family, Group, distinct_contents
from stillwatch.statistics import count_pairs

__all__ = ["judge_repetition"]

#: share of marked exchanges that another member sent too, from which on it is an assignment or a
#: benchmark, whatever else is said; campaigns of the prototype stayed under 0.2
REPEATED = 0.3


def judge_repetition(group: Group) -> Sequence[Evidence]:
    """A veto where marked contents repeat across accounts."""
    shared = distinct_contents(group.shared)
    if len(shared) < 10:
        return []
    contents, _, _ = count_pairs(shared.ints("content"), shared.owner)
    _, senders = np.unique(contents, return_counts=True)
    repeated = float(senders[senders > 1].sum() / senders.sum())
    if repeated < REPEATED:
        return []
    return [
        Evidence(
            Family.PURPOSE,
            "repetition",
            value=repeated,
            base_rate=None,
            speaks_for=False,
            veto=True,
            weight=6.0,
            text=f"{repeated:.0%} of its marked exchanges have the very text of another member's: "
            "an assignment or a benchmark that each does for itself, not work divided up.",
        )
    ]
