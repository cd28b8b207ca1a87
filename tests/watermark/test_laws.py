"""The laws of scores: each the exact tail of the statistics room."""

from __future__ import annotations

import numpy as np
import pytest

from stillwatch.statistics import binomial_tail, gamma_tail, lattice_tail
from stillwatch.watermark import Bernoulli, Exponential, Lattice


def test_each_law_asks_for_the_tail_of_its_sums() -> None:
    totals = np.array([20.0, 40.0])
    assert Exponential().log10_p(totals, 30).tolist() == gamma_tail(totals, 30).tolist()
    assert Bernoulli(0.3).log10_p(totals, 50).tolist() == binomial_tail(totals, 50, 0.3).tolist()
    masses = (0.25, 0.5, 0.25)
    assert Lattice(masses).log10_p(totals, 30).tolist() == lattice_tail(totals, 30, masses).tolist()


def test_only_discrete_laws_are_randomised() -> None:
    rng = np.random.default_rng(1)
    assert Exponential().log10_p(40.0, 30, rng) == Exponential().log10_p(40.0, 30)
    for law in (Bernoulli(0.5), Lattice((0.25, 0.5, 0.25))):
        assert law.log10_p(30, 50, rng) < law.log10_p(30, 50)


def test_the_mean_of_a_law_is_that_of_its_scores() -> None:
    rng = np.random.default_rng(2)
    assert Exponential().mean == pytest.approx(rng.exponential(size=10_000).mean(), abs=0.05)
    assert Bernoulli(0.3).mean == 0.3
    assert Lattice((0.1, 0.2, 0.7)).mean == pytest.approx(1.6)


def test_what_is_no_law_is_refused() -> None:
    for share in (0.0, 1.0, -0.1, np.nan):
        with pytest.raises(ValueError, match="share"):
            Bernoulli(share)
    with pytest.raises(ValueError, match="masses"):
        Lattice((0.5, 0.6))
