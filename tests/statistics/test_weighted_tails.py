"""Weighted sums: bounds that hold, approximations that are near, bets that may look back."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from stillwatch.statistics import (
    BernoulliScores,
    ExponentialScores,
    LatticeScores,
    ScoreLaw,
    betting_tail,
    binomial_tail,
    chernoff_tail,
    gamma_tail,
    saddlepoint_tail,
)

LAWS: list[ScoreLaw] = [
    ExponentialScores(),
    BernoulliScores(0.25),
    LatticeScores((0.5, 0.3, 0.2)),
]
RATES = np.geomspace(0.05, 2.0, 12)


def drawn(law: ScoreLaw, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    if isinstance(law, ExponentialScores):
        return rng.exponential(size=shape)
    masses = (1 - law.share, law.share) if isinstance(law, BernoulliScores) else law.masses
    return rng.choice(len(masses), shape, p=masses).astype(float)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: type(law).__name__)
def test_cumulants_are_those_of_draws(law: ScoreLaw) -> None:
    centred = drawn(law, (400_000,), np.random.default_rng(1)) - law.mean
    at = np.array([-3.0, -0.4, 0.0, 0.3])
    found = np.log(np.exp(np.multiply.outer(at, centred)).mean(axis=1))
    assert np.allclose(law.log_mgf(at), found, atol=0.01)
    first, second = law.slopes(at)
    step = 1e-4
    around = [law.log_mgf(at + d) for d in (-step, 0.0, step)]
    assert np.allclose(first, (around[2] - around[0]) / (2 * step), atol=1e-6)
    assert np.allclose(second, (around[2] - 2 * around[1] + around[0]) / step**2, atol=1e-4)


@pytest.mark.parametrize("of", [1, 10, 1_000])
@pytest.mark.parametrize("away", [0.5, 3.0, 20.0])
def test_of_equal_weights_the_bound_is_above_the_gamma_tail_and_not_by_much(
    of: int, away: float
) -> None:
    total = away * np.sqrt(of)
    exact = float(gamma_tail(total + of, of))
    bound = chernoff_tail(total, np.ones(of), ExponentialScores())
    assert exact <= bound <= exact + 0.9 + np.log10(1 + away)
    near = saddlepoint_tail(total, np.ones(of), ExponentialScores())
    assert near == pytest.approx(exact, abs=0.02)


def test_of_equal_weights_the_bound_is_above_the_binomial_tail() -> None:
    for hits in (12, 20, 39, 40):
        exact = float(binomial_tail(hits, 40, 0.25))
        bound = chernoff_tail(hits - 10, np.ones(40), BernoulliScores(0.25))
        assert exact - 1e-9 <= bound <= exact + 1.2
    assert chernoff_tail(30, np.ones(40), BernoulliScores(0.25)) == pytest.approx(
        40 * np.log10(0.25)
    )


@pytest.mark.parametrize("law", LAWS, ids=lambda law: type(law).__name__)
def test_under_the_null_p_values_keep_their_promise_whatever_the_weights(law: ScoreLaw) -> None:
    rng = np.random.default_rng(2)
    weights = rng.standard_t(2, 60)  # a few of them outweigh the others, and half are negative
    scores = drawn(law, (800, 60), rng)
    totals = (scores - law.mean) @ weights
    bounds = np.array([chernoff_tail(float(t), weights, law) for t in totals])
    near = np.array([saddlepoint_tail(float(t), weights, law) for t in totals])
    bets = np.array([betting_tail(s, weights, law, RATES) for s in scores])
    for alpha in (1e-1, 1e-2, 1e-3):
        most = binom.ppf(0.999, len(totals), alpha)
        assert (bounds <= np.log10(alpha)).sum() <= most
        assert (bets <= np.log10(alpha)).sum() <= most
        assert (near <= np.log10(alpha)).sum() <= binom.ppf(0.999, len(totals), 1.15 * alpha)
        assert (near <= np.log10(alpha)).sum() >= binom.ppf(0.001, len(totals), 0.85 * alpha)
    assert (bounds < -1).any()
    assert (bets < -1).any()


def test_bets_hold_where_weights_look_back_and_a_fixed_sum_does_not() -> None:
    """Stop as soon as it looks good: the exact tail breaks its promise, the bets keep theirs."""
    law, looks, broken, kept = ExponentialScores(), np.arange(5, 400, 5), 0, 0
    for scores in np.random.default_rng(3).exponential(size=(400, 400)):
        found = np.append(gamma_tail(np.cumsum(scores)[looks - 1], looks) < -1.3, True)
        stop = int(np.append(looks, 400)[found.argmax()])
        broken += bool(gamma_tail(scores[:stop].sum(), stop) < -1.3)
        kept += betting_tail(scores[:stop], np.ones(stop), law, RATES) < -1.3
    assert broken > 3 * 0.05 * 400
    assert kept <= binom.ppf(0.999, 400, 10**-1.3)


def test_stepped_scores_are_covered_also_where_weights_are_negative() -> None:
    steps, at = 64, -np.geomspace(1e-4, 50, 40)
    scores = -np.log(np.arange(1, steps + 1) / steps)
    exact = np.log(np.exp(np.multiply.outer(at, scores - 1)).mean(axis=1))
    assert (ExponentialScores(steps).log_mgf(at) >= exact - 1e-12).all()
    assert (ExponentialScores().log_mgf(at) < exact).all()


def test_evidence_grows_with_what_is_there() -> None:
    rng = np.random.default_rng(4)
    weights = rng.exponential(size=5_000)
    scores = rng.exponential(1.2, 5_000)
    total = float((scores - 1) @ weights)
    assert chernoff_tail(total, weights, ExponentialScores()) < -12
    assert betting_tail(scores, weights, ExponentialScores(), RATES) < -8


def test_low_scores_under_negative_weights_are_evidence_as_well() -> None:
    scores, law = np.random.default_rng(5).exponential(0.7, 400), ExponentialScores()
    for sign, found in ((-1.0, True), (1.0, False)):
        weights = np.full(400, sign)
        total = float((scores - 1) @ weights)
        assert (chernoff_tail(total, weights, law) < -3) == found
        assert (saddlepoint_tail(total, weights, law) < -3) == found
        assert (betting_tail(scores, weights, law, RATES) < -3) == found


def test_totals_below_the_mean_are_no_evidence() -> None:
    for law in LAWS:
        assert chernoff_tail(-5.0, np.ones(9), law) == 0
        assert chernoff_tail(0.0, [], law) == saddlepoint_tail(0.0, np.zeros(4), law) == 0
        assert saddlepoint_tail(-2.0, np.ones(9), law) > -0.2
    assert saddlepoint_tail(0.0, np.ones(400), LAWS[0]) == pytest.approx(np.log10(0.5), abs=0.02)


def test_what_is_not_finite_is_refused() -> None:
    law = ExponentialScores()
    with pytest.raises(ValueError, match="finite"):
        chernoff_tail(np.nan, [1.0], law)
    with pytest.raises(ValueError, match="finite"):
        saddlepoint_tail(1.0, [np.inf], law)
    with pytest.raises(ValueError, match="score"):
        betting_tail([1.0], [1.0, 2.0], law, RATES)
    with pytest.raises(ValueError, match="rates"):
        betting_tail([1.0], [1.0], law, [0.0])
    with pytest.raises(ValueError, match="share"):
        BernoulliScores(1.0)
    with pytest.raises(ValueError, match="steps"):
        ExponentialScores(1)
    with pytest.raises(ValueError, match="masses"):
        LatticeScores((0.5, 0.4))
