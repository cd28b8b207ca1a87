"""Load balance: a group whose members send as evenly as one work queue makes them.

A property of a group, so it belongs to campaigns and not to a detection. A shared template does
not explain it: honest users of one tool are as uneven as customers are.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from stillwatch.detections import Evidence, Family, Group, Metadata, distinct_contents
from stillwatch.statistics import (
    BALANCED,
    INDEPENDENT,
    balance,
    balance_e_value,
    in_spike,
    log_spread,
)

__all__ = ["LOAD_BALANCE", "evenly_sending", "judge_load_balance", "load_balance_e_value"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

CEILING = 6.0

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
    _, counts, seen = _volumes(group)
    if len(counts) < 5:
        return []
    nats = balance(counts, seen, least=group.least)
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


def load_balance_e_value(group: Group, customer: Ints) -> float:
    """Nats for one work queue behind the group's customers, with a promise.

    Null and assumption: see :func:`stillwatch.statistics.balance_e_value`; what links formed the
    group says nothing of how much each customer sends. Accounts of one customer count together:
    what a school or a company has its people do is as even as it likes.

    Args:
        customer: for each account of the group the number of its customer.
    """
    shared = distinct_contents(group.shared if group.styled.any() else group.rows)
    held = np.searchsorted(group.accounts, shared.accounts)
    counts, seen = _by_customer(np.bincount(shared.owner), shared.seen, customer[held])
    enough = counts >= group.least
    counts, seen = counts[enough], seen[enough]
    if balance(counts, seen, least=group.least) <= 0:
        return -np.inf  # no evidence at all is less than there is, and spares the work
    return balance_e_value(counts, seen, least=group.least)


def evenly_sending(group: Group) -> Floats:
    """For each account of the group the probability that it is one of those who share a queue.

    Honest users of the same wording stand beside them, with volumes of their own. Accounts with
    too few marked exchanges have 0. Null and assumption: see
    :func:`stillwatch.statistics.in_spike`.
    """
    accounts, counts, seen = _volumes(group)
    found = np.zeros(len(group.accounts))
    found[np.searchsorted(group.accounts, accounts)] = in_spike(counts, seen, least=group.least)
    return found


def _volumes(group: Group) -> tuple[Ints, Ints, Floats]:
    """Accounts with enough marked, distinct exchanges, how many, and the share looked at."""
    shared = distinct_contents(group.shared)
    counts = np.bincount(shared.owner)
    enough = counts >= group.least
    return shared.accounts[enough], counts[enough], shared.seen[enough]


def _by_customer(counts: Ints, seen: Floats, customer: Ints) -> tuple[Ints, Floats]:
    """Exchanges of each customer, and the share of them that was looked at."""
    which = np.unique(customer, return_inverse=True)[1]
    looked_at = np.bincount(which, counts)
    return looked_at.astype(np.int64), looked_at / np.bincount(which, counts / seen)
