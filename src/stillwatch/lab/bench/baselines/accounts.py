"""Methods that judge each account by itself: MMD window, PRADA, SEAT, rules.

None of them says who belongs together, so that all flagged accounts are reported as one group: an
operator would have to look at them together. Thresholds are the score that 1 % of the accounts of
the calibration period exceed.
"""

from __future__ import annotations

import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import pdist
from scipy.stats import shapiro

from stillwatch.lab.baselines import Rules, rows_of
from stillwatch.lab.bench.baselines.files import limit_of, write_files
from stillwatch.lab.bench.baselines.prompts import Embedded, calibration, embedded
from stillwatch.lab.bench.cell import CALIBRATION
from stillwatch.lab.bench.detector import Periods, Spent
from stillwatch.lab.bench.view import View

__all__ = ["AccountBaseline", "Mmd", "Prada", "RuleBook", "Seat"]

Floats = npt.NDArray[np.float32]

#: prompts of an account that are looked at, the latest first; fewer than the least score 0
_MOST, _LEAST = 256, 10


class AccountBaseline(ABC):
    """Scores accounts, flags those above the threshold of the calibration period."""

    name: str

    @abstractmethod
    def calibrated(self, periods: Periods) -> Mapping[str, float]:
        """The score of every account of the calibration period."""

    @abstractmethod
    def scores(self, view: View, periods: Periods) -> Mapping[str, float]:
        """The score of every account of `view`."""

    def run(self, view: View, out: Path, periods: Periods) -> Spent:
        """See :class:`stillwatch.lab.bench.detector.Detector`."""
        limit_key = ("limit", self.name)
        if limit_key not in periods.memory:
            periods.memory[limit_key] = limit_of(list(self.calibrated(periods).values()))
        limit: float = periods.memory[limit_key]
        began, busy = time.perf_counter(), time.process_time()
        scores = self.scores(view, periods)
        flagged = sorted(name for name, score in scores.items() if score > limit)
        write_files(out, [flagged] if flagged else [], scores)
        return Spent(time.perf_counter() - began, time.process_time() - busy)


class TextBaseline(AccountBaseline):
    """Scores depend on nothing but the account's own prompts, so that a period is scored once."""

    @abstractmethod
    def score(self, prompts: Floats, periods: Periods) -> float:
        """The score of an account from its prompts, in the order of time."""

    def calibrated(self, periods: Periods) -> Mapping[str, float]:
        return self._scored(calibration(periods), periods)

    def scores(self, view: View, periods: Periods) -> Mapping[str, float]:
        period = view.world.scenario.period
        every = embedded(periods, period)
        if not view.whole:
            return self._scored(every.seen(view), periods)
        key = ("scores", self.name, period)
        if key not in periods.memory:
            periods.memory[key] = self._scored(every, periods)
        known: dict[str, float] = periods.memory[key]
        return {name: known[name] for name in set(view.senders["account"].to_pylist())}

    def _scored(self, prompts: Embedded, periods: Periods) -> dict[str, float]:
        return {
            prompts.names[owner]: (
                self.score(prompts.values[rows[-_MOST:]], periods) if len(rows) >= _LEAST else 0.0
            )
            for owner, rows in prompts.by_account()
        }


