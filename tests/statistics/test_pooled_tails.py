"""Bounds for many totals at once: the bound of one total, a little less tight, and never below."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from stillwatch.statistics import (
    BernoulliScores,
    ExponentialScores,
    LatticeScores,
    PooledTails,
    ScoreLaw,
    chernoff_tail,
)

LAWS: list[ScoreLaw] = [
    ExponentialScores(),
    ExponentialScores(1 << 24),
    BernoulliScores(0.25),
    LatticeScores((0.5, 0.3, 0.2)),
]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: f"{law}")
@pytest.mark.parametrize("times", [1, 3, 40])
def test_each_is_the_bound_of_its_total_within_a_hundredth(law: ScoreLaw, times: int) -> None:
    rng = np.random.default_rng(3)
    for weights in (rng.normal(size=300), rng.exponential(size=40) ** 3, -rng.random(30)):
        spread = np.sqrt(times * weights @ weights * law.slopes(np.zeros(1))[1][0])
        totals = spread * np.array([-2.0, 0.0, 0.5, 1.0, 2.5, 4.0, 6.0])
        found = PooledTails(weights, law, most=40).log10_p(totals, times)
        best = np.array([chernoff_tail(t, np.tile(weights, times), law) for t in totals])
        assert (found >= best - 1e-9 * np.abs(best)).all()
        assert found == pytest.approx(best, rel=0.01, abs=0.01)


def test_one_weight_that_outweighs_all_others_is_no_exception() -> None:
    weights = np.array([10.0, *[0.01] * 50])
    for total in (20.0, 200.0, 2_000.0):
        found = float(PooledTails(weights, LAWS[0]).log10_p(total))
        assert found == pytest.approx(chernoff_tail(total, weights, LAWS[0]), rel=0.01)


def test_of_draws_no_more_fall_below_alpha_than_alpha() -> None:
    rng = np.random.default_rng(5)
    weights = rng.normal(size=60) ** 3
    tails = PooledTails(weights, ExponentialScores(), most=5)
    for times in (1, 5):
        scores = rng.exponential(size=(20_000, times, 60)) - 1
        log10_p = tails.log10_p((scores @ weights).sum(axis=1), times)
        for alpha in (0.1, 0.01, 0.001):
            assert (log10_p <= np.log10(alpha)).sum() <= binom.ppf(0.999, len(log10_p), alpha)


def test_totals_have_any_shape_and_nothing_weighs_nothing() -> None:
    tails = PooledTails(np.ones(10), ExponentialScores())
    assert tails.log10_p(np.full((2, 3), 30.0), [[1], [2]]).shape == (2, 3)
    assert tails.log10_p(np.full(40_000, 30.0))[-1] == tails.log10_p(30.0)
    assert PooledTails([0.0, 0.0], ExponentialScores()).log10_p(3.0) == 0
    assert PooledTails([], ExponentialScores()).log10_p([]).shape == (0,)


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="weights are finite"):
        PooledTails([np.nan], ExponentialScores())
    tails = PooledTails([1.0], ExponentialScores())
    for totals, times in ((np.inf, 1), (1.0, 0)):
        with pytest.raises(ValueError, match="totals are finite"):
            tails.log10_p(totals, times)
