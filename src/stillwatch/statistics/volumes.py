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
from scipy.special import gammaln, logsumexp

__all__ = ["BALANCED", "INDEPENDENT", "LEAST_SPREAD", "balance", "balance_e_value", "log_spread"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

#: log-sd of rates, what a pool and what independent customers show
BALANCED = (0.0, 0.8)
INDEPENDENT = (0.9, 1.8)
#: the smallest log-sd that independent customers have, for :func:`balance_e_value`, and the largest
#: that is looked at: larger ones explain even volumes worse still
LEAST_SPREAD, _MOST_SPREAD = 0.9, 2.6
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


def balance_e_value(
    counts: Ints, fold: Ints, seen: Floats | None = None, *, least: int = 1
) -> float:
    """Nats for balanced volumes, the log of an e-value; 0 where there is too little to tell.

    The accounts of one fold say what a balanced rate and spread are (their posterior under
    :data:`BALANCED`); that is tested on all others against the independent customers who explain
    those best, whatever their rate and their log-sd from :data:`LEAST_SPREAD` on. Each fold
    teaches once, and the e-values are averaged. Five folds lose less than two: little must be
    learned, and what is learned from is not tested.
    Null: rates are lognormal with a log-sd of at least :data:`LEAST_SPREAD`. Assumption: accounts
    are independent given their rates, and folds do not depend on volumes. Source: universal
    inference (Wasserman, Ramdas and Balakrishnan, PNAS 117, 2020).

    Args:
        counts: exchanges an account, each >= `least`.
        fold: the fold of each account, by a keyed hash of its name.
        seen, least: as in :func:`balance`.
    """
    counts = np.asarray(counts, dtype=np.int64)
    log_seen = np.zeros(len(counts)) if seen is None else np.log(seen)
    folds = np.unique(fold)
    if len(counts) < 4 or len(folds) < 2:
        return 0.0
    centre = float((np.log(counts) - log_seen).mean())
    sigmas = np.linspace(*BALANCED, 9)
    locations = centre + np.linspace(-5.0, 2.0, 113)
    learned = [
        _totals(counts[of], log_seen[of], locations, sigmas, least) for of in fold == folds[:, None]
    ]
    together = float(logsumexp(np.sum(learned, axis=0)))
    ratios = []
    for own, taught in zip(folds, learned, strict=True):
        tested = fold != own
        best = _best(counts[tested], log_seen[tested], centre, least)
        ratios.append(together - float(logsumexp(taught)) - best)
    return float(logsumexp(ratios) - np.log(len(ratios)))


def _best(counts: Ints, log_seen: Floats, centre: float, least: int) -> float:
    """The log likelihood of the independent customers who explain `counts` best."""
    locations = centre + np.linspace(-7.0, 3.0, 41)
    sigmas = np.linspace(LEAST_SPREAD, _MOST_SPREAD, 9)
    best = -np.inf
    for _ in range(5):  # closer in, until the grid is far finer than the maximum is wide
        found = _totals(counts, log_seen, locations, sigmas, least)
        best = max(best, float(found.max()))
        i, j = np.unravel_index(int(found.argmax()), found.shape)
        step = (sigmas[1] - sigmas[0], locations[1] - locations[0])
        low = max(LEAST_SPREAD, sigmas[i] - step[0])
        sigmas = np.linspace(low, sigmas[i] + step[0], 7)
        locations = np.linspace(locations[j] - step[1], locations[j] + step[1], 7)
    return best


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
