"""Do those who share a card, a device, an address keep to one group?

Each value that a member holds, and others too, is one piece of evidence, however many they are:
does another member hold it? A card of six accounts is one household or one buyer, not fifteen
coincidences.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit, logsumexp

__all__ = ["holders_e_value"]

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

#: shares of values that the alternative bets on, evenly spread over log-odds, and the highest
_BETS, _HIGHEST = 24, 0.995


def holders_e_value(together: Flags, others: Ints, chance: float) -> float:
    """Nats by which members share values with members, the log of an e-value.

    A value with n further holders is held by a second member with probability of at most
    1 - (1 - chance)^n. The average over shares, from that up to nearly all values, of the
    likelihood ratio of such a share against that bound.
    Null: each further holder is a member with probability of at most `chance`, however those of
    one value depend on each other positively. Assumption: values are independent of each other,
    and were not what formed the group. Source: the method of mixtures (Robbins, 1970; Ramdas,
    Grünwald, Vovk and Shafer, Statistical Science 38, 2023).

    Args:
        together: one entry a value that a member holds: whether another member does.
        others: all its further holders, 1 and more.
        chance: between 0 and 1.

    Returns:
        0 where no value has a further holder.

    Raises:
        ValueError: a chance that is none, a value without further holders.
    """
    if not 0 < chance < 1:
        raise ValueError(f"a chance lies between 0 and 1, not at {chance}")
    if (others < 1).any():
        raise ValueError("a value that nobody else holds says nothing; leave it out")
    bound = np.minimum(-np.expm1(others * np.log1p(-chance)), _HIGHEST)
    share = np.maximum(
        expit(np.linspace(logit(min(chance, _HIGHEST)), logit(_HIGHEST), _BETS))[:, None], bound
    )
    ratio = np.where(together, np.log(share / bound), np.log1p(-share) - np.log1p(-bound))
    return float(logsumexp(ratio.sum(axis=1)) - np.log(_BETS))
