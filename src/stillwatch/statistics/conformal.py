"""Conformal p-values: how strange is a score beside those of a calibration sample?

Scores are anything that grows with suspicion. The calibration sample is of the null (accounts taken
for benign) and has trained nothing. All p-values against one sample lean on it together: they are
positively dependent (PRDS), so that Benjamini-Hochberg and Simes hold, but products over time do
not. :func:`calibrate` pays once for the sample's own chance, and what it returns may then be used
for ever: given the sample, its p-values are valid and independent.
Source: Bates, Candès, Lei, Romano and Sesia, "Testing for outliers with conformal p-values"
(Annals of Statistics 51, 2023; arXiv 2104.08279); Vovk, Gammerman and Shafer (2005).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from stillwatch.statistics.envelopes import order_envelope

__all__ = ["Calibration", "calibrate", "conformal_p_values", "smoothed_p_values"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def conformal_p_values(scores: Floats, calibration: Floats) -> Floats:
    """(1 + the number of calibration scores as large) / (1 + their number).

    Null: the score and the calibration scores are exchangeable. Assumption: no more; ties err on
    the side of the null. The smallest possible value is 1 / (n + 1): with n calibration scores and
    M accounts, Benjamini-Hochberg at level α can flag R of them only when n ≥ M / (α R).
    Source: Bates et al. (2023), section 1.
    """
    ordered = _sorted(calibration)
    out: Floats = _ranks(scores, ordered) / (len(ordered) + 1)
    return out


def smoothed_p_values(scores: Floats, calibration: Floats, rng: np.random.Generator) -> Floats:
    """The same with ties broken by `rng`, uniform on 0 to 1 under the null, not merely no smaller.

    Null: the score and the calibration scores are exchangeable. Assumption: `rng` is not read
    twice for one score in search of a better answer. Source: Vovk, Gammerman and Shafer (2005),
    section 2.2. For monitors of drift, which must see p-values that are too large as well.
    """
    ordered, scores = _sorted(calibration), _numbers(scores)
    above = len(ordered) - np.searchsorted(ordered, scores, side="right")
    equal = len(ordered) - np.searchsorted(ordered, scores, side="left") - above
    out: Floats = (above + rng.random(scores.shape) * (equal + 1)) / (len(ordered) + 1)
    return out


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """A calibration sample that may be used again and again.

    Attributes:
        scores: the sample, ascending.
        bounds: len(scores) + 1 numbers, the p-value of a score that has 0, 1, … as large.
    """

    scores: Floats
    bounds: Floats

    def p_values(self, scores: Floats) -> Floats:
        """P-values that are valid given the sample, if the sample is one of the 1 - `miss`.

        Null: the score is drawn as the sample was. Assumption: independently of it, whatever other
        scores were drawn; then these p-values are independent of each other too.
        """
        out: Floats = self.bounds[_ranks(scores, self.scores) - 1]
        return out


def calibrate(
    sample: Floats,
    *,
    miss: float = 0.05,
    method: Literal["simes", "dkw", "monte-carlo"] = "simes",
    rng: np.random.Generator | None = None,
) -> Calibration:
    """Inflate the p-values of a calibration sample so that they hold given that very sample.

    With probability of at least 1 - `miss` over samples, P(p ≤ t | sample) ≤ t for every t. A test
    of level α over any number of looks (an e-process, say) then errs with at most α + `miss`.
    Null: scores are drawn from the law of the sample. Assumption: the sample is independent draws.
    Source: Bates et al. (2023), section 3: the k-th order Simes inequality with k = n / 2 (exact;
    the default), the Dvoretzky-Kiefer-Wolfowitz inequality (Massart, 1990; poor at small p-values),
    or bounds of one precision by simulation (needs `rng`; best around the smallest p-values).

    Raises:
        ValueError: an empty sample, a score that is no number, a `miss` outside (0, 0.5].
    """
    ordered = _sorted(sample)
    if not 0 < miss <= 0.5:
        raise ValueError(f"miss is a probability above 0 and up to 0.5, not {miss}")
    size = len(ordered)
    if method == "monte-carlo":
        if rng is None:
            raise ValueError("the method monte-carlo needs a random generator")
        return Calibration(ordered, order_envelope(size, miss, rng))
    if method == "simes":
        return Calibration(ordered, _simes(size, miss))
    slack = np.sqrt(np.log(1 / miss) / (2 * size))
    dkw = np.append(np.minimum(1.0, np.arange(size) / size + slack), 1.0)
    return Calibration(ordered, dkw)


def _simes(size: int, miss: float) -> Floats:
    """Bounds of uniform order statistics, b_(n+1-i) = 1 - (miss · C(i, k) / C(n, k))^(1/k)."""
    k = max(1, size // 2)
    i = np.arange(size, 0, -1)  # rank from the other end: i = n for the smallest
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, size + 1)))])  # log factorials
    choose = logs[i] - logs[np.maximum(i - k, 0)] - logs[size] + logs[size - k]
    powers = np.where(i >= k, np.exp((np.log(miss) + choose) / k), 0.0)
    return np.append(1 - powers, 1.0)


def _ranks(scores: Floats, ordered: Floats) -> Ints:
    """1 + the number of calibration scores that are as large."""
    below = np.searchsorted(ordered, _numbers(scores), side="left")
    return (len(ordered) - below + 1).astype(np.int64)


def _numbers(scores: Floats) -> Floats:
    out = np.asarray(scores, dtype=np.float64)
    if np.isnan(out).any():
        raise ValueError("a score is not a number")
    return out


def _sorted(sample: Floats) -> Floats:
    out = np.sort(_numbers(sample))
    if not len(out):
        raise ValueError("there is no calibration score")
    return out
