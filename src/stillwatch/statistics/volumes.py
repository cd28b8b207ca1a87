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
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.special import gammaln, logsumexp

__all__ = ["BALANCED", "INDEPENDENT", "LEAST_SPREAD", "balance", "balance_e_value", "log_spread"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

#: log-sd of rates, what a pool and what independent customers show
BALANCED = (0.0, 0.8)
INDEPENDENT = (0.9, 1.8)
#: the smallest log-sd that independent customers have, for :func:`balance_e_value`; those that are
#: looked at first: the largest explains even volumes worse than all before it
LEAST_SPREAD = 0.9
_SPREADS = (LEAST_SPREAD, 1.0, 1.2, 1.5, 2.0, 2.6)
#: nats below its maximum where a likelihood adds nothing to an integral, and the step of the
#: integral in standard deviations of the peak
_NOTHING, _STEP = 30.0, 0.5
#: counts from which on the logarithm of a Poisson count is taken for normal around its rate's
_MANY = 30
#: a grid in standard deviations of the log-rate, fine enough for a Poisson count below that
_NODES = np.linspace(-5.0, 5.0, 121)
_LOG_WEIGHTS = -0.5 * _NODES**2 - logsumexp(-0.5 * _NODES**2)


def balance(counts: Ints, seen: Floats | None = None, *, least: int = 1) -> float:
    """Log Bayes factor (nats) of balanced against independent volumes; 0 where it cannot tell.

    Args:
        counts: exchanges an account, each >= `least`.
        seen: the share of each account's exchanges that was looked at, 1 where None is given.
        least: accounts with fewer were not seen.
    """
    counts = np.asarray(counts, dtype=np.int64)
    if len(counts) < 3:
        return 0.0
    log_seen = np.zeros(len(counts)) if seen is None else np.log(seen)
    # far below the mean as well: of small volumes only the upper tail reaches `least`
    locations = float((np.log(counts) - log_seen).mean()) + np.linspace(-5.0, 2.0, 57)
    even, uneven = (
        _evidence(_totals(counts, log_seen, locations, np.linspace(*spread, 9), least))
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
    counts = np.asarray(counts, dtype=np.int64)
    if len(counts) < 4:
        return 0.0
    log_seen = np.zeros(len(counts)) if seen is None else np.log(seen)

    def evidence(sigma: float) -> float:
        return _without_level(counts, log_seen, sigma, least)

    balanced = np.array([evidence(sigma) for sigma in np.linspace(*BALANCED, 9)])
    spreads = np.array(_SPREADS)
    found = [evidence(sigma) for sigma in spreads]
    best = int(np.argmax(found))
    around = (spreads[max(0, best - 1)], spreads[min(len(spreads) - 1, best + 1)])
    closer = minimize_scalar(lambda sigma: -evidence(sigma), bounds=around, method="bounded")
    most = max(found[best], -float(closer.fun))
    return float(logsumexp(balanced) - np.log(len(balanced))) - most


def _without_level(counts: Ints, log_seen: Floats, sigma: float, least: int) -> float:
    """Log of the likelihood's integral over all levels; the grid is finer than its peak."""
    sigmas = np.array([sigma])
    centre = float((np.log(counts) - log_seen).mean())
    coarse = centre + np.linspace(-8.0, 3.0, 89)
    rough = _totals(counts, log_seen, coarse, sigmas, least)[0]
    matters = np.flatnonzero(rough >= rough.max() - _NOTHING)
    low, high = coarse[max(0, matters[0] - 1)], coarse[min(len(coarse) - 1, matters[-1] + 1)]
    width = 1 / np.sqrt(np.sum(1 / (sigma**2 + 1 / counts)))
    levels = np.linspace(low, high, int(np.ceil((high - low) / (_STEP * width))) + 2)
    fine = _totals(counts, log_seen, levels, sigmas, least)[0]
    return float(logsumexp(fine) + np.log(levels[1] - levels[0]))


def _totals(
    counts: Ints, log_seen: Floats, locations: Floats, sigmas: Floats, least: int
) -> Floats:
    """Log likelihood of all counts: sigma × location; a term for each share that was looked at."""
    total = np.zeros((len(sigmas), len(locations)))
    for share in np.unique(log_seen):
        values, times = np.unique(counts[log_seen == share], return_counts=True)
        total = total + _log_likelihoods(values, times, locations + share, sigmas, least)
    return total


def _evidence(scores: Floats) -> float:
    """Log marginal likelihood over a grid of locations and sigmas."""
    return float(logsumexp(scores)) - float(np.log(np.size(scores)))


def _log_likelihoods(
    values: Ints, times: Ints, locations: Floats, sigmas: Floats, least: int
) -> Floats:
    """Log likelihood of counts, each at least `least`: sigma × location."""
    many = values >= _MANY
    seen = np.concatenate(
        [
            _log_pmf(values[~many], locations, sigmas),
            _log_density(values[many], locations, sigmas),
        ]
    )
    unseen = np.exp(_log_pmf(np.arange(least, dtype=np.int64), locations, sigmas)).sum(axis=0)
    likelihoods: Floats = np.tensordot(
        np.concatenate([times[~many], times[many]]),
        seen - np.log(np.maximum(1e-12, 1 - unseen)),
        axes=1,
    )
    return likelihoods


def _log_pmf(values: Ints, locations: Floats, sigmas: Floats) -> Floats:
    """Poisson-lognormal log probabilities: value × sigma × location."""
    log_rate = locations[:, None] + sigmas[:, None, None] * _NODES  # sigma, location, node
    n = values.reshape(-1, 1, 1, 1).astype(np.float64)
    joint = n * log_rate - np.exp(log_rate) - gammaln(n + 1) + _LOG_WEIGHTS
    top = joint.max(axis=-1, keepdims=True, initial=-np.inf)
    out: Floats = np.log(np.exp(joint - top).sum(axis=-1)) + top[..., 0]
    return out


def _log_density(values: Ints, locations: Floats, sigmas: Floats) -> Floats:
    """The same for large values: their logarithm is normal, with the Poisson noise added."""
    n = values.reshape(-1, 1, 1).astype(np.float64)
    variance = sigmas[:, None] ** 2 + 1 / n
    out: Floats = (
        -0.5 * (np.log(n) - locations) ** 2 / variance
        - 0.5 * np.log(2 * np.pi * variance)
        - np.log(n)
    )
    return out


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
