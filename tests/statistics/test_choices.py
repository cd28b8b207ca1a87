"""Favoured options: tails as counting gives them, and wealth that may be read at any time."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest

from stillwatch.statistics import binomial_tail, choice_e_values, choice_tail


@given(st.lists(st.sampled_from([0.5, 1 / 3, 0.25, 0.9]), min_size=1, max_size=8))
def test_tails_are_those_of_counting_all_outcomes(shares: list[float]) -> None:
    p = np.array(shares)
    worlds = np.array(list(itertools.product([0, 1], repeat=len(shares))), np.int64)
    chances = np.prod(np.where(worlds == 1, p, 1 - p), axis=1)
    for hits in range(len(shares) + 1):
        truth = chances[worlds.sum(axis=1) >= hits].sum()
        assert 10 ** choice_tail(hits, shares) == pytest.approx(truth, rel=1e-9)


def test_like_choices_have_the_binomial_law_to_the_last_tail() -> None:
    for hits in (0, 1, 250, 300, 500, 999, 1_000):
        said = choice_tail(hits, np.full(1_000, 0.25))
        assert said == pytest.approx(float(binomial_tail(hits, 1_000, 0.25)), rel=1e-9, abs=1e-12)


def test_a_tail_that_no_float_can_hold_is_said() -> None:
    shares = np.array([0.25] * 800 + [0.5] * 200)
    assert choice_tail(1_000, shares) == pytest.approx(np.log10(shares).sum())


def test_randomised_p_values_are_uniform() -> None:
    rng = np.random.default_rng(1)
    shares = np.array([0.5, 0.25, 0.25, 1 / 3, 0.25])
    hits = (rng.random((3_000, 5)) < shares).sum(axis=1)
    fuzzy = np.array([choice_tail(int(each), shares, rng) for each in hits])
    assert kstest(10**fuzzy, "uniform").pvalue > 0.001


def test_wealth_that_is_read_at_its_highest_is_rarely_high() -> None:
    rng = np.random.default_rng(2)
    shares = rng.choice([0.5, 1 / 3, 0.25], 200)
    highest = [choice_e_values(rng.random(200) < shares, shares).max() for _ in range(2_000)]
    for times in (5, 20):
        assert np.mean(np.array(highest) >= np.log(times)) <= 1 / times + 0.01


def test_wealth_after_some_choices_is_not_changed_by_those_that_follow() -> None:
    hits, shares = np.array([True, True, False, True]), np.array([0.5, 0.25, 0.25, 0.5])
    whole = choice_e_values(hits, shares)
    assert choice_e_values(hits[:2], shares[:2]) == pytest.approx(whole[:2])


def test_wealth_is_a_fair_bet_on_each_choice() -> None:
    for share in (0.5, 0.25):
        won, lost = (np.exp(choice_e_values(np.array([hit]), [share])[0]) for hit in (True, False))
        assert share * won + (1 - share) * lost == pytest.approx(1.0)


def test_a_key_that_was_always_followed_makes_much_of_it() -> None:
    assert choice_e_values(np.ones(40, np.bool_), np.full(40, 0.25))[-1] > 40


@pytest.mark.parametrize(
    ("hits", "shares"), [(2, [0.5]), (-1, [0.5]), (0, [0.0]), (0, [1.0]), (0, [[0.5]])]
)
def test_what_are_no_choices_is_refused(hits: int, shares: list[float]) -> None:
    with pytest.raises(ValueError, match=r"choices|shares"):
        choice_tail(hits, shares)
    with pytest.raises(ValueError, match="share"):
        choice_e_values(np.ones(3, np.bool_), [0.5])
