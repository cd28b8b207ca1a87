"""The bound covers the true share as often as it says."""

import numpy as np
import pytest

from stillwatch.statistics import count_pairs, upper_bound


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5])
def test_the_bound_covers_the_share(share: float) -> None:
    rng = np.random.default_rng(1)
    hits = rng.binomial(200, share, 3000)
    covered = [upper_bound(int(h), 200) >= share for h in hits]
    assert np.mean(covered) >= 0.94


def test_nothing_seen_in_n_tries_bounds_by_about_three_over_n() -> None:
    assert upper_bound(0, 600) == pytest.approx(3 / 600, rel=0.01)


def test_without_tries_nothing_is_known() -> None:
    assert upper_bound(0, 0) == 1.0


def test_pairs_are_counted_with_their_values() -> None:
    left, right, counts = count_pairs(np.array([7, 7, 3, 7]), np.array([1, 2, 1, 1]))
    assert list(zip(left, right, counts, strict=True)) == [(3, 1, 1), (7, 1, 2), (7, 2, 1)]
