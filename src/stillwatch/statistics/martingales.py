"""Do p-values stay uniform? A monitor of drift: a betting martingale for each segment of traffic.

Everything else in this room promises something only while the null still describes benign traffic.
When it moves, p-values of benign accounts pile up at one end, and capital that bets on either end
grows. A segment (a region, a model, a kind of tenant) has a martingale of its own. Where one
alarms, enforcement there stops: the promise no longer holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

__all__ = ["LEANINGS", "Watch", "calibration_slack"]

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

#: bets 1 + leaning · (p - 1/2): negative ones on small p-values; 0 keeps its capital
LEANINGS = (-1.5, -0.5, 0.0, 0.5, 1.5)


@dataclass(frozen=True, slots=True, eq=False)
class Watch:
    """The simple jumper for each segment, and the same restarted at every step.

    Attributes:
        capital: segment × leaning, log capital; a segment starts with 1 over all leanings.
        leanings: the bets.
        highest: nats, the most a segment's martingale ever reached.
        restarts: log of the sum over all starts of what the martingale has grown by since.
    """

    capital: Floats
    leanings: Floats
    highest: Floats
    restarts: Floats

    @classmethod
    def start(cls, segments: int, leanings: Sequence[float] = LEANINGS) -> Watch:
        """`segments` martingales at 0 nats."""
        bets = np.asarray(leanings, dtype=np.float64)
        if not len(bets) or (np.abs(bets) >= 2).any():
            raise ValueError("a leaning lies between -2 and 2")
        share = np.full((segments, len(bets)), -np.log(len(bets)))
        return cls(share, bets, np.zeros(segments), np.full(segments, -np.inf))

    def update(self, p: Floats, *, jump: float = 0.01, slack: float = 0.0) -> Watch:
        """One p-value for each segment, NaN where it has none.

        Null: p-values of a segment are independent and uniform (with `slack`: given the calibration
        sample, have a mean within `slack` of 1/2). Assumption: smoothed p-values, so that large
        ones mean something. A share `jump` of the capital is spread anew over the leanings before
        each bet, which lets the martingale follow a change. Source: the simple jumper of Vovk,
        Petej, Nouretdinov et al. ("Retrain or not retrain", COPA 2021).
        """
        p = np.asarray(p, dtype=np.float64)
        seen = ~np.isnan(p)
        if ((p < 0) | (p > 1)).any():
            raise ValueError("a p-value lies between 0 and 1")
        before = self.evidence()
        even = before[:, None] + np.log(jump / len(self.leanings))
        spread = np.logaddexp(np.log1p(-jump) + self.capital, even)
        odds = np.log1p(self.leanings * (np.where(seen, p, 0.5)[:, None] - 0.5))
        gain = odds - np.log1p(np.abs(self.leanings) * slack)
        after = replace(self, capital=np.where(seen[:, None], spread + gain, self.capital))
        now = after.evidence()
        restarts = np.where(seen, np.logaddexp(self.restarts, 0.0) + now - before, self.restarts)
        return replace(after, highest=np.maximum(self.highest, now), restarts=restarts)

    def evidence(self) -> Floats:
        """Nats against uniformity since the start; ever ln(1/α) with probability of at most α."""
        out: Floats = logsumexp(self.capital, axis=1)
        return out

    def changed(self, mean_wait: float) -> Flags:
        """Segments whose null has ceased to hold at some time, by the Shiryaev-Roberts rule.

        Null: as in :meth:`update`, and no change. Then a segment waits `mean_wait` looks or more on
        average until its first false alarm; it is quicker than :meth:`evidence` when the null held
        for long. Source: e-detectors, Shin, Ramdas and Rinaldo (arXiv 2203.03532).
        """
        out: Flags = self.restarts >= np.log(mean_wait)
        return out

    def reset(self, which: Flags) -> Watch:
        """Begin some segments anew, after their null was learned again; its error is spent anew."""
        new = Watch.start(len(which), tuple(self.leanings.tolist()))
        return Watch(
            np.where(which[:, None], new.capital, self.capital),
            self.leanings,
            np.where(which, new.highest, self.highest),
            np.where(which, new.restarts, self.restarts),
        )


def calibration_slack(size: int, *, miss: float = 0.05) -> float:
    """How far from 1/2 the mean of p-values against one fixed sample of `size` may lie.

    Smoothed p-values against a fixed sample are not uniform given that sample: their mean is that
    of `size` uniform numbers, which leaves 1/2 by more than the slack with probability of at most
    `miss`. With it, linear bets have expectation of at most 1 given the sample, and a monitor errs
    with at most α + `miss` however long it runs. Null: scores are drawn as the sample was.
    Assumption: independent draws. Source: the tail of a mean of uniform numbers (sub-Gaussian with
    variance 1/12); the aim is that of conditional conformal test martingales (Shaer, Bar, Prinster
    and Romano, arXiv 2602.13848), whose own correction is another one.
    """
    if size < 1 or not 0 < miss < 1:
        raise ValueError("the sample has a score at least, and miss lies between 0 and 1")
    return float(np.sqrt(np.log(2 / miss) / (6 * size)))
