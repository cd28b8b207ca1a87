"""Calibration: who is told to be one of the even ones beside bystanders."""

import numpy as np
import pytest

from stillwatch.statistics import in_spike


def volumes(rng: np.random.Generator, accounts: int, mean: float, sigma: float) -> np.ndarray:
    return rng.poisson(mean * rng.lognormal(0, sigma, accounts))


def campaign_with_bystanders(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """30 even accounts around 24 beside 26 uneven ones around 6, and which are the even ones."""
    counts = np.concatenate([volumes(rng, 30, 24, 0.3), volumes(rng, 26, 6, 1.1)])
    even = np.arange(56) < 30
    return counts[counts >= 2], even[counts >= 2]


def test_the_even_ones_are_told_from_bystanders_who_are_far_off() -> None:
    rng = np.random.default_rng(59)
    even, uneven = volumes(rng, 30, 240, 0.2), np.array([2, 3, 5, 9, 14, 20, 2_400, 9_000] * 3)
    said = in_spike(np.concatenate([even, uneven]), least=2)
    assert said[:30].mean() > 0.8
    assert said[30:].max() < 0.01


def test_what_looks_like_both_is_left_open() -> None:
    """A bystander may happen to send as much as the even ones do."""
    rng = np.random.default_rng(3)
    counts, even = campaign_with_bystanders(rng)
    said = in_spike(counts, least=2)
    assert said[even].mean() > said[~even].mean() + 0.3
    assert said.max() < 1.0


def test_where_all_are_even_all_are_members() -> None:
    rng = np.random.default_rng(61)
    assert in_spike(volumes(rng, 60, 240, 0.3)).min() > 0.8


def test_the_probability_of_being_an_even_one_is_that() -> None:
    """Groups as often without bystanders as with them, as the prior has it."""
    rng = np.random.default_rng(67)
    said, real = [], []
    for group in range(110):
        alone = group % 2 == 0
        share = 1.0 if alone else rng.uniform(0.3, 0.9)
        sigma = rng.uniform(0.0, 0.8) if alone else rng.uniform(0.15, 0.5)
        even = rng.random(120) < share
        shift, beside = rng.uniform(-3.0, 1.5), rng.uniform(1.0, 1.4)
        log_rate = np.where(even, rng.normal(0, sigma, 120), rng.normal(shift, beside, 120))
        counts = rng.poisson(400 * np.exp(log_rate))
        said.append(in_spike(counts[counts >= 1]))
        real.append(even[counts >= 1])
    p, is_even = np.concatenate(said), np.concatenate(real)
    for low, high in [(0.0, 0.1), (0.1, 0.5), (0.5, 0.8), (0.8, 1.0)]:
        inside = (p >= low) & (p <= high)
        assert inside.sum() > 300
        assert is_even[inside].mean() == pytest.approx(p[inside].mean(), abs=0.08)


def test_the_order_of_the_accounts_says_nothing() -> None:
    rng = np.random.default_rng(71)
    counts, _ = campaign_with_bystanders(rng)
    seen = np.where(counts > 20, 0.5, 1.0)
    order = rng.permutation(len(counts))
    assert in_spike(counts[order], seen[order], least=2) == pytest.approx(
        in_spike(counts, seen, least=2)[order]
    )


def test_the_level_says_nothing() -> None:
    """Wherever the level lies between the places of the lattice."""
    rng = np.random.default_rng(73)
    counts = np.concatenate([volumes(rng, 20, 4_000, 0.1), volumes(rng, 20, 9_000, 1.2)])
    said = [in_spike(times * counts) for times in (100, 107, 115, 124)]
    assert np.ptp(said, axis=0).max() < 0.05


@pytest.mark.filterwarnings("error")
def test_extreme_volumes_give_numbers() -> None:
    for counts in ([2] * 6, [10**6] * 300, [2, 2, 2, 2, 2, 10**7], [1, 10**3, 10**5, 10**7]):
        said = in_spike(np.array(counts))
        assert np.all((said >= 0) & (said <= 1))


def test_of_too_few_accounts_none_is_a_member() -> None:
    assert in_spike(np.array([5, 5, 5])).tolist() == [0.0, 0.0, 0.0]
    assert len(in_spike(np.array([], dtype=np.int64))) == 0
