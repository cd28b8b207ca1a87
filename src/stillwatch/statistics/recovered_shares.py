"""How much of a lead one model made up: the ratio of two mean gains over the same units."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from stillwatch.statistics.means import mean_nats

__all__ = ["recovered_share"]

Floats = npt.NDArray[np.float64]

#: shares that are looked at; what lies beyond is not told apart from the end
_LOW, _HIGH, _STEP = -1.0, 2.0, 0.01


def recovered_share(
    gain: npt.ArrayLike, lead: npt.ArrayLike, *, confidence: float = 0.95
) -> tuple[float, float]:
    """Two-sided confidence interval of mean `gain` / mean `lead`, within [-1, 2].

    Null, of each share r outside: gain less r times lead has a mean of 0. Assumption: units are
    independent and alike; nothing about their distribution. For each r on a grid that null is
    tested by betting in both directions, half of the error each, and the interval reaches one step
    beyond what was not rejected. Source: Fieller (JRSS B 16, 1954) for the inversion, with the
    bets of :func:`.mean_e_value` in place of the normal law, which small gains do not follow. An
    end of -1 or 2 says that the units do not bound the share on that side; where the mean lead
    may be 0 both do.

    Args:
        gain: of each unit what the one gained, from -1 to 1, such as suspect less base.
        lead: of the same units what there was to gain, from -1 to 1, such as teacher less base.
    """
    gained, led = np.asarray(gain, np.float64), np.asarray(lead, np.float64)
    if gained.shape != led.shape or gained.ndim != 1:
        raise ValueError("a gain and a lead of each unit")
    if max(np.abs(gained).max(initial=0), np.abs(led).max(initial=0)) > 1:
        raise ValueError("gains and leads lie between -1 and 1")
    pairs, times = np.unique(np.stack([gained, led]), axis=1, return_counts=True)
    shares = np.arange(round(_LOW / _STEP), round(_HIGH / _STEP) + 1) * _STEP
    beyond = pairs[0] - shares[:, None] * pairs[1]
    beyond /= 1 + np.abs(shares[:, None])  # from -1 to 1, with a mean of 0 under the null
    nats = np.maximum(mean_nats(beyond, times), mean_nats(-beyond, times))
    kept = shares[nats < np.log(2 / (1 - confidence))]
    if not len(kept):  # the ratio lies beyond one end of the grid
        kept = np.array([_LOW if gained.sum() * led.sum() < 0 else _HIGH])
    return max(_LOW, float(kept[0] - _STEP)), min(_HIGH, float(kept[-1] + _STEP))
