"""Upper tails of sums of whole-numbered scores, as log10, by exponential tilting and one FFT each.

The score is tilted so that the observed total becomes what is expected (Esscher, 1932); near it the
masses of the sum are the inverse transform of the n-th power of a characteristic function, on as
many points as 40 standard deviations hold. What folds over from beyond is below e^-150 of what is
kept, so the tail is exact to rounding (1e-8 relative for 10^7 scores), however faint.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["lattice_tail"]

Floats = npt.NDArray[np.float64]

_WIDTH = 40
#: standard deviations on either side of a tilted mean in which masses keep their digits
_SERVED = 3
#: and by what power of e the tail may change within them
_STEEPEST = 600


def lattice_tail(
    total: npt.ArrayLike,
    of: npt.ArrayLike,
    masses: npt.ArrayLike,
    rng: np.random.Generator | None = None,
) -> Floats:
    """log10 of P(S ≥ total), S the sum of `of` scores that are 0, 1, 2 … with these probabilities.

    Null: each score has this law. Assumption: scores are independent. With a generator the
    randomised p-value P(S > total) + U · P(S = total), which is uniform under the null (Geyer and
    Meeden, Statistical Science 20, 2005). Totals and numbers of scores broadcast.

    Raises:
        ValueError: masses that are no probabilities of at least two values, counts that are none.
    """
    law = np.asarray(masses, np.float64)
    if law.ndim != 1 or len(law) < 2 or not (law >= 0).all() or not np.isclose(law.sum(), 1):
        raise ValueError("masses are probabilities of 0, 1, 2 … and add up to 1")
    x, n = np.broadcast_arrays(np.asarray(total, np.float64), np.asarray(of, np.float64))
    if (x != np.floor(x)).any() or (n != np.floor(n)).any() or (n < 0).any():
        raise ValueError("totals and numbers of scores are whole numbers, the latter not negative")
    flat = np.stack([n.ravel(), x.ravel()])
    known, place = np.unique(flat, axis=1, return_inverse=True)
    law = law / law.sum()
    tails = np.concatenate(
        [np.empty((0, 2))]
        + [_tails(known[1, known[0] == count], int(count), law) for count in np.unique(known[0])]
    )
    out: Floats = tails[place.ravel(), 0].reshape(x.shape)
    if rng is not None:
        # P(≥) less a share of P(=), which is no larger
        as_many = tails[place.ravel(), 1].reshape(x.shape)
        possible = np.isfinite(out)
        part = np.exp(np.where(possible, as_many, -np.inf) - np.where(possible, out, 0.0))
        with np.errstate(divide="ignore"):
            out = out + np.log1p(-np.minimum(rng.random(x.shape) * part, 1.0))
    return _base_ten(out)


def _base_ten(log: Floats) -> Floats:
    """log10 of a probability from its natural logarithm, whose rounding may have passed 0."""
    out: Floats = np.minimum(log, 0.0) / np.log(10)
    return out


def _tails(totals: Floats, count: int, law: Floats) -> Floats:
    """ln P(S ≥ total) and ln P(S = total) of each of these ascending totals, [totals, 2]."""
    values = np.flatnonzero(law)
    low, high = float(values[0] * count), float(values[-1] * count)
    if low == high:
        return np.column_stack(
            [np.where(totals > high, -np.inf, 0.0), np.where(totals == high, 0.0, -np.inf)]
        )
    out = np.full((len(totals), 2), -np.inf)
    out[totals <= low, 0] = 0.0
    out[totals == low, 1] = count * np.log(law[values[0]])
    out[totals == high] = count * np.log(law[values[-1]])
    inside = np.flatnonzero((totals > low) & (totals < high))
    while len(inside):
        done, tails = _near(totals[inside], count, law)
        out[inside[:done]] = tails
        inside = inside[done:]
    return out


def _near(totals: Floats, count: int, law: Floats) -> tuple[int, Floats]:
    """The tails of the first totals, as many as one tilt serves, and how many they are."""
    values = np.flatnonzero(law)
    places = np.arange(len(law))
    low, high = float(values[0] * count), float(values[-1] * count)
    mean = law @ places
    usual = float(np.sqrt(count * (law @ (places - mean) ** 2)))
    for ahead in (_SERVED * usual, 0.0):
        # a tilt to a later total serves those before it too, unless the sum is too narrow there
        aim = float(totals[np.searchsorted(totals, totals[0] + ahead, side="right") - 1])
        tilt = _tilt(aim / count, values, np.log(law[values]))
        weights = np.log(law[values]) + tilt * values
        norm = float(np.logaddexp.reduce(weights))
        tilted = np.zeros(len(law))
        tilted[values] = np.exp(weights - norm)
        spread = float(np.sqrt(count * (tilted @ (places - aim / count) ** 2)))
        served = min(_SERVED * spread, _STEEPEST / abs(tilt)) if tilt else _SERVED * spread
        if aim - totals[0] <= served:
            break
    size = 1 << int(min(high + 1, _WIDTH * spread + 4 * len(law))).bit_length()
    power = np.exp(
        count * np.log(np.fft.rfft(_folded(tilted, size)).astype(np.complex128) + 1e-300)
    )
    reach = size if size > high else size // 2  # all there is, or as far on either side
    # on the side that is not summed, e^-tilt would overflow further out
    before = min(reach if tilt < 0 else int(served) + 1, int(aim - low))
    after = min(reach if tilt >= 0 else int(served) + 1, int(high - aim) + 1)
    around = np.roll(np.fft.irfft(power, size), before - int(aim % size))[: before + after]
    masses = np.clip(around, 0, None) * np.exp(-tilt * np.arange(-before, after))
    scale = count * norm - tilt * aim
    done = int(np.searchsorted(totals, aim + served, side="right"))
    at = (totals[:done] - aim).astype(np.int64) + before
    sums = np.concatenate([[0.0], np.cumsum(masses)]) if tilt < 0 else np.cumsum(masses[::-1])
    as_many = scale + np.log(np.maximum(masses[at], 1e-300))
    if tilt >= 0:
        return done, np.column_stack([scale + np.log(sums[len(masses) - 1 - at]), as_many])
    below = np.minimum(np.exp(scale) * sums[at], 1.0)
    with np.errstate(divide="ignore"):
        return done, np.column_stack([np.log1p(-below), as_many])


def _folded(masses: Floats, size: int) -> Floats:
    out = np.zeros(size)
    np.add.at(out, np.arange(len(masses)) % size, masses)
    return out


def _tilt(mean: float, values: npt.NDArray[np.int64], log_masses: Floats) -> float:
    """The tilt under which a score has this mean, by bisection."""
    low, high = -1.0, 1.0
    while _mean(low, values, log_masses) > mean:
        low *= 2
    while _mean(high, values, log_masses) < mean:
        high *= 2
    for _ in range(80):
        middle = (low + high) / 2
        if _mean(middle, values, log_masses) < mean:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _mean(tilt: float, values: npt.NDArray[np.int64], log_masses: Floats) -> float:
    weights = log_masses + tilt * values
    weights = np.exp(weights - weights.max())
    return float(weights @ values / weights.sum())
