"""Release pivot: a group that moves to a model within a day of its first appearance.

Evaluators do so too, and every agent whose vendor switches: the share elsewhere stands beside it.
Source: about half of one campaign's traffic moved within 24 hours (disclosure of February 2026).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from stillwatch.detections import Evidence, Family, Group, Metadata, Rows, share_of

__all__ = ["RELEASE_PIVOT", "judge_release_pivot"]

DAY = 86_400_000_000
CEILING = 4.0

RELEASE_PIVOT = Metadata(
    name="release_pivot",
    family=Family.TIME,
    title="Moved to a new model on its first day",
    sees="which share of the active accounts uses a model within a day of its first appearance",
    null="accounts of the group take up a new model as fast as other accounts do",
    base_rate="measured in the same log, on a random sample of other accounts",
    look_alikes=(
        "evaluators who test each release",
        "agents and tools whose vendor changes the model for all users",
        "a name that always stands for the newest model",
    ),
    needs=("model",),
)


def judge_release_pivot(group: Group) -> Sequence[Evidence]:
    """Share of active accounts that used a new model on its first day, in and out of the group."""
    rows, others = group.rows, group.others
    if not rows.knows("model") or not len(others):
        return []
    names = np.concatenate([rows.names("model"), others.names("model")])
    at = np.concatenate([rows.ints("at"), others.ints("at")])
    found = []
    for model in sorted({name for name in names if name is not None}):
        first = at[names == model].min()
        if first - at.min() < DAY:
            continue  # in use from the start of the log: no release to be seen
        moved, active = _moved(rows, model, first)
        usual_moved, usual_active = _moved(others, model, first)
        if active >= 5 and usual_active >= 20:
            found.append((moved / active, active, usual_moved / usual_active, usual_active))
    if not found:
        return []
    share, active, usual, compared = max(found)
    if share < 0.5 or share < 3 * usual:
        return []
    return [
        Evidence(
            RELEASE_PIVOT.family,
            RELEASE_PIVOT.name,
            value=share,
            base_rate=usual,
            weight=min(CEILING, active * share * math.log(share / (usual + 0.02)) / 8),
            text=f"{share:.0%} of its {active} active accounts moved to a new model within a day "
            f"of its first appearance; {share_of(usual * compared, compared, 'other accounts')} "
            "did.",
        )
    ]


def _moved(rows: Rows, model: str, first: int) -> tuple[int, int]:
    """Accounts that used `model` on its first day, and accounts active on that day."""
    at = rows.ints("at")
    day = (at >= first) & (at < first + DAY)
    users = np.unique(rows.owner[day & (rows.names("model") == model)])
    return len(users), len(np.unique(rows.owner[day]))
