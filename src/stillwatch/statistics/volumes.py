"""How evenly is work spread over accounts? A load balancer against independent customers.

The number of exchanges an account sends is Poisson around a rate; rates are lognormal over
accounts with log-sd sigma. A pool that shares a queue has a small sigma (here: uniform on 0 to
0.8), independent customers a large one (uniform on 0.9 to 1.8; the client rates of ServeGen have
1.6 and more). :func:`balance` is the log of the Bayes factor between the two, the location
integrated out, for counts that were only seen where they reached `least`.
Null: sigma lies in the honest range. Assumption: accounts are independent given their rates.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln, logsumexp

__all__ = ["BALANCED", "INDEPENDENT", "balance", "log_spread"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

#: log-sd of rates, what a pool and what independent customers show
BALANCED = (0.0, 0.8)
INDEPENDENT = (0.9, 1.8)
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
    shares = []  # a term for each share that was looked at: these are few
    for share in np.unique(log_seen):
        values, times = np.unique(counts[log_seen == share], return_counts=True)
        shares.append((values, times, locations + share))
    even, uneven = (
        _evidence(sum(_log_likelihoods(*each, spread, least) for each in shares))
        for spread in (BALANCED, INDEPENDENT)
    )
    return even - uneven


def _evidence(scores: Floats | int) -> float:
    """Log marginal likelihood over a grid of locations and sigmas."""
    return float(logsumexp(scores)) - float(np.log(np.size(scores)))


def _log_likelihoods(
    values: Ints, times: Ints, locations: Floats, spread: tuple[float, float], least: int
) -> Floats:
    """Log likelihood of counts, each at least `least`, for sigmas in `spread`: sigma × location."""
    sigmas = np.linspace(*spread, 9)
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
