"""Tails of sums: exact where they can be summed, smooth where the method changes, calibrated."""

from __future__ import annotations

from fractions import Fraction
from math import comb, factorial, log, log10

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest

from stillwatch.statistics import binomial_tail, gamma_tail, holm, holm_log10, log_tails

DEEP = st.floats(1e-3, 1e6)


def poisson_tail(total: Fraction, of: int) -> float:
    """log10 of e^-total · Σ total^j / j! over j below `of`, which is P(Gamma(of, 1) ≥ total)."""
    terms = sum((total**j / factorial(j) for j in range(of)), Fraction(0))
    return log10(terms.numerator) - log10(terms.denominator) - float(total) / log(10)


@pytest.mark.parametrize(
    ("total", "of"),
    [(1, 1), (5_000, 1), (3, 10), (40, 10), (700, 200), (2_000, 200), (3_000, 300), (90, 300)],
)
def test_gamma_tails_are_those_of_exact_sums(total: int, of: int) -> None:
    truth = poisson_tail(Fraction(total), of)
    assert gamma_tail(total, of) == pytest.approx(truth, rel=1e-12, abs=1e-13)


def test_the_binomial_tail_beyond_floats_is_that_of_exact_sums() -> None:
    p = Fraction(1, 4)
    ways = sum(comb(3_000, x) * p**x * (1 - p) ** (3_000 - x) for x in range(2_500, 3_001))
    truth = log10(ways.numerator) - log10(ways.denominator)
    assert truth < -900
    assert binomial_tail(2_500, 3_000, 0.25) == pytest.approx(truth, rel=1e-13)


@pytest.mark.parametrize("of", [40, 10**4, 10**6, 10**8])
def test_both_methods_say_the_same_where_both_can_be_asked(
    of: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """scipy's values down to 1e-250, and the continued fractions that go on from there."""
    sd = np.array([8.0, 15.0, 25.0, 32.0])
    total = of + sd * np.sqrt(of)
    hits = np.minimum(np.floor(of / 4 + sd * np.sqrt(of * 3 / 16)), of)
    by_scipy = np.concatenate([gamma_tail(total, of), binomial_tail(hits, of, 0.25)])
    monkeypatch.setattr(log_tails, "_FAINT", 1.0)
    by_fraction = np.concatenate([gamma_tail(total, of), binomial_tail(hits, of, 0.25)])
    assert (by_scipy > -250).all()
    assert by_fraction == pytest.approx(by_scipy, rel=1e-11)
    assert (by_fraction != by_scipy).any()


@given(st.integers(1, 10**8), DEEP, DEEP)
def test_a_larger_total_is_never_likelier(of: int, less: float, more: float) -> None:
    low, high = sorted((of * less, of * more))
    tail = gamma_tail([low, high], of)
    assert tail[1] <= tail[0] <= 0


@given(st.integers(1, 10**8), st.floats(0.001, 0.999), st.floats(0, 1), st.floats(0, 1))
def test_more_hits_are_never_likelier(of: int, share: float, one: float, two: float) -> None:
    low, high = sorted((np.floor(one * of), np.floor(two * of)))
    tail = binomial_tail([low, high], of, share)
    assert tail[1] <= tail[0] <= 0


def test_ten_million_digits_are_no_problem() -> None:
    assert gamma_tail(2.4e7, 1) == pytest.approx(-2.4e7 / log(10), rel=1e-15)
    assert -1.1e8 < gamma_tail(5e8, 10**8) < -1e8
    assert binomial_tail(10**8, 10**8, 0.5) == pytest.approx(-(10**8) * log10(2), rel=1e-14)
    assert np.isfinite(binomial_tail(9 * 10**7, 10**8, 0.25))


def test_totals_of_chance_have_uniform_p_values() -> None:
    rng = np.random.default_rng(1)
    for of in (1, 7, 400):
        p = 10 ** gamma_tail(rng.gamma(of, size=20_000), of)
        assert kstest(p, "uniform").pvalue > 0.001


def test_mid_p_values_average_one_half_and_lie_between_the_tails() -> None:
    rng = np.random.default_rng(2)
    hits = rng.binomial(9, 0.3, 20_000)
    mid, plain = 10 ** binomial_tail(hits, 9, 0.3, mid=True), 10 ** binomial_tail(hits, 9, 0.3)
    beyond = 10 ** binomial_tail(hits + 1, 9, 0.3)
    assert mid.mean() == pytest.approx(0.5, abs=0.008)
    assert mid == pytest.approx((plain + beyond) / 2, rel=1e-9)


def test_the_edges_of_a_total_are_certain_or_impossible() -> None:
    assert gamma_tail([0, -1, 5], [3, 3, 0]).tolist() == [0, 0, -np.inf]
    assert gamma_tail(np.inf, 3) == -np.inf
    assert gamma_tail(0, 0) == 0


def test_what_is_no_sum_is_refused() -> None:
    for total, of in ((np.nan, 3), (1, -1), (1, 1.5)):
        with pytest.raises(ValueError):
            gamma_tail(total, of)
    with pytest.raises(ValueError, match="not both"):
        binomial_tail(1, 2, 0.5, np.random.default_rng(), mid=True)
    for share in (np.nan, 2):
        with pytest.raises(ValueError, match="share"):
            binomial_tail(1, 2, share)


def test_holm_in_logarithms_is_holm_and_does_not_vanish() -> None:
    p = np.random.default_rng(3).random(50) ** 4
    assert 10 ** holm_log10(np.log10(p)) == pytest.approx(holm(p), rel=1e-12)
    assert holm_log10([-5_000.0, -1.0, 0.0]) == pytest.approx([-5_000 + log10(3), -1 + log10(2), 0])
    assert holm_log10([]).tolist() == []
    with pytest.raises(ValueError, match="above 0"):
        holm_log10([0.5])
    with pytest.raises(ValueError):
        holm_log10([np.nan])