class Mmd(TextBaseline):
    """Squared MMD of an account's prompts from the pool of the calibration period.

    After arXiv 2606.05725, with windows of single accounts: the score is in units of what 1 % of
    the calibration accounts with as many prompts exceed. RBF kernel by 256 random Fourier features.
    """

    name = "MMD window"
    _SIZES = (10, 20, 40, 80, 160, 256)
    _FEATURES = 256

    def score(self, prompts: Floats, periods: Periods) -> float:
        centre, directions, phases, sizes, limits = self._fitted(periods)
        limit = np.exp(np.interp(np.log(len(prompts)), sizes, limits))
        return self._distance(prompts, centre, directions, phases) / float(limit)

    def _distance(
        self, prompts: Floats, centre: Floats, directions: Floats, phases: Floats
    ) -> float:
        apart = np.cos(prompts @ directions + phases).mean(axis=0) - centre
        return float(apart @ apart)

    def _fitted(self, periods: Periods) -> tuple[Floats, Floats, Floats, list[float], list[float]]:
        if "mmd" not in periods.memory:
            benign = calibration(periods)
            chance = np.random.default_rng(periods.seed)
            some = benign.values[chance.permutation(len(benign.values))[:20_000]]
            width = max(float(np.median(pdist(some[:1_000]))), 1e-6)
            directions = chance.standard_normal((some.shape[1], self._FEATURES), np.float32)
            directions /= np.float32(width)
            phases = chance.uniform(0, 2 * np.pi, self._FEATURES).astype(np.float32)
            centre = np.cos(some @ directions + phases).mean(axis=0)
            sizes, limits = [], []
            windows = [benign.values[rows[-_MOST:]] for _, rows in benign.by_account()]
            for size in self._SIZES:
                far = [self._distance(each[:size], centre, directions, phases)
                       for each in windows if len(each) >= size]  # fmt: skip
                if len(far) >= 20:
                    sizes.append(float(np.log(size)))
                    limits.append(float(np.log(np.percentile(far, 99))))
            periods.memory["mmd"] = centre, directions, phases, sizes, limits
        found: tuple[Floats, Floats, Floats, list[float], list[float]] = periods.memory["mmd"]
        return found


def _nearest_earlier(prompts: Floats) -> npt.NDArray[np.float64]:
    """Cosine of each prompt, from the second on, with the most similar one before it."""
    alike = prompts @ prompts.T
    alike[np.triu_indices(len(alike))] = -1.0
    return np.asarray(alike[1:].max(axis=1), np.float64)


class Prada(TextBaseline):
    """How far distances to the nearest earlier prompt are from normal (1 less Shapiro-Wilk's W).

    After Juuti et al. (EuroS&P 2019), on text: no class of the answer restricts the neighbours,
    distances beyond three standard deviations are dropped as there.
    """

    name = "PRADA, text"

    def score(self, prompts: Floats, periods: Periods) -> float:
        far = 1 - _nearest_earlier(prompts)
        spread = far.std()
        kept = far[np.abs(far - far.mean()) <= 3 * spread] if spread > 1e-9 else far[:0]
        if kept.size < _LEAST - 1 or np.ptp(kept) < 1e-9:
            return 0.0
        return 1 - float(shapiro(kept).statistic)


class Seat(TextBaseline):
    """Share of an account's prompts that are close to an earlier one of its own.

    After Zhang et al. (AISec 2021), on text: the encoder is not trained against an adversary here;
    close is what one prompt in twenty of the calibration period is.
    """

    name = "SEAT, text"

    def score(self, prompts: Floats, periods: Periods) -> float:
        return float((_nearest_earlier(prompts) >= self._close(periods)).mean())

    def _close(self, periods: Periods) -> float:
        if "seat" not in periods.memory:
            benign = calibration(periods)
            nearest = [_nearest_earlier(benign.values[rows[-_MOST:]])
                       for _, rows in benign.by_account() if len(rows) >= _LEAST]  # fmt: skip
            periods.memory["seat"] = float(np.percentile(np.concatenate(nearest), 95))
        close: float = periods.memory["seat"]
        return close


class RuleBook(AccountBaseline):
    """The rules of :mod:`stillwatch.lab.baselines.rules`, flagged from the calibrated score on."""

    name = "rules"

    def calibrated(self, periods: Periods) -> Mapping[str, float]:
        return Rules().judge(rows_of(periods.log(CALIBRATION))).scores

    def scores(self, view: View, periods: Periods) -> Mapping[str, float]:
        rules = Rules()
        if not view.whole:
            with tempfile.TemporaryDirectory() as place:
                log = Path(place) / "log.parquet"
                view.write_log(log)
                return rules.judge(rows_of(log)).scores
        key = ("ruled", view.world.scenario.period)
        if key not in periods.memory:
            periods.memory[key] = rules.read(rows_of(view.world.log))
        seen = set(view.senders["account"].to_pylist())
        known = periods.memory[key]
        return rules.judge_accounts({name: known[name] for name in sorted(seen)}).scores
