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
        together = others * rng.binomial(1, chance, len(others))
        members = together if household else rng.binomial(others, chance)
        e.append(np.exp(holders_e_value(members, others, chance)))
    assert np.mean(e) <= 1.0 + 4 * np.std(e) / np.sqrt(len(e))
    assert np.mean(np.array(e) >= 20) <= 1 / 20


def test_cards_that_stay_within_a_group_are_strong_evidence() -> None:
    assert holders_e_value(np.full(12, 2), np.full(12, 2), 0.1) > 12


def test_a_card_is_one_piece_of_evidence_however_many_hold_it() -> None:
    twenty = holders_e_value(np.array([20]), np.array([20]), 0.02)
    two = holders_e_value(np.array([1]), np.array([1]), 0.02)
    assert twenty <= two < np.log(1 / 0.02)


def test_values_shared_all_over_the_log_are_evidence_against() -> None:
    assert holders_e_value(np.zeros(60, int), np.full(60, 2), 0.2) < -1


def test_no_shared_value_says_nothing() -> None:
    assert holders_e_value(np.zeros(0, int), np.zeros(0, int), 0.1) == 0.0


def test_what_cannot_be_is_refused() -> None:
    one = np.array([1])
    with pytest.raises(ValueError, match="chance"):
        holders_e_value(one, one, 0.0)
    with pytest.raises(ValueError, match="one at least"):
        holders_e_value(np.array([0]), np.array([0]), 0.1)
    with pytest.raises(ValueError, match="some of the further"):
        holders_e_value(np.array([2]), one, 0.1)
