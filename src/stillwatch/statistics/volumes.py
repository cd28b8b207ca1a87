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
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(40)
_LOG_WEIGHTS = np.log(_WEIGHTS / _WEIGHTS.sum())


def balance(counts: Ints, *, least: int = 1) -> float:
    """Log Bayes factor (nats) of balanced against independent volumes; 0 where it cannot tell.

    Args:
        counts: exchanges an account, each >= `least`.
        least: accounts with fewer were not seen.
    """
    counts = np.asarray(counts, dtype=np.int64)
    if len(counts) < 3:
        return 0.0
    values, times = np.unique(counts, return_counts=True)
    centre = float(np.log(counts).mean())
    locations = centre + np.linspace(-1.5, 1.5, 31)
    return _evidence(values, times, locations, BALANCED, least) - _evidence(
        values, times, locations, INDEPENDENT, least
    )


def _evidence(
    values: Ints, times: Ints, locations: Floats, spread: tuple[float, float], least: int
) -> float:
    """Log marginal likelihood over a grid of locations and of sigmas in `spread`."""
    sigmas = np.linspace(*spread, 9)
    log_rate = locations[:, None] + sigmas[:, None, None] * _NODES  # sigma, location, node
    seen = _log_pmf(values, log_rate)
    unseen = np.exp(_log_pmf(np.arange(least, dtype=np.int64), log_rate)).sum(axis=0)
    scores = np.tensordot(times, seen - np.log(np.maximum(1e-12, 1 - unseen)), axes=1)
    return float(logsumexp(scores)) - float(np.log(scores.size))


def _log_pmf(values: Ints, log_rate: Floats) -> Floats:
    """Poisson-lognormal log probabilities by Gauss-Hermite: value × sigma × location."""
    n = values.reshape(-1, 1, 1, 1).astype(np.float64)
    joint = n * log_rate - np.exp(log_rate) - gammaln(n + 1) + _LOG_WEIGHTS
    top = joint.max(axis=-1, keepdims=True, initial=-np.inf)
    out: Floats = np.log(np.exp(joint - top).sum(axis=-1)) + top[..., 0]
    return out


def log_spread(counts: Ints) -> float:
    """Log-sd of the rates behind Poisson `counts`, by moments; 0 where noise explains them."""
    counts = np.asarray(counts, dtype=np.float64)
    mean = counts.mean()
    excess = counts.var(ddof=1) - mean if len(counts) > 1 else 0.0
    return float(np.sqrt(np.log1p(max(0.0, excess) / mean**2)))
