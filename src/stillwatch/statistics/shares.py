"""Is a share larger in a group than elsewhere, and do draws repeat less than chance has it?

Both answers are logarithms of Bayes factors, which are e-values: under the null their expectation
is at most 1, so that a factor of 20 or more has probability at most 1/20 (Markov's inequality).
"""

from __future__ import annotations

import math

from scipy.special import betaln, gammainc, gammaln

__all__ = ["excess", "rarity_of_repeats"]

#: Jeffreys' prior of a share
_PRIOR = 0.5


def excess(hits: int, of: int, other_hits: int, others: int) -> float:
    """Nats by which a share of its own, and a larger one, explains `hits` better than a common one.

    Null: the units of the group and the others hit with one probability, whatever it is.
    Assumption: units are independent; count organisations, not accounts of one. Source: the Bayes
    factor of a two-by-two table with Jeffreys' priors (Good, Annals of Statistics 4, 1976).

    Args:
        hits, of: units of the group that show the property, and all its units.
        other_hits, others: the same of the background.

    Returns:
        0 where the share is not larger than the others', or where there is nobody to compare with.
    """
    if not of or not others or hits * others <= other_hits * of:
        return 0.0
    apart = _marginal(hits, of) + _marginal(other_hits, others)
    together = _marginal(hits + other_hits, of + others)
    return max(0.0, apart - together)


def _marginal(hits: int, of: int) -> float:
    """Log probability of a sequence with `hits` hits, its share integrated out."""
    own = betaln(hits + _PRIOR, of - hits + _PRIOR)
    return float(own - betaln(_PRIOR, _PRIOR))


def rarity_of_repeats(seen: int, expected: float) -> float:
    """Nats by which "repeats are avoided" explains `seen` repeats better than chance.

    Null: repeats are Poisson with mean `expected`, as among independent draws (a birthday
    problem). Alternative: the mean is `expected` times a factor uniform on 0 to 1. Popular items
    make chance repeats more frequent than `expected`, which errs on the side of the null.

    Returns:
        Negative where repeats are as frequent as chance has them, or more.
    """
    if expected <= 0:
        return 0.0
    avoided = float(gammainc(seen + 1, expected))
    if avoided <= 0.0:
        return -math.inf
    chance = -expected + seen * math.log(expected) - float(gammaln(seen + 1))
    return math.log(avoided) - math.log(expected) - chance
