"""Upper tails of sums, as log10, for any number of terms and far beyond what a float can hold.

Near the centre scipy is accurate and is asked. Where it has underflowed, the tail is the mass or
density at the observed value times a continued fraction, which converges there within some dozens
of steps. Masses and densities are in Loader's saddle-point form (Fast and accurate computation of
binomial probabilities, 2000): no difference of huge log-gammas, so that 10^8 terms cost no digits.
Arguments broadcast.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import betainc, betaincc, gammainc, gammaincc, gammaln, xlog1py, xlogy

__all__ = ["binomial_tail", "gamma_tail"]

Floats = npt.NDArray[np.float64]

_LN10 = np.log(10)
#: below this probability scipy is not asked: its own result nears the smallest float
_FAINT = 1e-250
_STEPS = 10_000


def gamma_tail(total: npt.ArrayLike, of: npt.ArrayLike) -> Floats:
    """log10 of P(S ≥ total), S the sum of `of` exponential scores of mean 1: Gamma(of, 1).

    Null: each score is -ln of a uniform number. Assumption: scores are independent. Exact. The
    survival function is the regularised incomplete gamma function Q(of, total); where it is
    faint, by Legendre's continued fraction (DLMF 8.9.2). Of no scores the sum is 0.

    Raises:
        ValueError: a number of scores that is none, a total that is not a number.
    """
    x, n = np.broadcast_arrays(np.asarray(total, np.float64), np.asarray(of, np.float64))
    if (n < 0).any() or (n != np.floor(n)).any():
        raise ValueError("the number of scores is a whole number, and not negative")
    if np.isnan(x).any():
        raise ValueError("a total is a number")
    out = np.where(x <= 0, 0.0, -np.inf)
    counted = (x > 0) & (n > 0) & np.isfinite(x)
    out[counted] = _gamma(x[counted], n[counted])
    return _base_ten(out)


def binomial_tail(
    hits: npt.ArrayLike,
    of: npt.ArrayLike,
    share: npt.ArrayLike,
    rng: np.random.Generator | None = None,
    *,
    mid: bool = False,
) -> Floats:
    """log10 of P(X ≥ hits), X binomial.

    Null: each of `of` tries hits with probability of at most `share`. Assumption: tries are
    independent. Source: the exact binomial test (Clopper and Pearson, 1934). With a generator the
    randomised p-value P(X > hits) + U · P(X = hits), which is uniform under the null (Geyer and
    Meeden, Statistical Science 20, 2005); with `mid` the mid-p value P(X > hits) + P(X = hits) / 2
    (Lancaster, JASA 56, 1961), which is nearly so, has mean 1/2, and is no longer a bound.

    Raises:
        ValueError: a share that is none, a count that is none, both kinds of p-value at once.
    """
    x, n, p = np.broadcast_arrays(*(np.asarray(a, np.float64) for a in (hits, of, share)))
    if not ((p >= 0) & (p <= 1) & (n >= 0)).all():
        raise ValueError("a share lies between 0 and 1, and nobody tries less than never")
    if (x != np.floor(x)).any() or (n != np.floor(n)).any():
        raise ValueError("counts are whole numbers")
    if mid and rng is not None:
        raise ValueError("a p-value is randomised or mid-p, not both")
    if rng is None and not mid:
        return _base_ten(_binomial(x, n, p))
    part = np.full(x.shape, 0.5) if rng is None else 1 - rng.random(x.shape)
    with np.errstate(divide="ignore"):
        fuzzy = np.logaddexp(_binomial(x + 1, n, p), np.log(part) + _log_mass(x, n, p))
    return _base_ten(fuzzy)


def _base_ten(log: Floats) -> Floats:
    """log10 of a probability from its natural logarithm, whose rounding may have passed 0."""
    out: Floats = np.minimum(log, 0.0) / _LN10
    return out


def _gamma(x: Floats, n: Floats) -> Floats:
    """ln Q(n, x) for n ≥ 1 and x > 0."""
    with np.errstate(divide="ignore"):
        out: Floats = np.log(gammaincc(n, x))
    near = out > -0.5
    out[near] = np.log1p(-gammainc(n[near], x[near]))
    faint = out < np.log(_FAINT)
    x, n = x[faint], n[faint]
    if len(x):
        density = np.log(n) - _stirling(n) - _deviance(n, x) - 0.5 * np.log(2 * np.pi * n)
        out[faint] = density + np.log(_gamma_fraction(x, n))
    return out


def _gamma_fraction(x: Floats, n: Floats) -> Floats:
    """1/(x+1-n- 1(1-n)/(x+3-n- 2(2-n)/(x+5-n- …))) by Lentz's method."""
    below = x + 1 - n
    d = 1 / below
    value, c = d.copy(), np.full(len(x), np.inf)
    for i in range(1, _STEPS):
        numerator, below = -i * (i - n), below + 2
        d = 1 / (below + numerator * d)
        c = below + numerator / c
        step = c * d
        value = value * step
        if (np.abs(step - 1) < 1e-15).all():
            break
    return value


