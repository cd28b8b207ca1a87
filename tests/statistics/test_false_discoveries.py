"""Bounds on false discoveries: never exceeded at any threshold, but for the promised share."""

from itertools import chain, combinations

import numpy as np
import pytest

from stillwatch.statistics import (
    Discoveries,
    conformal_discoveries,
    conformal_p_values,
    e_value_discoveries,
    mixture_calibrator,
    simes_discoveries,
)


def exceeded(bounds: Discoveries, attackers: np.ndarray) -> bool:
    false = np.cumsum(~attackers[bounds.order])
    return bool((false > bounds.false).any())


def conformal_world(
    rng: np.random.Generator, size: int = 200, calibration: int = 300, attacks: int = 20
) -> tuple[np.ndarray, np.ndarray]:
    attackers = np.arange(size) < attacks
    scores = rng.normal(size=size) + 3.5 * attackers
    return conformal_p_values(scores, rng.normal(size=calibration)), attackers


@pytest.mark.parametrize("attacks", [0, 20, 120])
@pytest.mark.slow
def test_no_threshold_chosen_afterwards_beats_the_bounds(attacks: int) -> None:
    rng = np.random.default_rng(1)
    missed = np.zeros(2)
    for _ in range(300):
        p, attackers = conformal_world(rng, attacks=attacks)
        ours = conformal_discoveries(p, 300, rng, confidence=0.8, draws=300)
        missed += [
            exceeded(ours, attackers),
            exceeded(simes_discoveries(p, confidence=0.8), attackers),
        ]
    assert (missed / 300 <= 0.2 + 3 * 0.02).all()
    assert missed[0] > 0 or attacks == 120  # not idle


@pytest.mark.parametrize("shared", [0.0, 0.8])
def test_bounds_from_e_values_hold_under_dependence(shared: float) -> None:
    rng = np.random.default_rng(2)
    attackers = np.arange(100) < 15
    missed = 0
    for _ in range(1_500):
        z = np.sqrt(shared) * rng.normal() + np.sqrt(1 - shared) * rng.normal(size=100)
        bounds = e_value_discoveries(2 * (z + 4 * attackers) - 2, confidence=0.8)
        missed += exceeded(bounds, attackers)
    assert missed / 1_500 <= 0.2


def test_simes_bounds_hold_for_independent_p_values() -> None:
    rng = np.random.default_rng(3)
    attackers = np.arange(60) < 10
    missed = sum(
        exceeded(simes_discoveries(np.where(attackers, 1e-5, rng.random(60)), confidence=0.8),
                 attackers)
        for _ in range(2_000)
    )  # fmt: skip
    assert missed / 2_000 == pytest.approx(0.2, abs=0.06)


def closed_testing(values: np.ndarray, order: np.ndarray, rejects) -> list[int]:
    """Bounds by all subsets: the largest overlap with a set of nulls that is not rejected."""
    everyone = range(len(values))
    sets = chain.from_iterable(combinations(everyone, k) for k in range(1, len(values) + 1))
    left = [set(s) for s in sets if not rejects(values[list(s)])]
    heads = [set(order[:r].tolist()) for r in range(1, len(values) + 1)]
    return [max((len(head & s) for s in left), default=0) for head in heads]


def test_the_shortcuts_agree_with_closed_testing_by_all_subsets() -> None:
    rng = np.random.default_rng(4)
    for _ in range(60):
        size = int(rng.integers(1, 9))
        p = rng.random(size) ** rng.integers(1, 6)
        simes = simes_discoveries(p, confidence=0.9)
        assert simes.false.tolist() == closed_testing(
            p, simes.order,
            lambda q: (np.sort(q) * len(q) <= np.arange(1, len(q) + 1) * (1 - 0.9)).any(),
        )  # fmt: skip
        e = np.exp(rng.normal(1.5, 2, size))
        means = e_value_discoveries(np.log(e), confidence=0.9)
        assert means.false.tolist() == closed_testing(e, means.order, lambda q: q.mean() >= 10)


def test_the_bounds_discover_most_of_a_clear_attack() -> None:
    rng = np.random.default_rng(5)
    attackers = np.arange(400) < 60
    p = conformal_p_values(rng.normal(size=400) + 6 * attackers, rng.normal(size=2_000))
    bounds = conformal_discoveries(p, 2_000, rng)
    assert bounds.shares()[59] < 0.15
    assert len(bounds.longest(0.2)) >= 60
    assert set(bounds.longest(0.2)[:60]) == set(range(60))


def test_sampling_the_joint_law_beats_simes_where_many_are_flagged() -> None:
    rng = np.random.default_rng(6)
    ours, simes = [], []
    for _ in range(20):
        p, _ = conformal_world(rng, 1_000, 1_000, 150)
        ours.append(conformal_discoveries(p, 1_000, rng, draws=500).false[149])
        simes.append(simes_discoveries(p).false[149])
    assert np.mean(ours) < np.mean(simes)


def test_e_values_discover_too_at_a_price() -> None:
    rng = np.random.default_rng(7)
    p = np.where(np.arange(300) < 40, 1e-7, rng.random(300))
    assert simes_discoveries(p).false[39] == 0
    assert e_value_discoveries(mixture_calibrator(np.log(p))).false[39] <= 5


def test_a_longer_list_has_no_fewer_false_and_no_more_than_it_grew() -> None:
    rng = np.random.default_rng(8)
    p, _ = conformal_world(rng)
    for bounds in (conformal_discoveries(p, 300, rng), simes_discoveries(p),
                   e_value_discoveries(mixture_calibrator(np.log(p)))):  # fmt: skip
        assert set(np.diff(bounds.false).tolist()) <= {0, 1}
        assert bounds.false[0] <= 1
        assert sorted(bounds.order.tolist()) == list(range(200))


def test_nobody_and_one_suspect_are_understood() -> None:
    rng = np.random.default_rng(9)
    for bounds in (conformal_discoveries(np.zeros(0), 10, rng), simes_discoveries(np.zeros(0)),
                   e_value_discoveries(np.zeros(0))):  # fmt: skip
        assert bounds.false.tolist() == bounds.longest(0.5).tolist() == []
    assert simes_discoveries(np.array([0.01])).false.tolist() == [0]
    assert simes_discoveries(np.array([0.06])).false.tolist() == [1]
    assert e_value_discoveries(np.array([np.inf])).false.tolist() == [0]
    assert e_value_discoveries(np.array([-np.inf, 3.1])).false.tolist() == [1, 2]
    assert conformal_discoveries(np.array([1 / 201]), 200, rng).false.tolist() == [0]
    assert conformal_discoveries(np.array([1 / 3]), 2, rng).false.tolist() == [1]


def test_what_is_no_conformal_p_value_is_refused() -> None:
    rng = np.random.default_rng(10)
    for p in ([0.0], [0.123], [1.5], [np.nan]):
        with pytest.raises(ValueError, match="no conformal p-values"):
            conformal_discoveries(np.array(p), 10, rng)
    with pytest.raises(ValueError, match="between 0 and 1"):
        simes_discoveries(np.array([np.nan]))
    with pytest.raises(ValueError, match="not a number"):
        e_value_discoveries(np.array([np.nan]))
    with pytest.raises(ValueError, match="confidence"):
        simes_discoveries(np.array([0.5]), confidence=1.0)
