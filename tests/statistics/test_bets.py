"""Calibration: what repeated bets win where the bound holds, and where it does not."""

import itertools

import numpy as np
import pytest

from stillwatch.statistics import bets_e_value

#: every way in which eight bets can end
EVERY = np.array(list(itertools.product([False, True], repeat=8)))


def mean_where(chances: np.ndarray, bound: np.ndarray | float) -> float:
    """The exact mean of the e-value; `chances` of a hit, of each bet or of each bet and outcome."""
    likelihood = np.where(EVERY, chances, 1 - chances).prod(axis=1)
    e = np.exp([bets_e_value(hits, bound) for hits in EVERY])
    return float(likelihood @ e)


@pytest.mark.parametrize("bound", [0.001, 0.25, 0.8, 0.99])
def test_where_the_bound_is_just_met_the_mean_is_one(bound: float) -> None:
    assert mean_where(np.full(8, bound), bound) == pytest.approx(1.0)


def test_so_it_is_where_each_bet_has_a_bound_of_its_own() -> None:
    bounds = np.array([0.02, 0.9, 0.3, 0.3, 0.6, 0.05, 0.99, 0.5])
    assert mean_where(bounds, bounds) == pytest.approx(1.0)
    assert mean_where(0.9 * bounds, bounds) < 0.99


def test_hits_that_depend_on_the_past_keep_it_if_they_stay_below_the_bound() -> None:
    """Whoever sees how it went may choose the next chance, as long as the bound holds."""
    rng = np.random.default_rng(1)
    bounds = rng.uniform(0.05, 0.7, 8)
    past = np.cumsum(EVERY, axis=1) - EVERY
    streak = np.where(past * 2 > np.arange(8), bounds, 0.1 * bounds)  # who wins goes on winning
    revenge = np.where(past * 2 > np.arange(8), 0.0, bounds)
    for chances in (streak, revenge):
        assert mean_where(chances, bounds) <= 1 + 1e-9
    assert mean_where(np.minimum(1.0, 1.5 * streak), bounds) > 1


@pytest.mark.parametrize("bound", [0.02, 0.25, 0.9])
@pytest.mark.parametrize("bets", [3, 30, 300])
@pytest.mark.parametrize("below", [1.0, 0.7])
def test_under_the_null_the_mean_is_at_most_one(bound: float, bets: int, below: float) -> None:
    rng = np.random.default_rng(3)
    own = bound * rng.uniform(0.5, 1.0, bets)
    for bounds in (np.full(bets, bound), own):
        hits = rng.random((2_000, bets)) < below * bounds
        e = np.exp([bets_e_value(each, bounds) for each in hits])
        assert e.mean() <= 1.0 + 3 * e.std() / np.sqrt(len(e))
        assert (e >= 20).mean() <= 1 / 20


def test_hits_beyond_the_bound_are_evidence_and_more_of_them_are_more() -> None:
    nats = [bets_e_value(np.ones(n, dtype=bool), 0.25) for n in (1, 5, 20, 80)]
    assert nats[0] < np.log(4)
    assert nats[2] > 20
    assert nats == sorted(nats)


def test_few_hits_are_evidence_against() -> None:
    assert bets_e_value(np.zeros(40, dtype=bool), 0.25) < -2


def test_the_order_of_the_bets_does_not_matter() -> None:
    rng = np.random.default_rng(4)
    hits, bounds, order = rng.random(50) < 0.4, rng.uniform(0.1, 0.9, 50), rng.permutation(50)
    assert bets_e_value(hits[order], bounds[order]) == pytest.approx(bets_e_value(hits, bounds))


def test_without_bets_nothing_is_said() -> None:
    assert bets_e_value(np.zeros(0, dtype=bool), 0.25) == 0.0
    assert bets_e_value(np.zeros(0, dtype=bool), np.zeros(0)) == 0.0


@pytest.mark.parametrize("bound", [0.995, 0.999, 1.0])
def test_a_bound_near_one_says_nothing(bound: float) -> None:
    for hits in (np.ones(100, dtype=bool), np.zeros(100, dtype=bool)):
        assert bets_e_value(hits, bound) == pytest.approx(0.0, abs=1e-9)


def test_bets_that_say_nothing_take_nothing_from_those_that_do() -> None:
    hits = np.ones(12, dtype=bool)
    bounds = np.array([0.2] * 6 + [1.0] * 6)
    assert bets_e_value(hits, bounds) == pytest.approx(bets_e_value(hits[:6], 0.2))
