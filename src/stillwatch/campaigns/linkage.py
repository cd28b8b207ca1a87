"""Linkage, tested with a promise: do accounts of one wording keep their cards and devices together?

The wording formed the group, so that cards and devices may test it. Honest users of one tool share
a card with another of its users now and then: households and friends take up the same tools.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from stillwatch.detections import Holders
from stillwatch.statistics import holders_e_value

__all__ = ["ACQUAINTED", "linkage_e_value"]

Ints = npt.NDArray[np.int64]

#: how often one of two holders of a card, different customers, uses the tool that the other uses,
#: at most: an assumption, for where campaigns share cards a log cannot tell it
ACQUAINTED = 0.2


def linkage_e_value(accounts: Ints, holders: Holders, population: int) -> float:
    """Nats by which `accounts` hold cards and devices with each other and not with others.

    Null and assumption: see :func:`stillwatch.statistics.holders_e_value`; of the other holders of
    a member's card at most :data:`ACQUAINTED` are members, and such a share as the group has of
    the log.

    Args:
        accounts: whom wording alone joins, ascending.
        population: accounts of the log.
    """
    inside = np.isin(holders.account, accounts)
    members, others = (
        _customers(holders.value[chosen], holders.customer[chosen], holders.value)
        for chosen in (inside, np.ones(len(inside), dtype=bool))
    )
    shared = (members > 0) & (others > 1)
    chance = min(0.99, ACQUAINTED + len(accounts) / population)
    return holders_e_value(members[shared] - 1, others[shared] - 1, chance)


def _customers(value: Ints, customer: Ints, values: Ints) -> Ints:
    """How many customers have each of `values`, which are numbered from 0."""
    pairs = np.unique(np.column_stack([value, customer]), axis=0)
    return np.bincount(pairs[:, 0], minlength=int(values.max(initial=-1)) + 1)
