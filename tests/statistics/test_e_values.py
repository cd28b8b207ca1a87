"""E-values: their expectation under the null, and their edges."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.integrate import quad

from stillwatch.statistics import (
    average,
    e_to_p,
    mixture_calibrator,
    power_calibrator,
    product,
    shafer_calibrator,
)

Calibrator = Callable[[np.ndarray], np.ndarray]
CALIBRATORS = [power_calibrator, mixture_calibrator, shafer_calibrator]
LN20 = np.log(20)


@pytest.mark.parametrize("calibrator", CALIBRATORS)
def test_a_calibrator_has_expectation_one_under_the_uniform_null(calibrator: Calibrator) -> None:
    """∫ f(p) dp = ∫ f(e^-x) e^-x dx, which for the mixture falls off only like 1 / x²."""
    whole = quad(lambda x: float(np.exp(calibrator(np.array(-x)) - x)), 0, 2_000, limit=2_000)[0]
    assert 0.9985 < whole < 1 + 1e-6


@pytest.mark.parametrize("calibrator", CALIBRATORS)
def test_a_calibrated_p_value_is_rarely_large_under_the_null(calibrator: Calibrator) -> None:
    p = np.random.default_rng(1).random(100_000)
    assert np.mean(calibrator(np.log(p)) >= LN20) <= 1 / 20
    assert np.mean(np.exp(np.minimum(calibrator(np.log(p)), 10))) <= 1.05


@pytest.mark.parametrize("calibrator", CALIBRATORS)
def test_smaller_p_values_are_more_evidence_down_to_zero(calibrator: Calibrator) -> None:
    log_p = -np.concatenate([[0.0], np.geomspace(1e-9, 1e5, 400), [np.inf]])
    said = calibrator(log_p)
    assert (np.diff(said) >= -1e-9).all()
    assert said[-1] == np.inf
    assert not np.isnan(said).any()


def test_the_mixture_is_the_mean_of_all_powers() -> None:
    for log_p in (-1e-7, -9e-4, -1.1e-3, -0.3, -7.0, -100.0):
        mean = quad(lambda k, x=log_p: k * np.exp((k - 1) * x), 0, 1, epsabs=0, limit=500)[0]
        assert mixture_calibrator(np.array(log_p)) == pytest.approx(np.log(mean), abs=1e-7)


def test_a_p_value_of_one_is_worth_nothing_to_shafer_and_half_to_the_mixture() -> None:
    assert shafer_calibrator(np.array(0.0)) == -np.inf
    assert mixture_calibrator(np.array(0.0)) == pytest.approx(np.log(0.5))
    assert power_calibrator(np.array(0.0), 0.3) == pytest.approx(np.log(0.3))


def test_a_logarithm_above_zero_is_no_p_value() -> None:
    with pytest.raises(ValueError, match="at most 1"):
        mixture_calibrator(np.array([0.1]))
    with pytest.raises(ValueError, match="kappa"):
        power_calibrator(np.array([-1.0]), 1.0)


def test_the_way_back_gives_a_p_value() -> None:
    rng = np.random.default_rng(2)
    log_e = rng.normal(-0.5, 1, 50_000)  # E e = 1
    p = np.exp(e_to_p(log_e))
    for level in (0.01, 0.05, 0.2):
        assert np.mean(p <= level) <= level
    assert e_to_p(np.array([-np.inf, -1.0, 0.0, 2.0, np.inf])).tolist() == [0, 0, 0, -2, -np.inf]


def test_means_hold_under_any_dependence_and_products_do_not() -> None:
    rng = np.random.default_rng(3)
    one = rng.normal(-0.5, 1, 50_000)
    same = np.repeat(one[:, None], 8, axis=1)
    assert np.mean(average(same) >= LN20) <= 1 / 20
    assert np.mean(np.exp(product(same)) > 20) > 1 / 20
    alone = rng.normal(-0.5, 1, (50_000, 8))
    assert np.mean(product(alone) >= LN20) <= 1 / 20
    assert np.mean(average(alone) >= LN20) <= 1 / 20


def test_products_gather_independent_evidence_that_means_dilute() -> None:
    log_e = np.random.default_rng(4).normal(1, 1, (1_000, 8))
    assert np.mean(product(log_e) > LN20) > 0.9
    assert np.mean(average(log_e) > LN20) < 0.2


def test_weights_and_axes_are_respected() -> None:
    log_e = np.log([[1.0, 4.0], [2.0, 8.0]])
    assert np.exp(average(log_e, np.array([3.0, 1.0]))) == pytest.approx([1.75, 3.5])
    assert np.exp(average(log_e, axis=0)) == pytest.approx([1.5, 6.0])
    assert np.exp(product(log_e, axis=0)) == pytest.approx([2.0, 32.0])
    with pytest.raises(ValueError, match="weights"):
        average(log_e, np.array([1.0, -0.1]))


def test_zero_and_infinite_evidence_meet_on_the_side_of_the_null() -> None:
    assert product(np.array([-np.inf, np.inf])) == -np.inf
    assert average(np.array([-np.inf, np.inf])) == np.inf
    assert average(np.array([-np.inf, -np.inf])) == -np.inf
    assert average(np.array([0.0, np.inf]), np.array([1.0, 0.0])) == 0.0
    assert product(np.array([800.0, 800.0])) == 1_600.0
