"""The interval covers the true share although the judge errs and its errors are only counted."""

from __future__ import annotations

import numpy as np
import pytest

from stillwatch.statistics import JudgeErrors, judged_interval, share_interval


@pytest.mark.parametrize("share", [0.0, 0.05, 0.4, 1.0])
@pytest.mark.parametrize(("right", "wrong"), [(0.95, 0.1), (0.8, 0.3), (1.0, 0.0)])
def test_the_true_share_is_covered_as_often_as_promised(
    share: float, right: float, wrong: float
) -> None:
    rng = np.random.default_rng(1)
    runs, missed, naive = 1_000, 0, 0
    for _ in range(runs):
        truth = rng.binomial(150, share)
        hits = rng.binomial(truth, right) + rng.binomial(150 - truth, wrong)
        judge = JudgeErrors(60, rng.binomial(60, right), 80, rng.binomial(80, 1 - wrong))
        low, high = judged_interval(hits, 150, [judge])
        missed += not low <= share <= high
        low, high = share_interval(hits, 150)
        naive += not low <= share <= high
    assert missed <= 0.05 * runs
    if wrong == 0.3 and share < 0.1:  # what is promised is not to be had by counting alone
        assert naive > 0.9 * runs


def test_a_judge_that_is_surely_right_leaves_little_but_the_counting_error() -> None:
    low, high = judged_interval(30, 100, [JudgeErrors(10**7, 10**7, 10**7, 10**7)])
    assert (low, high) == pytest.approx(share_interval(30, 100, confidence=1 - 0.05 / 3), abs=1e-5)


def test_several_measurements_cover_the_worst_and_the_best_of_them() -> None:
    good, bad = JudgeErrors(200, 190, 200, 190), JudgeErrors(200, 150, 200, 120)
    both = judged_interval(60, 100, [good, bad])
    for alone in (judged_interval(60, 100, [good]), judged_interval(60, 100, [bad])):
        assert both[0] <= alone[0]
        assert alone[1] <= both[1]
    assert both != judged_interval(60, 100, [good])


def test_what_was_not_judged_may_be_either() -> None:
    judge = [JudgeErrors(10**6, 10**6, 10**6, 10**6)]
    low, high = judged_interval(40, 100, judge, unjudged=20)
    assert low == judged_interval(40, 100, judge)[0]
    assert high == judged_interval(60, 100, judge)[1]


def test_a_measurement_on_too_few_units_of_a_kind_is_left_aside_for_that_kind() -> None:
    good, few = JudgeErrors(200, 190, 200, 190), JudgeErrors(1, 0, 200, 190)
    assert judged_interval(60, 100, [good, few])[1] == 1.0
    assert judged_interval(60, 100, [good, few], least=30) == judged_interval(60, 100, [good])
    assert judged_interval(60, 100, [few], least=30)[1] == 1.0


def test_a_judge_no_better_than_a_coin_says_nothing() -> None:
    assert judged_interval(60, 100, [JudgeErrors(50, 25, 50, 25)]) == (0.0, 1.0)
    assert judged_interval(0, 0, [JudgeErrors(50, 50, 50, 50)]) == (0.0, 1.0)


@pytest.mark.parametrize(("hits", "unjudged"), [(-1, 0), (11, 0), (9, 2)])
def test_counts_that_are_none_are_refused(hits: int, unjudged: int) -> None:
    with pytest.raises(ValueError, match="no more units than there are"):
        judged_interval(hits, 10, [JudgeErrors(1, 1, 1, 1)], unjudged=unjudged)
    with pytest.raises(ValueError, match="measured"):
        judged_interval(1, 10, [])
