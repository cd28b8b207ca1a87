"""Repeated bets against a bound on a probability: how much is won is evidence against the bound."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit, logsumexp

__all__ = ["bets_e_value"]

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

#: probabilities that the alternative bets on, evenly spread over log-odds, and the highest
_BETS, _HIGHEST = 24, 0.995


def bets_e_value(hits: Mask, bound: Floats | float) -> float:
    """Nats by which `hits` are more frequent than `bound` allows, the log of an e-value.

    The average over probabilities, from the bound to nearly 1, of the likelihood ratio against the
    bound. Null: each is a hit with a probability of at most its bound, whatever came before it.
    Assumption: none beyond the null. Source: the method of mixtures (Robbins, 1970; Ramdas,
    Grünwald, Vovk and Shafer, Statistical Science 38, 2023).

    Args:
        hits: one entry a bet, in any order that was settled before they were seen.
        bound: of each bet or of all, above 0, settled before any bet; above 0.995 a bet says
            nothing.

    Returns:
        0 where there are no bets.
    """
    bounds = np.minimum(np.broadcast_to(np.asarray(bound, dtype=np.float64), hits.shape), _HIGHEST)
    if not len(hits):
        return 0.0
    bets = expit(np.linspace(logit(bounds.min()), logit(_HIGHEST), _BETS))
    share = np.maximum(bets[:, None], bounds)
    ratio = np.where(hits, np.log(share / bounds), np.log1p(-share) - np.log1p(-bounds))
    return float(logsumexp(ratio.sum(axis=1)) - np.log(_BETS))
