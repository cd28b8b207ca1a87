"""Calibration: shares and repeats under their nulls, and that they notice what is there."""

import numpy as np
import pytest
from scipy.special import beta, binom

from stillwatch.statistics import excess, rarity_of_repeats


def exceeds(said: np.ndarray, odds: float) -> float:
    return float(np.mean(said >= np.log(odds)))


@pytest.mark.parametrize("share", [0.002, 0.05, 0.5])
@pytest.mark.parametrize("of", [5, 40])
def test_a_share_like_everybody_elses_rarely_counts(share: float, of: int) -> None:
    rng = np.random.default_rng(3)
    hits, other = rng.binomial(of, share, 2_000), rng.binomial(1_500, share, 2_000)
    said = np.array([excess(h, of, o, 1_500) for h, o in zip(hits, other, strict=True)])
    assert exceeds(said, 20) <= 1 / 20
    assert exceeds(said, 4) <= 1 / 4


def test_under_the_averaged_null_the_factor_is_an_e_value() -> None:
    of, others = 6, 25
    hits, other = (grid.ravel() for grid in np.mgrid[: of + 1, : others + 1])
    said = np.array([excess(h, of, o, others) for h, o in zip(hits, other, strict=True)])
    tables = binom(of, hits) * binom(others, other)
    null = tables * beta(hits + other + 0.5, of + others - hits - other + 0.5) / beta(0.5, 0.5)
    assert null.sum() == pytest.approx(1)
    assert 0.2 < (null * np.exp(said))[said > 0].sum() <= 1


def test_a_larger_share_counts_the_more_the_rarer_it_is_elsewhere() -> None:
    assert excess(8, 20, 15, 1_500) > excess(8, 20, 150, 1_500) > 2


@pytest.mark.parametrize(("hits", "of"), [(0, 20), (1, 200), (0, 0)])
def test_a_smaller_share_or_nobody_counts_nothing(hits: int, of: int) -> None:
    assert excess(hits, of, 150, 1_500) == 0


def test_without_anybody_to_compare_with_nothing_counts() -> None:
    assert excess(5, 5, 0, 0) == 0


@pytest.mark.parametrize("expected", [0.3, 3.0, 40.0])
def test_chance_repeats_rarely_look_avoided(expected: float) -> None:
    rng = np.random.default_rng(5)
    said = np.array([rarity_of_repeats(int(x), expected) for x in rng.poisson(expected, 3_000)])
    assert exceeds(said, 20) <= 1 / 20
    assert np.exp(said).mean() <= 1.1  # an e-value


def test_a_divided_set_has_fewer_repeats_than_chance_and_a_replayed_one_more() -> None:
    assert rarity_of_repeats(0, 20.0) > 10
    assert rarity_of_repeats(20, 20.0) < 0
    assert rarity_of_repeats(400, 20.0) < -3
    assert rarity_of_repeats(0, 0.0) == 0
