"""Sums of whole-numbered scores: as convolution gives them, and beyond what it can hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import kstest

from stillwatch.statistics import binomial_tail, lattice_tail

LAWS = st.lists(st.integers(0, 5), min_size=2, max_size=7).filter(lambda m: sum(m) > 0)


@settings(max_examples=60, deadline=None)
@given(LAWS, st.integers(0, 25))
@example([1, 0, 0, 2], 9)  # a window that holds every total, seen from its middle
def test_tails_are_those_of_convolution(parts: list[int], of: int) -> None:
    law = np.array(parts) / sum(parts)
    summed = np.ones(1)
    for _ in range(of):
        summed = np.convolve(summed, law)
    totals = np.arange(len(summed) + 2)
    truth = np.append(np.cumsum(summed[::-1])[::-1], [0, 0])
    assert 10 ** lattice_tail(totals, of, law) == pytest.approx(truth, rel=1e-9, abs=1e-300)
    assert lattice_tail(-1, of, law) == 0


@pytest.mark.parametrize("of", [3, 400, 10**6])
def test_two_values_are_the_binomial_law_however_far_out(of: int) -> None:
    hits = np.unique(np.floor(of * np.array([0, 0.1, 0.3, 0.301, 0.32, 0.6, 0.99, 1.0])))
    said = lattice_tail(hits, of, [0.7, 0.3])
    assert said == pytest.approx(binomial_tail(hits, of, 0.3), rel=1e-8, abs=1e-12)
    assert of < 10**6 or said.min() < -500_000


def test_values_with_gaps_and_masses_of_one_value_are_fine() -> None:
    assert lattice_tail([3, 4, 6], 2, [0.5, 0, 0, 0.5]) == pytest.approx(
        np.log10([0.75, 0.25, 0.25])
    )
    assert lattice_tail([10, 11], 5, [0, 0, 1]).tolist() == [0, -np.inf]
    assert lattice_tail([0, 1], 0, [0.5, 0.5]).tolist() == [0, -np.inf]


def test_randomised_p_values_are_uniform_and_plain_ones_conservative() -> None:
    rng = np.random.default_rng(1)
    law = np.array([0.4, 0.3, 0.2, 0.1])
    for of in (3, 60):
        totals = rng.choice(4, (20_000, of), p=law).sum(axis=1)
        plain, fuzzy = lattice_tail(totals, of, law), lattice_tail(totals, of, law, rng)
        assert (fuzzy <= plain).all()
        assert kstest(10**fuzzy, "uniform").pvalue > 0.001
        for level in (0.01, 0.05, 0.3):
            assert np.mean(10**plain <= level) <= level + 0.003


def test_what_is_no_law_and_what_is_no_count_are_refused() -> None:
    for masses in ([1.0], [0.5, 0.6], [-0.5, 1.5], [[0.5, 0.5]], [np.nan, 1.0]):
        with pytest.raises(ValueError, match="masses"):
            lattice_tail(1, 2, masses)
    for total, of in ((0.5, 2), (1, -1), (np.nan, 2), (1, 1.5)):
        with pytest.raises(ValueError, match="whole"):
            lattice_tail(total, of, [0.5, 0.5])
