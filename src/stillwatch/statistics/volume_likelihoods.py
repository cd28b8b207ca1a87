"""Likelihoods of the volumes of accounts, for the tests that compare them.

The number of exchanges an account sends is Poisson around a rate, and rates are lognormal: a level
(the mean log-rate) and a log-sd sigma, both in natural logarithms. A count is only seen where it
reaches `least`, and every likelihood is conditioned on that. Of an account of which a share was
looked at the level is lower by the logarithm of that share.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln, log_ndtr, logsumexp

__all__ = ["Floats", "Ints", "log_conditional", "logs_of_seen", "totals", "without_level"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

#: nats below its maximum where a likelihood adds nothing to an integral, and the step of the
#: integral in standard deviations of the peak
_NOTHING, _STEP = 30.0, 0.5
#: counts from which on the logarithm of a Poisson count is taken for normal around its rate's
_MANY = 30
#: a grid in standard deviations of the log-rate, fine enough for a Poisson count below that
_NODES = np.linspace(-5.0, 5.0, 121)
_TINY = np.finfo(np.float64).tiny
_LOG_WEIGHTS = -0.5 * _NODES**2 - logsumexp(-0.5 * _NODES**2)


def logs_of_seen(counts: Ints, seen: Floats | None) -> tuple[Ints, Floats]:
    """Counts, and the logs of the shares that were looked at: 0 where nothing says otherwise."""
    counts = np.asarray(counts, dtype=np.int64)
    return counts, np.zeros(len(counts)) if seen is None else np.log(seen)


def without_level(counts: Ints, log_seen: Floats, sigma: float, least: int) -> float:
    """Log of the likelihood's integral over all levels; the grid is finer than its peak."""
    sigmas = np.array([sigma])
    centre = float((np.log(counts) - log_seen).mean())
    coarse = centre + np.linspace(-8.0, 3.0, 89)
    rough = totals(counts, log_seen, coarse, sigmas, least)[0]
    matters = np.flatnonzero(rough >= rough.max() - _NOTHING)
    low, high = coarse[max(0, matters[0] - 1)], coarse[min(len(coarse) - 1, matters[-1] + 1)]
    width = 1 / np.sqrt(np.sum(1 / (sigma**2 + 1 / counts)))
    levels = np.linspace(low, high, int(np.ceil((high - low) / (_STEP * width))) + 2)
    fine = totals(counts, log_seen, levels, sigmas, least)[0]
    return float(logsumexp(fine) + np.log(levels[1] - levels[0]))


def totals(counts: Ints, log_seen: Floats, locations: Floats, sigmas: Floats, least: int) -> Floats:
    """Log likelihood of all counts: sigma × location; a term for each share that was looked at."""
    total = np.zeros((len(sigmas), len(locations)))
    for share in np.unique(log_seen):
        values, times = np.unique(counts[log_seen == share], return_counts=True)
        each = log_conditional(values, locations + share, sigmas, least)
        total = total + np.tensordot(times, each, axes=1)
    return total


def log_conditional(values: Ints, locations: Floats, sigmas: Floats, least: int) -> Floats:
    """Log likelihood of counts that reach `least`, in rising order: value × sigma × location."""
    few, many = values[values < _MANY], values[values >= _MANY]
    seen = np.concatenate([_log_pmf(few, locations, sigmas), _log_density(many, locations, sigmas)])
    likelihoods: Floats = seen - _log_reaching(least, locations, sigmas)
    return likelihoods


def _log_reaching(least: int, locations: Floats, sigmas: Floats) -> Floats:
    """Log probability that a count reaches `least`: sigma × location.

    Of many with the normal approximation that their densities have: the grid ends at five standard
    deviations, and a density without its tail would look like evidence.
    """
    if least >= _MANY:
        spread = np.sqrt(sigmas[:, None] ** 2 + 1 / least)
        return np.asarray(log_ndtr((locations - np.log(least - 0.5)) / spread))
    unseen = np.exp(_log_pmf(np.arange(least, dtype=np.int64), locations, sigmas)).sum(axis=0)
    return np.asarray(np.log(np.maximum(1e-12, 1 - unseen)))


def _log_pmf(values: Ints, locations: Floats, sigmas: Floats) -> Floats:
    """Poisson-lognormal log probabilities: value × sigma × location.

    The sum over nodes is a product of matrices: what depends on value and node, times what depends
    on node and location. Where it vanishes (1e-300) the value does not belong to the location.
    """
    n = values.reshape(-1, 1).astype(np.float64)
    out: Floats = np.empty((len(values), len(sigmas), len(locations)))
    for i, sigma in enumerate(sigmas.tolist()):
        of_value = n * sigma * _NODES + _LOG_WEIGHTS
        of_location = -np.exp(sigma * _NODES[:, None] + locations)
        most = of_value.max(axis=1, keepdims=True, initial=-np.inf)
        largest = of_location.max(axis=0)
        sums = np.exp(of_value - most) @ np.exp(of_location - largest)
        out[:, i] = n * locations - gammaln(n + 1) + most + largest + np.log(sums + _TINY)
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
