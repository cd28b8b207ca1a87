"""Load balance: a group whose members send as evenly as one work queue makes them.

A property of a group, so it belongs to campaigns and not to a detection. A shared template does
not explain it: honest users of one tool are as uneven as customers are.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stillwatch.detections import Evidence, Family, Group, Metadata, distinct_contents
from stillwatch.statistics import BALANCED, INDEPENDENT, balance, log_spread

__all__ = ["LOAD_BALANCE", "judge_load_balance"]

CEILING = 6.0
#: marked exchanges from which on an account counts; one may be chance
LEAST = 2

LOAD_BALANCE = Metadata(
    name="load_balance",
    family=Family.TIME,
    title="Work spread as evenly as one queue spreads it",
    sees="how many marked, distinct exchanges each member sends, beside what customers send",
    null="accounts send at rates of their own: the log-spread of the rates is "
    f"{INDEPENDENT[0]} to {INDEPENDENT[1]}",
    base_rate="not a share: a Bayes factor of even rates (log-spread up to "
    f"{BALANCED[1]}) against the null, at most {CEILING:.0f} nats",
    look_alikes=(
        "one company's workers whose accounts the log does not join",
        "classes and evaluations in which each account does the same number of tasks",
        "a quota that all accounts of a tool use up",
    ),
)


def judge_load_balance(group: Group) -> Sequence[Evidence]:
    """Bayes factor of even against customers' volumes of marked, distinct exchanges."""
    shared = distinct_contents(group.shared)
    counts = np.bincount(shared.owner)
    enough = counts >= LEAST
    counts, seen = counts[enough], shared.seen[enough]
    if len(counts) < 5:
        return []
    nats = balance(counts, seen, least=LEAST)
    if abs(nats) < 1.0:
        return []
    spread = log_spread(counts, seen)
    even = nats > 0
    verdict = (
        "as even as a load balancer makes them"
        if even
        else f"as uneven as independent customers are ({INDEPENDENT[0]} to {INDEPENDENT[1]})"
    )
    return [
        Evidence(
            LOAD_BALANCE.family,
            LOAD_BALANCE.name,
            value=spread,
            base_rate=None,
            speaks_for=even,
            weight=float(min(CEILING, abs(nats))),
            text=f"Its {len(counts)} accounts send {np.median(counts / seen):.0f} marked exchanges "
            f"each at the median, with a log-spread of {spread:.2f}: {verdict}.",
        )
    ]
