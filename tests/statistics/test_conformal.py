"""Conformal p-values: uniform under the null, and what one fixed sample costs."""

import numpy as np
import pytest

from stillwatch.statistics import (
    Calibration,
    EProcesses,
    calibrate,
    conformal_p_values,
    smoothed_p_values,
)
from stillwatch.statistics.envelopes import cut, order_envelope, ranks_to_look_at, sample_order

METHODS = ["simes", "dkw", "monte-carlo"]


@pytest.mark.parametrize("decimals", [9, 0])
def test_null_p_values_are_no_smaller_than_uniform_ties_or_not(decimals: int) -> None:
    rng = np.random.default_rng(1)
    p = np.array([
        conformal_p_values(*np.split(np.round(rng.normal(size=20), decimals), [1]))[0]
        for _ in range(8_000)
    ])  # fmt: skip
    for level in (0.05, 0.1, 0.5):
        assert np.mean(p <= level) <= level + 3 * np.sqrt(level / 8_000)
    if decimals == 9:
        assert np.mean(p <= 0.25) == pytest.approx(0.25, abs=0.02)


def test_smoothed_p_values_are_uniform_even_among_ties() -> None:
    rng = np.random.default_rng(2)
    p = np.concatenate([
        smoothed_p_values(rng.poisson(1.0, 1), rng.poisson(1.0, 9), rng) for _ in range(8_000)
    ])  # fmt: skip
    assert np.histogram(p, 10, (0, 1))[0] == pytest.approx(np.full(10, 800), abs=4 * 28)


def test_a_score_beyond_all_of_the_sample_has_the_smallest_p_value() -> None:
    calibration = np.arange(9.0)
    scores = np.array([np.inf, 8.0, 7.5, -np.inf])
    assert conformal_p_values(scores, calibration).tolist() == [0.1, 0.2, 0.2, 1.0]


def test_strange_scores_get_small_p_values() -> None:
    rng = np.random.default_rng(3)
    p = conformal_p_values(rng.normal(4, 1, 500), rng.normal(size=2_000))
    assert np.mean(p < 0.01) > 0.9


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("size", [7, 300])
def test_inflated_p_values_hold_given_the_sample_for_nearly_all_samples(
    size: int, method: str
) -> None:
    """For uniform scores, P(score ≥ s) is 1 - s: the sample must not beat its bounds anywhere."""
    rng = np.random.default_rng(4)
    bounds = calibrate(np.arange(size), miss=0.1, method=method, rng=rng).bounds
    missed = (np.sort(rng.random((4_000, size)), axis=1) > bounds[:-1]).any(axis=1).mean()
    assert missed <= 0.1 + 0.02
    if method == "simes":  # exact, not a bound
        assert missed == pytest.approx(0.1, abs=0.02)
    assert (np.diff(bounds) >= 0).all()
    assert bounds[-1] == 1.0


@pytest.mark.parametrize("method", METHODS)
def test_inflated_p_values_are_no_smaller_than_plain_ones(method: str) -> None:
    rng = np.random.default_rng(5)
    sample, scores = rng.normal(size=400), rng.normal(size=300)
    said = calibrate(sample, method=method, rng=rng).p_values(scores)
    assert (said >= conformal_p_values(scores, sample) - 1 / 401 - 1e-9).all()


def test_simes_and_simulation_keep_small_p_values_small_and_dkw_does_not() -> None:
    rng = np.random.default_rng(6)
    least = {m: calibrate(np.arange(1_000.0), method=m, rng=rng).bounds[0] for m in METHODS}
    assert least["simes"] < 0.007
    assert least["monte-carlo"] < 0.007
    assert least["dkw"] > 0.03


def share_of_alarms(inflate: bool, samples: int = 300, size: int = 40, looks: int = 3_000) -> float:
    """Of benign accounts, each watched for long against one fixed sample, those that ever alarm."""
    rng = np.random.default_rng(7)
    fixed = rng.random((samples, size))
    plain = np.arange(1, size + 2) / (size + 1)
    by_rank = calibrate(fixed[0], miss=0.05).bounds if inflate else plain  # one for all samples
    state = EProcesses.start(samples)
    for _ in range(looks):
        larger = (fixed >= rng.random((samples, 1))).sum(axis=1)
        state = state.update(np.log(by_rank[larger]))
    return float(np.mean(state.highest >= np.log(20)))


def test_products_against_one_fixed_sample_alarm_too_often_and_inflated_ones_do_not() -> None:
    assert share_of_alarms(inflate=False) > 0.1
    assert share_of_alarms(inflate=True) <= 0.05 + 0.05


def test_what_cannot_be_calibrated_is_refused() -> None:
    with pytest.raises(ValueError, match="no calibration score"):
        conformal_p_values(np.ones(1), np.zeros(0))
    with pytest.raises(ValueError, match="not a number"):
        conformal_p_values(np.array([np.nan]), np.ones(3))
    with pytest.raises(ValueError, match="random generator"):
        calibrate(np.ones(3), method="monte-carlo")
    with pytest.raises(ValueError, match="miss"):
        calibrate(np.ones(3), miss=0.7)


def test_a_sample_of_one_says_nothing() -> None:
    assert calibrate(np.ones(1)).p_values(np.array([5.0, 0.0])).tolist() == [
        pytest.approx(0.95),
        1.0,
    ]


def test_a_calibration_survives_being_stored() -> None:
    kept = calibrate(np.arange(50.0))
    again = Calibration(**{name: getattr(kept, name).copy() for name in ("scores", "bounds")})
    assert again.p_values(np.array([3.5])) == kept.p_values(np.array([3.5]))


def test_order_statistics_by_spacings_have_the_moments_of_sorted_uniforms() -> None:
    ranks = ranks_to_look_at(500)
    drawn = sample_order(ranks, 500, 4_000, np.random.default_rng(8))
    assert drawn.mean(axis=0) == pytest.approx(ranks / 501, abs=0.002)
    assert drawn[:, 0].std() == pytest.approx(1 / 501, rel=0.1)


def test_envelopes_hold_at_all_ranks_together() -> None:
    rng = np.random.default_rng(9)
    bounds = order_envelope(2_000, 0.2, rng)
    missed = np.mean([(np.sort(rng.random(2_000)) > bounds[:-1]).any() for _ in range(2_000)])
    assert 0.1 < missed <= 0.2 + 0.03


def test_too_few_draws_for_a_level_are_refused() -> None:
    with pytest.raises(ValueError, match="too few"):
        cut(np.ones(10), 0.05)
