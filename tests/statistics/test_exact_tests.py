"""Exact tails: against fractions, under the null, and far beyond what a float can hold."""

from fractions import Fraction
from math import comb, log10

import numpy as np
import pytest
from scipy.stats import fisher_exact, hypergeom

from stillwatch.statistics import binomial_tail, fisher_tail, hypergeometric_tail


def exact(parts: list[Fraction]) -> float:
    total = sum(parts, Fraction(0))
    return log10(total.numerator) - log10(total.denominator) if total else -np.inf


@pytest.mark.parametrize(
    ("hits", "of", "share"),
    [(0, 5, 0.2), (1, 5, 0.2), (5, 5, 0.2), (274, 295, 0.0684), (3, 200, 1e-5), (90, 400, 0.2),
     (500, 500, 0.01), (399, 400, 0.999), (300, 1_000, 0.5)],
)  # fmt: skip
def test_binomial_tails_are_those_of_exact_fractions(hits: int, of: int, share: float) -> None:
    p = Fraction(share)
    truth = exact([comb(of, x) * p**x * (1 - p) ** (of - x) for x in range(hits, of + 1)])
    assert binomial_tail(hits, of, share) == pytest.approx(truth, rel=1e-11, abs=1e-12)


@pytest.mark.parametrize(
    ("hits", "draws", "marked", "population"),
    [(0, 5, 3, 20), (3, 5, 3, 20), (2, 5, 3, 20), (400, 400, 500, 5_000), (4, 10, 15, 20),
     (5, 10, 15, 20)],
)  # fmt: skip
def test_hypergeometric_tails_are_those_of_exact_fractions(
    hits: int, draws: int, marked: int, population: int
) -> None:
    ways = range(hits, min(draws, marked) + 1)
    truth = exact([
        Fraction(comb(marked, x) * comb(population - marked, draws - x), comb(population, draws))
        for x in ways
    ])  # fmt: skip
    said = hypergeometric_tail(hits, draws, marked, population)
    assert said == pytest.approx(truth, rel=1e-11, abs=1e-12)


def test_many_tables_at_once_agree_with_scipy() -> None:
    rng = np.random.default_rng(1)
    m = rng.integers(1, 200, 2_000)
    k, n = rng.integers(0, m + 1), rng.integers(0, m + 1)
    x = rng.integers(0, np.minimum(k, n) + 1)
    truth = hypergeom.sf(x - 1, m, k, n)
    kept = truth > 1e-200
    assert 10 ** hypergeometric_tail(x, n, k, m)[kept] == pytest.approx(truth[kept], rel=1e-8)


def test_the_table_of_fisher_is_read_as_his() -> None:
    said = 10 ** fisher_tail(8, 10, 3, 20)
    assert said == pytest.approx(fisher_exact([[8, 2], [3, 17]], alternative="greater").pvalue)


def test_a_p_value_smaller_than_any_float_keeps_its_logarithm() -> None:
    assert binomial_tail(2_000, 2_000, 0.001) == pytest.approx(-6_000)
    assert fisher_tail(3_000, 3_000, 0, 100_000) < -1_000
    assert binomial_tail(900_000, 1_000_000, 0.5) < -100_000


@pytest.mark.parametrize("share", [0.02, 0.5])
def test_randomised_p_values_are_uniform_and_plain_ones_conservative(share: float) -> None:
    rng = np.random.default_rng(2)
    hits = rng.binomial(12, share, 40_000)
    fuzzy = 10 ** binomial_tail(hits, 12, share, rng)
    assert np.histogram(fuzzy, 10, (0, 1))[0] == pytest.approx(np.full(10, 4_000), abs=4 * 60)
    plain = 10 ** binomial_tail(hits, 12, share)
    assert (fuzzy <= plain + 1e-12).all()
    for level in (0.01, 0.05, 0.3):
        assert np.mean(plain <= level) <= level + 0.003


def test_fisher_and_draws_without_replacement_are_calibrated() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.binomial(15, 0.3, 20_000), rng.binomial(40, 0.3, 20_000)
    plain, fuzzy = 10 ** fisher_tail(a, 15, b, 40), 10 ** fisher_tail(a, 15, b, 40, rng)
    x = rng.hypergeometric(30, 70, 20, 20_000)
    drawn = 10 ** hypergeometric_tail(x, 20, 30, 100, rng)
    for level in (0.01, 0.05, 0.3):
        assert np.mean(plain <= level) <= level
        assert np.mean(fuzzy <= level) == pytest.approx(level, abs=0.012)
        assert np.mean(drawn <= level) == pytest.approx(level, abs=0.012)


def test_a_larger_share_is_noticed() -> None:
    hits = np.random.default_rng(4).binomial(60, 0.4, 2_000)
    assert np.mean(binomial_tail(hits, 60, 0.15) < -3) > 0.9


def test_the_edges_are_certain_or_impossible() -> None:
    assert binomial_tail([0, 1, 3, 4], 3, 0.5)[[0, 3]].tolist() == [0.0, -np.inf]
    assert binomial_tail([0, 1], 5, 0.0).tolist() == [0.0, -np.inf]
    assert binomial_tail([5, 6], 5, 1.0).tolist() == [0.0, -np.inf]
    assert binomial_tail(0, 0, 0.5) == 0.0
    assert hypergeometric_tail([5, 10, 11], 10, 15, 20).tolist()[0] == 0.0
    assert hypergeometric_tail(11, 10, 15, 20) == -np.inf
    assert fisher_tail(0, 0, 0, 0) == 0.0
    rng = np.random.default_rng(5)
    assert binomial_tail(6, 5, 0.5, rng) == -np.inf
    assert binomial_tail(np.zeros(100), 0, 0.5, rng).max() < 0


def test_impossible_questions_are_refused() -> None:
    with pytest.raises(ValueError, match="share"):
        binomial_tail(1, 2, 1.5)
    with pytest.raises(ValueError, match="population"):
        hypergeometric_tail(1, 30, 2, 20)
    with pytest.raises(ValueError, match="hits"):
        fisher_tail(3, 2, 0, 5)
    for hits in (1.5, np.nan):
        with pytest.raises(ValueError, match="whole"):
            binomial_tail(hits, 2, 0.5)
