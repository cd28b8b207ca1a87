"""Scores of options that fell at random: tails as counting all outcomes gives them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest

from stillwatch.statistics import choice_tail, scored_tails

ROWS = st.lists(st.lists(st.integers(-9, 9), min_size=1, max_size=4), min_size=1, max_size=5)


def padded(rows: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    options = np.array([len(row) for row in rows])
    scores = np.full((len(rows), 4), 99, np.int64)  # what stands beyond the options never counts
    for row, said in zip(scores, rows, strict=True):
        row[: len(said)] = said
    return scores, options


@given(ROWS)
def test_tails_are_those_of_counting_all_outcomes(rows: list[list[int]]) -> None:
    sums = np.array([sum(each) for each in itertools.product(*rows)])
    totals = np.arange(sums.min(), sums.max() + 1)
    truth = [(sums >= total).mean() for total in totals]
    scores, options = padded(rows)
    assert 10 ** scored_tails(totals, scores, options) == pytest.approx(truth, rel=1e-9)
    beyond = scored_tails([sums.min() - 5, sums.max() + 1], scores, options)
    assert beyond.tolist() == [0.0, -np.inf]


def test_scores_of_hit_and_miss_have_the_law_of_unlike_coins_to_the_last_tail() -> None:
    options = np.array([4] * 500 + [3] * 100 + [2] * 200)
    scores = np.zeros((800, 4), np.int64)
    scores[:, 1] = 1
    hits = np.array([0, 120, 260, 300, 500, 799, 800])
    said = scored_tails(hits, scores, options)
    truth = [choice_tail(each, 1 / options) for each in hits.tolist()]
    assert said == pytest.approx(np.array(truth), rel=1e-9, abs=1e-12)


def test_randomised_p_values_are_uniform() -> None:
    rng = np.random.default_rng(1)
    scores = np.array([[0, 1, 2, 2], [0, 3, 0, 0], [-1, 0, 1, 0]])  # few sums, each of some mass
    options = np.array([4, 2, 3])
    drawn = (rng.random((20_000, 3)) * options).astype(np.int64)
    totals = scores[np.arange(3), drawn].sum(axis=1)
    p = 10 ** scored_tails(totals, scores, options, rng)
    assert kstest(p, "uniform").pvalue > 0.001


def test_no_choice_says_nothing() -> None:
    none = scored_tails([0, 1], np.zeros((0, 4), np.int64), np.zeros(0, np.int64))
    assert none.tolist() == [0.0, -np.inf]


@pytest.mark.parametrize(
    ("totals", "scores", "options", "said"),
    [
        ([0.5], np.zeros((1, 2), np.int64), np.array([2]), "whole"),
        ([0], np.zeros((1, 2), np.int64), np.array([3]), "columns"),
        ([0], np.zeros((2, 2), np.int64), np.array([2]), "options"),
        ([0], np.array([[0, 10**9]]), np.array([2]), "20,000,000"),
    ],
)
def test_what_is_no_score_is_refused(
    totals: list[float], scores: np.ndarray, options: np.ndarray, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        scored_tails(totals, scores, options)


def test_the_faintest_tail_keeps_its_digits_where_one_choice_says_far_more_than_the_others() -> (
    None
):
    scores = np.zeros((9_001, 2), np.int64)
    scores[:, 0] = 1
    scores[0, 0] = 400
    all_of_them = int(scores.max(axis=1).sum())
    said = scored_tails(all_of_them, scores, np.full(9_001, 2))
    assert said == pytest.approx(-9_001 * np.log10(2), rel=1e-9)
