"""Scores of choices that fell at random: the exact upper tail of their sum.

Of each choice one option is the favourite, all equally likely; each option has a whole-numbered
score. The tail is that of a sum of unlike discrete laws, by convolution of masses that were tilted
so that what was observed is expected (Esscher, 1932), as in :mod:`.choices`: only positive terms
are added, and the faintest tail keeps its digits.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy

__all__ = ["scored_tails"]

Floats = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]

#: steps of the lattice between the least and the highest sum
_MOST = 20_000_000
#: nats of the least likely outcome, up to which its probability keeps all digits of a float
_FAINTEST = 690.0
#: standard deviations below a tilted mean at which masses still keep their digits
_SERVED = 20.0
#: at this tilt even a step of one is taken surely, as far as floats tell
_STEEPEST = 60.0


def scored_tails(
    totals: npt.ArrayLike,
    scores: Int64s,
    options: Int64s,
    rng: np.random.Generator | None = None,
) -> Floats:
    """log10 of P(S ≥ total), S the sum over choices of the score of an option drawn at random.

    Null: of each choice every option is drawn with the same probability, whatever the scores are.
    Assumption: choices are independent. Exact. With a generator the randomised p-value
    P(S > total) + U · P(S = total), which is uniform under the null (Geyer and Meeden, Statistical
    Science 20, 2005).

    Args:
        totals: whole numbers, any shape.
        scores: int64 [n, most]; of a row its first `options` count.
        options: int64 [n], each at least 1.

    Raises:
        ValueError: rows without options, totals that are no whole numbers, or sums that spread
            over more than 20 million values.
    """
    wanted = np.asarray(totals)
    if not np.issubdtype(wanted.dtype, np.integer):
        raise ValueError("totals are whole numbers")
    values, least = _moved(scores, options)
    high = int(values.max(axis=1, initial=0).sum())
    if high > _MOST:
        raise ValueError(f"sums spread over at most {_MOST:,} values")
    known, place = np.unique(wanted.ravel() - least, return_inverse=True)
    tails = np.empty((len(known), 2))
    left = len(known)
    while left:
        first, found = _near(known[:left], values, options, high)
        tails[first:left] = found
        left = first
    out: Floats = tails[place, 0].reshape(wanted.shape)
    if rng is not None:
        out = _fuzzy(out, tails[place, 1].reshape(wanted.shape), rng)
    return np.asarray(np.minimum(out, 0.0) / np.log(10), np.float64)


def _moved(scores: Int64s, options: Int64s) -> tuple[Int64s, int]:
    """Scores from 0 in each row, 0 beyond its options; and what was taken off in all."""
    if scores.ndim != 2 or options.shape != scores.shape[:1]:
        raise ValueError("scores are [n, most], options [n]")
    if len(options) and not ((options >= 1) & (options <= scores.shape[1])).all():
        raise ValueError("each choice has an option, and no more than there are columns")
    there = np.arange(scores.shape[1]) < options[:, None]
    lowest = np.where(there, scores, np.iinfo(np.int64).max).min(axis=1, initial=2**62)
    return np.where(there, scores - lowest[:, None], 0), int(lowest.sum())


def _near(totals: Int64s, values: Int64s, options: Int64s, high: int) -> tuple[int, Floats]:
    """ln P(S ≥ total) and ln P(S = total) of the last of these ascending totals, as many as one
    tilt serves, [.., 2]; and the place of the first of them."""
    there = np.arange(values.shape[1]) < options[:, None]
    # where no outcome is too faint for a float, none has to be raised
    faint = float(np.log(options).sum()) > _FAINTEST
    tilt = _tilt(int(totals[-1]), values, there) if faint else 0.0
    raised = np.where(there, tilt * values, -np.inf)
    norms = np.logaddexp.reduce(raised, axis=1)
    shares = np.exp(raised - norms[:, None])
    means = (shares * values).sum(axis=1)
    spread = float(np.sqrt((shares * (values - means[:, None]) ** 2).sum()))
    masses = _convolved(values, shares, there, high)
    above = float((norms - np.log(options)).sum())
    served = min(float(totals[-1]), means.sum()) - _SERVED * spread
    at = int(np.searchsorted(totals, served)) if faint else 0
    some = totals[at:]
    tail = np.empty((len(some), 2))
    sums = np.arange(high + 1)
    for row, total in zip(tail, some.tolist(), strict=True):
        if not 0 <= total <= high:
            row[:] = (-np.inf if total > high else 0.0), -np.inf
            continue
        weights = masses[total:] * np.exp(-tilt * (sums[total:] - total))
        with np.errstate(divide="ignore"):
            row[:] = above - tilt * total + np.log([weights.sum(), weights[0]])
    return at, tail


def _convolved(values: Int64s, shares: Floats, there: npt.NDArray[np.bool_], high: int) -> Floats:
    masses, reach = np.zeros(high + 1), 0
    masses[0] = 1.0
    for row, chances, counted in zip(values, shares, there, strict=True):
        longer = np.zeros(reach + int(row.max(initial=0)) + 1)
        for value, chance in zip(row[counted].tolist(), chances[counted].tolist(), strict=True):
            longer[value : value + reach + 1] += chance * masses[: reach + 1]
        reach = len(longer) - 1
        masses[: reach + 1] = longer
    return masses


def _tilt(total: int, values: Int64s, there: npt.NDArray[np.bool_]) -> float:
    """The t ≥ 0 under which the sum has this mean, as near as floats reach."""

    def miss(tilt: float) -> float:
        raised = np.where(there, tilt * values, -np.inf)
        shares = np.exp(raised - raised.max(axis=1, keepdims=True, initial=-np.inf))
        shares /= shares.sum(axis=1, keepdims=True)
        return float((shares * values).sum()) - total

    if not len(values) or miss(0.0) >= 0:
        return 0.0
    return _STEEPEST if miss(_STEEPEST) <= 0 else float(scipy.optimize.brentq(miss, 0.0, _STEEPEST))


def _fuzzy(tail: Floats, mass: Floats, rng: np.random.Generator) -> Floats:
    possible = np.isfinite(tail)
    part = np.exp(np.where(possible, mass, -np.inf) - np.where(possible, tail, 0.0))
    with np.errstate(divide="ignore"):
        return np.asarray(tail + np.log1p(-np.minimum(rng.random(tail.shape) * part, 1.0)))
