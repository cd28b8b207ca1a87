"""How evenly is work spread over accounts? A load balancer against independent customers.

The number of exchanges an account sends is Poisson around a rate; rates are lognormal over
accounts with log-sd sigma. A pool that shares a queue has a small sigma (here: uniform on 0 to
0.8), independent customers a large one (uniform on 0.9 to 1.8; the client rates of ServeGen have
1.6 and more). :func:`balance` is the log of the Bayes factor between the two, the location
integrated out, for counts that were only seen where they reached `least`.
Null: sigma lies in the honest range. Assumption: accounts are independent given their rates.
:func:`balance_e_value` asks the same with a promise: its null is every sigma from
:data:`LEAST_SPREAD` on, at its most favourable, and not an average over a range.
"""

from __future__ import annotations

import numpy as np
import scipy
from scipy.special import logsumexp

from stillwatch.statistics.volume_likelihoods import (
    Floats,
    Ints,
    logs_of_seen,
    totals,
    without_level,
)

__all__ = ["BALANCED", "INDEPENDENT", "LEAST_SPREAD", "balance", "balance_e_value", "log_spread"]

#: log-sd of rates, what a pool and what independent customers show
BALANCED = (0.0, 0.8)
INDEPENDENT = (0.9, 1.8)
#: the smallest log-sd that independent customers have, for :func:`balance_e_value`; those that are
#: looked at first: the largest explains even volumes worse than all before it
LEAST_SPREAD = 0.9
_SPREADS = (LEAST_SPREAD, 1.0, 1.2, 1.5, 2.0, 2.6)


def balance(counts: Ints, seen: Floats | None = None, *, least: int = 1) -> float:
    """Log Bayes factor (nats) of balanced against independent volumes; 0 where it cannot tell.

    Args:
        counts: exchanges an account, each >= `least`.
        seen: the share of each account's exchanges that was looked at, 1 where None is given.
        least: accounts with fewer were not seen.
    """
    counts, log_seen = logs_of_seen(counts, seen)
    if len(counts) < 3:
        return 0.0
    # far below the mean as well: of small volumes only the upper tail reaches `least`
    locations = float((np.log(counts) - log_seen).mean()) + np.linspace(-5.0, 2.0, 57)
    even, uneven = (
        _evidence(totals(counts, log_seen, locations, np.linspace(*spread, 9), least))
        for spread in (BALANCED, INDEPENDENT)
    )
    return even - uneven


def balance_e_value(counts: Ints, seen: Floats | None = None, *, least: int = 1) -> float:
    """Nats for balanced volumes, the log of an e-value; 0 where there are too few to tell.

    How much everybody sends says nothing, only how much the accounts differ does: the common rate
    is integrated out over its invariant (flat) measure on both sides, which leaves the likelihood
    ratio of what does not depend on it. Above stands the average over log-sds in
    :data:`BALANCED`, below the log-sd from :data:`LEAST_SPREAD` on that explains the counts best.
    Null: rates are lognormal with a log-sd of at least :data:`LEAST_SPREAD`, at any level.
    Assumption: accounts are independent given their rates. Exact where counts are large; where
    Poisson noise matters the mean of the e-value was measured to stay at 1 or below (the tests).
    Source: Pérez-Ortiz, Lardy, de Heide and Grünwald, "E-statistics, group invariance and anytime
    valid testing" (Annals of Statistics 52, 2024).

    Args:
        counts: exchanges an account, each >= `least`.
        seen, least: as in :func:`balance`.
    """
    counts, log_seen = logs_of_seen(counts, seen)
    if len(counts) < 4:
        return 0.0
    above = balanced_evidence(counts, log_seen, least)
    return above - _independent_evidence(counts, log_seen, least)


def balanced_evidence(counts: Ints, log_seen: Floats, least: int) -> float:
    """Log likelihood of counts of one queue: a level of any height, log-sds in `BALANCED`."""
    spreads = np.linspace(*BALANCED, 9)
    found = [without_level(counts, log_seen, sigma, least) for sigma in spreads]
    return float(logsumexp(found) - np.log(len(found)))


def _independent_evidence(counts: Ints, log_seen: Floats, least: int) -> float:
    """The same of independent customers with the log-sd that explains their counts best."""

    def evidence(sigma: float) -> float:
        return without_level(counts, log_seen, sigma, least)

    spreads = np.array(_SPREADS)
    found = [evidence(sigma) for sigma in spreads]
    best = int(np.argmax(found))
    around = (spreads[max(0, best - 1)], spreads[min(len(spreads) - 1, best + 1)])
    closer = scipy.optimize.minimize_scalar(
        lambda sigma: -evidence(sigma), bounds=around, method="bounded"
    )
    return max(found[best], -float(closer.fun))


def _evidence(scores: Floats) -> float:
    """Log marginal likelihood over a grid of locations and sigmas."""
    return float(logsumexp(scores)) - float(np.log(np.size(scores)))


def log_spread(counts: Ints, seen: Floats | None = None) -> float:
    """Log-sd of the rates behind Poisson `counts`, by moments; 0 where noise explains them.

    `seen` as in :func:`balance`.
    """
    share = np.ones(len(counts)) if seen is None else seen
    rates = np.asarray(counts, dtype=np.float64) / share
    mean = rates.mean()
    noise = float((rates / share).mean())
    excess = rates.var(ddof=1) - noise if len(rates) > 1 else 0.0
    return float(np.sqrt(np.log1p(max(0.0, excess) / mean**2)))
