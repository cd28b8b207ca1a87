"""Two models on the same units: exact where they differ, silent where they agree."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest, kstest

from stillwatch.statistics import difference_interval, mcnemar_tail


def test_randomised_p_values_are_uniform_under_the_null_and_plain_ones_no_smaller() -> None:
    rng = np.random.default_rng(1)
    chances = rng.random(60)  # units differ from each other; the two models do not
    first, second = (rng.random((10_000, 60)) < chances for _ in range(2))
    gained, lost = (first & ~second).sum(1), (second & ~first).sum(1)
    fuzzy, plain = mcnemar_tail(gained, lost, rng), mcnemar_tail(gained, lost)
    assert kstest(10**fuzzy, "uniform").pvalue > 0.001
    assert (plain >= fuzzy).all()
    assert np.mean(10**plain <= 0.05) <= 0.055


@pytest.mark.parametrize(("gained", "lost"), [(0, 0), (5, 0), (7, 3), (3, 7), (40, 12)])
def test_it_is_the_sign_test_of_the_discordant_units(gained: int, lost: int) -> None:
    of = gained + lost
    truth = binomtest(gained, of, 0.5, alternative="greater").pvalue if of else 1.0
    assert 10 ** mcnemar_tail(gained, lost) == pytest.approx(truth)


@pytest.mark.parametrize("shares", [(0.3, 0.05), (0.1, 0.1), (0.0, 0.0), (0.02, 0.5)])
def test_the_difference_is_covered_as_often_as_promised(shares: tuple[float, float]) -> None:
    rng = np.random.default_rng(2)
    drawn = rng.multinomial(80, [*shares, 1 - sum(shares)], 1_000)
    missed = 0
    for gained, lost, _ in drawn.tolist():
        low, high = difference_interval(gained, lost, 80)
        missed += not low <= shares[0] - shares[1] <= high
    assert missed <= 50


def test_nothing_tried_says_nothing_and_impossible_counts_are_refused() -> None:
    assert difference_interval(0, 0, 0) == (-1.0, 1.0)
    with pytest.raises(ValueError, match="discordant"):
        difference_interval(6, 5, 10)
    with pytest.raises(ValueError, match="negative"):
        mcnemar_tail(-1, 5)
