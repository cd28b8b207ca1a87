"""Do those who share a card, a device, an address keep to one group?

Each value that a member holds, and others too, is one piece of evidence, however many they are:
are half of the others members too? A card of six accounts is one household or one buyer, not
fifteen coincidences.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from stillwatch.statistics.bets import bets_e_value

__all__ = ["holders_e_value"]

Ints = npt.NDArray[np.int64]


def holders_e_value(members: Ints, others: Ints, chance: float) -> float:
    """Nats by which members share values with members, the log of an e-value.

    Of n further holders of a value at least h = ⌈n/2⌉ are members with probability of at most
    n · chance / h, by Markov's inequality, however these holders depend on each other: a bet for
    each value (:func:`stillwatch.statistics.bets_e_value`). Null: each further holder is a member
    with probability of at most `chance`. Assumption: values are independent of each other, and were
    not what formed the group.

    Args:
        members: one entry a value that a member holds: how many of its further holders are members.
        others: all its further holders, 1 and more.
        chance: between 0 and 1.

    Returns:
        0 where no value has a further holder.

    Raises:
        ValueError: a chance that is none, a value without further holders, more members than those.
    """
    if not 0 < chance < 1:
        raise ValueError(f"a chance lies between 0 and 1, not at {chance}")
    if (others < 1).any() or (members > others).any():
        raise ValueError("members are some of the further holders, and a value has one at least")
    half = -(-others // 2)
    return bets_e_value(members >= half, others * chance / half)
