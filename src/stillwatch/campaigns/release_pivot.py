"""Release pivot: a group that moves to a model within a day of its first appearance.

Evaluators do so too, and every agent whose vendor switches: the share elsewhere stands beside it.
Source: about half of one campaign's traffic moved within 24 hours (disclosure of February 2026).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from stillwatch.detections import (
    Evidence,
    Family,
    Group,
    Metadata,
    Rows,
    Tables,
    microseconds,
    share_of,
)

__all__ = ["RELEASE_PIVOT", "first_uses", "judge_release_pivot", "released"]

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


def first_uses(tables: Tables) -> dict[str | None, int]:
    """When each model first appears in the log, µs since 1970; None: exchanges that name none."""
    exchanges = tables["exchanges"]
    firsts = tables.engine.collect(
        exchanges.group_by(model=exchanges.model.cast("string")).agg(first=exchanges.at.min())
    )
    times = microseconds(firsts["first"]).tolist()
    return dict(zip(firsts["model"].to_pylist(), times, strict=True))


def released(first: Mapping[str | None, int]) -> dict[str, int]:
    """Of the :func:`first_uses` those a day or more after the log begins."""
    began = min(first.values(), default=0)
    return {model: at for model, at in first.items() if model is not None and at - began >= DAY}


def judge_release_pivot(group: Group, models: Mapping[str, int]) -> Sequence[Evidence]:
    """Share of active accounts that used a new model on its first day, in and out of the group.

    `models` are those that were :func:`released` in the log.
    """
    rows, others = group.rows, group.others
    if not rows.knows("model") or not len(others):
        return []
    found = []
    for model, first in sorted(models.items()):
        moved, active = _moved(rows, model, first)
        usual_moved, usual_active = _moved(others, model, first)
        if active < 5 or usual_active < 20:
            continue
        share, usual = moved / active, usual_moved / usual_active
        if share >= 0.5 and share >= 3 * usual:
            nats = active * share * math.log(share / (usual + 0.02)) / 8
            found.append((nats, share, active, usual, usual_active))
    if not found:
        return []
    nats, share, active, usual, compared = max(found)
    return [
        Evidence(
            RELEASE_PIVOT.family,
            RELEASE_PIVOT.name,
            value=share,
            base_rate=usual,
            weight=min(CEILING, nats),
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
