"""Division of work, tested with a promise: do members take from one set and never meet?

A work queue hands each public problem out once. Customers who choose for themselves meet: about as
often as the problems that they take are popular with others who take from the same set.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from stillwatch.detections import Group, Passages, Rows
from stillwatch.statistics import bets_e_value

__all__ = ["AVOIDING", "division_e_value"]

Floats = npt.NDArray[np.float64]

#: meetings that are due before a bet is settled, and the share of them that is few
DUE, FEW = 5.0, 0.5
#: how often customers who take from one set avoid each other so, at most: an assumption. Of
#: simulated evaluators it is 0.07 to 0.18, of simulated researchers 0.12 to 0.27
AVOIDING = 0.25


def division_e_value(group: Group, passages: Passages) -> float:
    """Nats by which the group's customers divide sets of public problems among themselves.

    Customers are added one by one; whenever :data:`DUE` meetings with those before are due, a bet
    is settled on whether at most half of them took place. A bet is about customers and not about
    single problems: two people may work on different parts of a set without knowing of each other.
    Null: of customers who take from one set a further one (or several, where one has little) meets
    those before it in so few cases with a probability of at most :data:`AVOIDING`.
    Assumption: customers choose independently of each other; what formed the group is a wording,
    and not what is put into it. The mean of two e-values: over what carries the group's style, for
    cover traffic meets others as honest work does, and over everything, for a style is not always
    seen.

    Returns:
        0 where too few meetings are due to tell.
    """
    either = [group.shared, group.rows] if group.styled.any() else [group.rows]
    nats = [_divided(rows, passages) for rows in either]
    return float(np.logaddexp.reduce(nats) - np.log(len(nats)))


def _divided(rows: Rows, passages: Passages) -> float:
    expected, met = passages.meetings(rows.ints("account"), rows.ints("content"))
    return bets_e_value(np.array(list(_bets(expected, met)), dtype=bool), AVOIDING)


def _bets(expected: Floats, met: Floats) -> Iterator[bool]:
    due = took_place = 0.0
    for more, further in zip(expected.tolist(), met.tolist(), strict=True):
        due, took_place = due + more, took_place + further
        if due >= DUE:
            yield took_place <= FEW * due
            due = took_place = 0.0
