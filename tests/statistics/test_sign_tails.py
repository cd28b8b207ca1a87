"""Sums under random signs: as counting gives them, and as faint as they come."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest

from stillwatch.statistics import binomial_tail, sign_tail


@given(st.lists(st.integers(-9, 9), max_size=9))
def test_tails_are_those_of_counting_all_signs(numbers: list[int]) -> None:
    sums = np.array([np.dot(s, numbers) for s in itertools.product([-1, 1], repeat=len(numbers))])
    totals = np.arange(-85, 85)
    truth = np.mean(sums[:, None] >= totals, axis=0)
    assert 10 ** sign_tail(totals, numbers) == pytest.approx(truth, rel=1e-12, abs=1e-300)


def test_equal_numbers_have_the_binomial_law_to_the_last_tail() -> None:
    pluses = np.arange(301)
    said = sign_tail((2 * pluses - 300) * 7, np.full(300, 7))
    assert said == pytest.approx(binomial_tail(pluses, 300, 0.5), rel=1e-10, abs=1e-12)
    assert said[-1] == pytest.approx(300 * np.log10(0.5))


def test_randomised_p_values_are_uniform() -> None:
    rng = np.random.default_rng(1)
    for numbers in ([5, 3, 1, 1, 0], np.arange(40)):
        totals = rng.choice([-1, 1], (20_000, len(numbers))) @ np.asarray(numbers)
        fuzzy = sign_tail(totals, numbers, rng)
        assert (fuzzy <= sign_tail(totals, numbers)).all()
        assert kstest(10**fuzzy, "uniform").pvalue > 0.001


def test_no_numbers_have_one_sum() -> None:
    assert sign_tail([-1, 0, 1], []).tolist() == [0, 0, -np.inf]
    assert sign_tail(0, [0, 0]) == 0


@pytest.mark.parametrize(
    ("total", "numbers"),
    [(0.5, [1]), (1, [0.5]), (1, [[1]]), (1, [np.nan]), (np.nan, [1]), (0, [10**7, 1])],
)  # fmt: skip
def test_what_is_not_whole_or_is_too_much_is_refused(total: float, numbers: list[float]) -> None:
    with pytest.raises(ValueError, match=r"whole|at most"):
        sign_tail(total, numbers)
