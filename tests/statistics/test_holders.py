"""Calibration: holders of shared values inside a group when there is nothing but chance."""

import numpy as np
import pytest

from stillwatch.statistics import holders_e_value


@pytest.mark.parametrize("chance", [0.002, 0.03, 0.3, 0.9])
@pytest.mark.parametrize("household", [False, True])
def test_under_the_null_the_mean_is_at_most_one(chance: float, household: bool) -> None:
    """Also where all further holders of a value are members together, or none is."""
    rng = np.random.default_rng(3)
    e = []
    for _ in range(4_000):
        others = rng.geometric(0.5, rng.integers(1, 40))
        tries = np.ones_like(others) if household else others
        together = rng.binomial(tries, chance) > 0
        e.append(np.exp(holders_e_value(together, others, chance)))
    assert np.mean(e) <= 1.0 + 4 * np.std(e) / np.sqrt(len(e))
    assert np.mean(np.array(e) >= 20) <= 1 / 20


def test_cards_that_stay_within_a_group_are_strong_evidence() -> None:
    assert holders_e_value(np.ones(12, bool), np.full(12, 2), 0.02) > 20


def test_one_card_is_one_piece_of_evidence_however_many_hold_it() -> None:
    many = holders_e_value(np.array([True]), np.array([20]), 0.02)
    two = holders_e_value(np.array([True]), np.array([1]), 0.02)
    assert many < two < np.log(1 / 0.02)


def test_values_shared_all_over_the_log_are_evidence_against() -> None:
    assert holders_e_value(np.zeros(60, bool), np.full(60, 2), 0.2) < -1


def test_no_shared_value_says_nothing() -> None:
    assert holders_e_value(np.zeros(0, bool), np.zeros(0, int), 0.1) == 0.0


def test_what_cannot_be_is_refused() -> None:
    one = np.array([True])
    with pytest.raises(ValueError, match="chance"):
        holders_e_value(one, np.array([1]), 0.0)
    with pytest.raises(ValueError, match="leave it out"):
        holders_e_value(one, np.array([0]), 0.1)
