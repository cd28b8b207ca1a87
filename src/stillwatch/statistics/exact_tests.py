"""Exact upper tails of draws without replacement, as log10, down to where a p-value would vanish.

Each is the probability of at least `hits`; with a random generator it is the randomised (fuzzy)
p-value P(more) + U · P(as many), which is uniform under the null and not merely no smaller.
Arguments broadcast. Terms are added from the observed count away from the mode, each relative to
the first, so that nothing underflows; the error is that of log-gamma (1e-9 relative for counts of
thousands, 1e-6 for billions).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

__all__ = ["fisher_tail", "hypergeometric_tail"]

Floats = npt.NDArray[np.float64]
#: P(x + 1) / P(x) of counts `x` under their laws
Ratio = Callable[[Floats, tuple[Floats, ...]], Floats]


def hypergeometric_tail(
    hits: npt.ArrayLike,
    draws: npt.ArrayLike,
    marked: npt.ArrayLike,
    population: npt.ArrayLike,
    rng: np.random.Generator | None = None,
) -> Floats:
    """log10 of P(X ≥ hits), X the marked among `draws` without replacement.

    Null: those drawn were drawn without regard to the mark. Assumption: each draw is as likely as
    any other; count organisations, not accounts of one. Source: Fisher (1935).
    """
    x, n, k, m = np.broadcast_arrays(
        *(np.asarray(a, np.float64) for a in (hits, draws, marked, population))
    )
    if ((n < 0) | (k < 0) | (n > m) | (k > m)).any():
        raise ValueError("draws and marked lie between 0 and the population")
    low, high = np.maximum(0.0, n + k - m), np.minimum(n, k)

    def log_mass(v: Floats) -> Floats:
        inside = (v >= low) & (v <= high)
        v = np.where(inside, v, low)
        ways = _log_choose(k, v) + _log_choose(m - k, n - v) - _log_choose(m, n)
        out: Floats = np.where(inside, ways, -np.inf)
        return out

    mean = n * k / np.maximum(m, 1.0)
    return _upper(x, log_mass, _hypergeometric_ratio, (n, k, m), mean, (low, high), rng)


def fisher_tail(
    hits: npt.ArrayLike,
    of: npt.ArrayLike,
    other_hits: npt.ArrayLike,
    others: npt.ArrayLike,
    rng: np.random.Generator | None = None,
) -> Floats:
    """log10 p-value of Fisher's exact test that the share in a group is no larger than elsewhere.

    Null: units of the group and the others hit with one probability, whatever it is. Assumption:
    units are independent. Source: Fisher (1935); randomised it is uniformly most powerful unbiased.

    Args:
        hits, of: units of the group that show the property, and all its units.
        other_hits, others: the same of the background.
    """
    a, n, b, m = (np.asarray(v, np.float64) for v in (hits, of, other_hits, others))
    if ((a < 0) | (b < 0) | (a > n) | (b > m)).any():
        raise ValueError("hits lie between 0 and the number of units")
    return hypergeometric_tail(a, n, a + b, n + m, rng)


def _hypergeometric_ratio(x: Floats, law: tuple[Floats, ...]) -> Floats:
    n, k, m = law
    out: Floats = (k - x) / (x + 1) * ((n - x) / (m - k - n + x + 1))
    return out


def _log_choose(n: Floats, k: Floats) -> Floats:
    out: Floats = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return out


def _upper(
    x: Floats,
    log_mass: Callable[[Floats], Floats],
    ratio: Ratio,
    law: tuple[Floats, ...],
    mean: Floats,
    support: tuple[Floats, Floats],
    rng: np.random.Generator | None,
) -> Floats:
    """log10 of P(X ≥ x); with `rng` of P(X > x) + U · P(X = x)."""
    low, high = support
    if (x != np.floor(x)).any() or (high != np.floor(high)).any():
        raise ValueError("counts are whole numbers")
    start = x if rng is None else x + 1
    upper = start > mean
    first = np.clip(np.where(upper, start, start - 1), low, high)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        total = log_mass(first) + np.log(_away(first, upper, ratio, law))
        tail = np.where(upper, total, np.log1p(-np.exp(np.minimum(total, 0.0))))
    tail = np.where(start <= low, 0.0, np.where(start > high, -np.inf, np.minimum(tail, 0.0)))
    if rng is not None:
        tail = np.logaddexp(tail, np.log1p(-rng.random(x.shape)) + log_mass(x))
    out: Floats = np.minimum(tail, 0.0) / np.log(10)
    return out


def _away(
    first: Floats, upper: npt.NDArray[np.bool_], ratio: Ratio, law: tuple[Floats, ...]
) -> Floats:
    """Sum of all masses from `first` away from the mode, relative to that of `first`."""
    total = np.ones(first.size)
    left = np.arange(first.size)
    x, up, laws = first.ravel(), upper.ravel(), tuple(part.ravel() for part in law)
    term = np.ones(first.size)
    while len(left):
        factor = np.where(up, ratio(x, laws), 1 / ratio(x - 1, laws))
        term = term * np.nan_to_num(factor, nan=0.0, posinf=0.0)
        total[left] += term
        on = term > 1e-17 * total[left]
        left, up, term = left[on], up[on], term[on]
        x, laws = np.where(up, x[on] + 1, x[on] - 1), tuple(part[on] for part in laws)
    return total.reshape(first.shape)
