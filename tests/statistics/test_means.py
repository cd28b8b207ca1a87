"""Bounds on means and Holm's adjustment err as rarely as they say."""

from __future__ import annotations

import numpy as np
import pytest

from stillwatch.statistics import (
    holm,
    mean_e_value,
    mean_interval,
    mean_upper_bound,
    share_interval,
    student_upper_bound,
)

RUNS = 400


def shares(rng: np.random.Generator, runs: int, size: int) -> np.ndarray:
    """Mostly 0, now and then large: what false discoveries look like over seeds. Mean 0.05."""
    return (rng.random((runs, size)) < 0.1) * rng.random((runs, size))


@pytest.mark.parametrize("size", [5, 20, 60])
def test_the_bound_on_a_mean_covers_it_where_most_values_are_0(size: int) -> None:
    values = shares(np.random.default_rng(size), RUNS, size)
    assert np.mean([mean_upper_bound(row) >= 0.05 for row in values]) >= 0.93


def test_the_interval_covers_the_mean_of_a_skewed_recall() -> None:
    values = np.random.default_rng(3).beta(9, 1, (RUNS, 20))
    found = np.array([mean_interval(row) for row in values])
    assert np.mean((found[:, 0] <= 0.9) & (found[:, 1] >= 0.9)) >= 0.95
    assert np.median(found[:, 1] - found[:, 0]) < 0.3  # exact, and wide for it


def test_nothing_but_zeros_bounds_the_mean_by_about_three_over_n() -> None:
    assert 3 / 60 < mean_upper_bound(np.zeros(60)) < 7 / 60


def test_evidence_against_a_mean_is_an_e_value() -> None:
    values = shares(np.random.default_rng(4), 4_000, 20)
    found = np.array([mean_e_value(row, 0.05) for row in values])
    assert np.mean(np.exp(np.minimum(found, 50))) < 1.3
    assert np.mean(found >= np.log(20)) <= 0.055


def test_a_mean_that_is_clearly_above_is_found() -> None:
    assert mean_e_value(np.full(20, 0.3), 0.05) > 15
    assert mean_e_value([0.0, 0.0, 1.0], 0.5) < np.log(20)


def test_students_bound_covers_the_mean_of_means_over_many_runs() -> None:
    rng = np.random.default_rng(5)
    seeds = shares(rng, 1_000 * 20, 30).mean(axis=1).reshape(1_000, 20)
    assert np.mean([student_upper_bound(row) >= 0.05 for row in seeds]) >= 0.92
    assert student_upper_bound([0.1]) == float("inf")


def test_values_outside_of_0_to_1_are_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        mean_upper_bound([1.5])
    with pytest.raises(ValueError, match="between 0 and 1"):
        mean_e_value([0.5], 1.0)


def test_without_values_nothing_is_known() -> None:
    assert mean_upper_bound([]) == 1.0
    assert share_interval(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_the_interval_of_a_share_covers_it(share: float) -> None:
    hits = np.random.default_rng(6).binomial(20, share, RUNS)
    found = np.array([share_interval(int(h), 20) for h in hits])
    assert np.mean((found[:, 0] <= share) & (found[:, 1] >= share)) >= 0.93


def test_holm_seldom_rejects_any_true_null_also_when_they_are_dependent() -> None:
    rng = np.random.default_rng(7)
    apart = rng.random((RUNS, 30))
    together = np.repeat(rng.random((RUNS, 1)), 30, axis=1)
    for p in (apart, together):
        assert np.mean([holm(row).min() <= 0.05 for row in p]) <= 0.075


def test_holm_adjusts_step_by_step() -> None:
    assert holm([0.01, 0.04, 0.03]).tolist() == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]).tolist() == []
    with pytest.raises(ValueError, match="between 0 and 1"):
        holm([2.0])
