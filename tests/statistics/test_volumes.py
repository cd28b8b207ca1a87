"""Calibration: what the balance of volumes says when independent customers are all there is."""

import numpy as np
import pytest

from stillwatch.statistics import LEAST_SPREAD, balance, balance_e_value, log_spread


def volumes(rng: np.random.Generator, accounts: int, mean: float, sigma: float) -> np.ndarray:
    counts = rng.poisson(mean * rng.lognormal(0, sigma, accounts))
    return counts[counts >= 2]


@pytest.mark.parametrize("sigma", [0.9, 1.2, 1.6])
def test_independent_customers_rarely_look_balanced(sigma: float) -> None:
    rng = np.random.default_rng(7)
    said = [balance(volumes(rng, 60, 8, sigma), least=2) for _ in range(60)]
    # a Bayes factor exceeds 1/a with probability at most a when its null is averaged over;
    # at single points of the null a little more is allowed for
    assert np.mean(np.array(said) > np.log(20)) <= 0.05


def test_under_the_averaged_null_the_bayes_factor_is_an_e_value() -> None:
    rng = np.random.default_rng(11)
    said = np.array(
        [balance(volumes(rng, 40, 10, rng.uniform(0.9, 1.8)), least=2) for _ in range(300)]
    )
    assert np.mean(said >= np.log(20)) <= 1 / 20
    assert np.mean(said >= np.log(4)) <= 1 / 4


@pytest.mark.parametrize("sigma", [0.0, 0.4])
def test_a_load_balancer_is_seen(sigma: float) -> None:
    rng = np.random.default_rng(3)
    said = [balance(volumes(rng, 60, 8, sigma), least=2) for _ in range(30)]
    assert np.median(said) > 3


def test_a_handful_of_accounts_says_little_either_way() -> None:
    assert abs(balance(np.array([5, 6]), least=2)) == 0.0
    assert abs(balance(np.array([2, 3, 2]), least=2)) < 3


def test_spread_is_that_of_the_rates_without_the_poisson_noise() -> None:
    rng = np.random.default_rng(5)
    even = log_spread(rng.poisson(10, 4000))
    uneven = log_spread(rng.poisson(200 * rng.lognormal(0, 0.5, 4000)))
    assert even < 0.1
    assert uneven == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("sigma", [0.9, 1.6])
def test_independent_customers_of_whom_samples_are_seen_rarely_look_balanced(sigma: float) -> None:
    """Busy accounts are thinned until 256 remain, which makes the raw counts even."""
    rng = np.random.default_rng(13)
    said = []
    for _ in range(60):
        counts = np.maximum(2, rng.poisson(600 * rng.lognormal(0, sigma, 60)))
        thin = 2 ** np.ceil(np.log2(np.maximum(1, counts / 256)))
        kept = rng.binomial(counts, 1 / thin)
        said.append(balance(kept, 1 / thin, least=2))
    assert np.mean(np.array(said) > np.log(20)) <= 0.05


def test_a_load_balancer_of_busy_accounts_is_seen_in_samples() -> None:
    rng = np.random.default_rng(17)
    counts = rng.poisson(600 * rng.lognormal(0, 0.4, 40))
    thin = 2 ** np.ceil(np.log2(np.maximum(1, counts / 256)))
    kept = rng.binomial(counts, 1 / thin)
    assert balance(kept, 1 / thin, least=2) > 3
    assert log_spread(kept, 1 / thin) == pytest.approx(0.4, abs=0.12)


@pytest.mark.parametrize("mean", [0.25, 0.4, 1.0])
def test_independent_customers_who_send_little_rarely_look_balanced(mean: float) -> None:
    """Of small volumes only the upper tail is seen, and that is even."""
    rng = np.random.default_rng(19)
    said = []
    while len(said) < 60:
        counts = volumes(rng, 400, mean, 1.0)
        said.append(balance(counts[:60], least=2))
    assert np.mean(np.array(said) > np.log(20)) <= 0.05
    assert np.mean(np.array(said) > 2) <= 0.1


def e_values(rng: np.random.Generator, runs: int, accounts: int, mean: float, sigma: float) -> list:
    counts = [volumes(rng, accounts, mean, sigma) for _ in range(runs)]
    return [balance_e_value(c, least=2) for c in counts]


@pytest.mark.parametrize("sigma", [LEAST_SPREAD, 1.2])
@pytest.mark.parametrize(
    ("accounts", "mean"), [(8, 0.5), (8, 3), (8, 200), (30, 0.3), (30, 1), (30, 10), (120, 2)]
)
@pytest.mark.slow
def test_at_every_point_of_the_null_the_e_value_has_a_mean_of_at_most_one(
    sigma: float, accounts: int, mean: float
) -> None:
    """Also where Poisson noise and accounts that send too little to be seen blur the level."""
    rng = np.random.default_rng(23)
    e = np.exp(e_values(rng, 100, accounts, mean, sigma))
    assert e.mean() <= 1.0 + 3 * e.std() / 10
    assert (e >= 20).mean() <= 0.05


def test_the_best_independent_customers_are_found_between_the_points_of_the_grid() -> None:
    """A maximum that is missed would be evidence: thousands of accounts have a narrow one."""
    rng = np.random.default_rng(29)
    assert max(e_values(rng, 6, 6_000, 40, LEAST_SPREAD)) < 0.0


@pytest.mark.parametrize(("accounts", "sigma"), [(10, 0.1), (40, 0.4), (300, 0.5)])
def test_balanced_volumes_give_large_e_values(accounts: int, sigma: float) -> None:
    rng = np.random.default_rng(31)
    assert np.median(e_values(rng, 20, accounts, 12, sigma)) > np.log(20)


def test_too_few_accounts_give_no_evidence() -> None:
    assert balance_e_value(np.array([5, 5, 5])) == 0.0


def test_the_level_says_nothing() -> None:
    counts = np.array([40, 52, 61, 47, 55, 70, 38, 59, 44, 50])
    assert balance_e_value(100 * counts) == pytest.approx(balance_e_value(1_000 * counts), abs=0.02)


@pytest.mark.slow
def test_the_integral_finds_the_narrow_peak_of_many_busy_accounts() -> None:
    """By a normal approximation of the same quantity, where log counts are as good as normal."""
    rng = np.random.default_rng(37)
    counts = np.exp(rng.normal(14.0, 1.3, 3_000)).astype(np.int64)
    x = np.log(counts)
    n, squares = len(x), float(((x - x.mean()) ** 2).sum())

    def exact(sigma: np.ndarray) -> np.ndarray:
        return -(n - 1) * np.log(sigma) - squares / (2 * sigma**2)

    sigmas = np.linspace(0.0, 0.8, 9)
    above = np.logaddexp.reduce(exact(np.maximum(sigmas, 1e-9))) - np.log(9)
    below = exact(np.linspace(LEAST_SPREAD, 2.6, 2_000)).max()
    assert balance_e_value(counts) == pytest.approx(above - below, rel=1e-3)
