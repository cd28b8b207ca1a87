"""Flipped signs: as counting gives them, and calibrated where pairs are exchangeable."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from stillwatch.statistics import sign_flip_tail


@pytest.mark.parametrize("numbers", [[3, -1, 4], [5], [0, 0], [2, 2, 2, 2, -7], [10, 9, 8, 1]])
def test_it_is_the_share_of_signs_that_lean_as_much(numbers: list[int]) -> None:
    sums = [abs(np.dot(s, numbers)) for s in itertools.product([-1, 1], repeat=len(numbers))]
    truth = np.mean(np.array(sums) >= abs(sum(numbers)))
    # twice the upper tail; a sum of 0 is no lean at all
    assert 10 ** sign_flip_tail(numbers) == pytest.approx(min(1.0, truth))


def test_exchangeable_pairs_are_rejected_as_often_as_promised() -> None:
    rng, runs = np.random.default_rng(1), 10_000
    p = np.empty(runs)
    for i in range(runs):
        sizes = np.round(rng.lognormal(1.5, 1, 9))  # heavy tails and pairs of unlike size
        p[i] = 10 ** sign_flip_tail(sizes * rng.choice([-1, 1], 9))
    for level in (0.01, 0.05, 0.2):
        assert level * 0.7 - 0.005 <= np.mean(p <= level) <= level * 1.2 + 0.002


def test_ten_pairs_that_all_lean_one_way_have_two_chances_in_two_to_the_tenth() -> None:
    assert sign_flip_tail([-4] * 10) == pytest.approx(np.log10(2 * 0.5**10))


def test_many_pairs_that_all_lean_one_way_are_as_faint_as_they_are() -> None:
    assert sign_flip_tail([3] * 4_000) == pytest.approx(np.log10(2) - 4_000 * np.log10(2))