def _binomial(x: Floats, n: Floats, p: Floats) -> Floats:
    """ln P(X ≥ x)."""
    out = np.where(x <= 0, 0.0, -np.inf)
    inside = (x > 0) & (x <= n) & (p > 0)
    x, n, p = x[inside], n[inside], p[inside]
    with np.errstate(divide="ignore"):
        tail = np.log(betainc(x, n - x + 1, p))
    near = tail > -0.5
    tail[near] = np.log1p(-betaincc(x[near], n[near] - x[near] + 1, p[near]))
    faint = (tail < np.log(_FAINT)) & (x > n * p)
    if faint.any():
        x, n, p = x[faint], n[faint], p[faint]
        tail[faint] = _log_mass(x, n, p) + np.log(_later_masses(x, n, p))
    out[inside] = tail
    return out


def _later_masses(x: Floats, n: Floats, p: Floats) -> Floats:
    """P(X ≥ x) / P(X = x) above the mean, by the continued fraction of DLMF 8.17.22."""
    a, b = x, n - x + 1
    c, d = np.ones(len(x)), 1 / (1 - (a + b) * p / (a + 1))
    value = d.copy()
    for m in range(1, _STEPS):
        even = m * (b - m) * p / ((a + 2 * m - 1) * (a + 2 * m))
        d, c = 1 / (1 + even * d), 1 + even / c
        value = value * (c * d)
        odd = -(a + m) * (a + b + m) * p / ((a + 2 * m) * (a + 2 * m + 1))
        d, c = 1 / (1 + odd * d), 1 + odd / c
        step = c * d
        value = value * step
        if (np.abs(step - 1) < 1e-15).all():
            break
    return value * (1 - p)


def _log_mass(x: Floats, n: Floats, p: Floats) -> Floats:
    """ln P(X = x), X binomial; -inf where it cannot be."""
    q = 1 - p
    out = np.where((x == 0) & (n >= 0), xlog1py(n, -p), -np.inf)
    out = np.where((x == n) & (n > 0), xlogy(n, p), out)
    inside = (x > 0) & (x < n) & (p > 0) & (p < 1)
    x, n, p, q = x[inside], n[inside], p[inside], q[inside]
    away = _deviance(x, n * p) + _deviance(n - x, n * q)
    corrections = _stirling(n) - _stirling(x) - _stirling(n - x)
    out[inside] = corrections - away + 0.5 * np.log(n / (2 * np.pi * x * (n - x)))
    return out


def _stirling(n: Floats) -> Floats:
    """ln n! minus Stirling's ln √(2πn) (n/e)^n, for n ≥ 1."""
    square = n * n
    inner = 1 / 1260 - (1 / 1680 - 1 / 1188 / square) / square
    series = 1 / 12 - (1 / 360 - inner / square) / square
    small = gammaln(n + 1) - (n + 0.5) * np.log(n) + n - 0.5 * np.log(2 * np.pi)
    return np.where(n < 16, small, series / n)


def _deviance(x: Floats, mean: Floats) -> Floats:
    """x ln(x / mean) + mean - x, with no digits lost where the two are close; x > 0."""
    apart = (x - mean) / mean
    out: Floats = np.where(
        np.abs(apart) < 0.5, x * np.log1p(apart) - (x - mean), xlogy(x, x / mean) + mean - x
    )
    return out
