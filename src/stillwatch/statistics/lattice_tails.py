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
    known, place = np.unique(np.stack([x.ravel(), n.ravel()]), axis=1, return_inverse=True)
    tails = np.array([_tail(t, int(c), law / law.sum()) for t, c in known.T]).reshape(-1, 2)
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


def _tail(total: float, count: int, law: Floats) -> tuple[float, float]:
    """ln P(S ≥ total) and ln P(S = total)."""
    values = np.flatnonzero(law)
    low, high = float(values[0] * count), float(values[-1] * count)
    if total > high:
        return -np.inf, -np.inf
    if total == high:
        mass = count * float(np.log(law[values[-1]])) if count else 0.0
        return (0.0 if low == high else mass), mass
    if total <= low:
        return 0.0, (count * float(np.log(law[values[0]])) if total == low else -np.inf)
    tilt = _tilt(total / count, values, np.log(law[values]))
    weights = np.log(law[values]) + tilt * values
    norm = float(np.logaddexp.reduce(weights))
    tilted = np.zeros(len(law))
    tilted[values] = np.exp(weights - norm)
    spread = float(np.sqrt(count * (tilted @ np.arange(len(law)) ** 2 - (total / count) ** 2)))
    size = 1 << int(min(high + 1, _WIDTH * spread + 4 * len(law))).bit_length()
    power = np.exp(
        count * np.log(np.fft.rfft(_folded(tilted, size)).astype(np.complex128) + 1e-300)
    )
    near = np.roll(np.fft.irfft(power, size), -int(total % size))
    scale = count * norm - tilt * total
    as_many = scale + float(np.log(max(near[0], 1e-300)))
    reach = size if size > high else size // 2  # all there is, or as far on either side
    if tilt >= 0:
        ahead = min(reach, int(high - total) + 1)
        beyond = float(np.clip(near[:ahead], 0, None) @ np.exp(-tilt * np.arange(ahead)))
        return scale + float(np.log(beyond)), as_many
    behind = min(reach, int(total - low))
    back = near[size - behind :][::-1]
    below = float(np.clip(back, 0, None) @ np.exp(tilt * np.arange(1, behind + 1)))
    return float(np.log1p(-min(np.exp(scale) * below, 1.0))), as_many


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
