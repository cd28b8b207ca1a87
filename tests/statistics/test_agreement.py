"""Calibration: kappa under exchangeable owners, and against a plain count of pairs."""

import itertools

import numpy as np
import pytest

from stillwatch.statistics import agreement


def test_it_counts_agreeing_pairs() -> None:
    owner = np.array([0, 0, 1, 1, 1, 2, 2, 3, 3, 4, 4])
    classes = np.array([5, 5, 5, 7, 7, 9, 9, 5, 7, 9, 9])
    pairs = list(itertools.combinations(range(len(owner)), 2))
    across = [classes[i] == classes[j] for i, j in pairs if owner[i] != owner[j]]
    inside = {
        o: np.mean([classes[i] == classes[j] for i, j in pairs if owner[i] == owner[j] == o])
        for o in np.unique(owner)
    }
    sizes = np.bincount(owner)
    within = np.average([inside[o] for o in range(5)], weights=sizes)
    found = agreement(owner, classes)
    assert found is not None
    assert found.between == pytest.approx(np.mean(across))
    assert found.kappa == pytest.approx((within - np.mean(across)) / (1 - np.mean(across)))


def test_interchangeable_owners_have_no_agreement_beyond_chance() -> None:
    rng = np.random.default_rng(1)
    z = []
    for _ in range(400):
        owner = np.repeat(np.arange(40), rng.integers(1, 12, 40))
        found = agreement(owner, rng.choice(8, len(owner), p=np.arange(1, 9) / 36))
        assert found is not None
        z.append(found.kappa / found.error)
    assert abs(np.mean(z)) < 0.2
    assert np.mean(np.abs(z) > 2) < 0.12  # nominal 5 %; the jackknife is a little short of it


def test_owners_with_matters_of_their_own_agree_with_themselves() -> None:
    rng = np.random.default_rng(2)
    owner = np.repeat(np.arange(40), 6)
    own = rng.integers(0, 8, 40)[owner]
    classes = np.where(rng.random(len(owner)) < 0.7, own, rng.integers(0, 8, len(owner)))
    found = agreement(owner, classes)
    assert found is not None
    assert found.kappa - 3 * found.error > 0.2


def test_too_few_owners_give_no_answer() -> None:
    assert agreement(np.array([1, 1, 2, 2]), np.array([0, 1, 0, 1])) is None
    assert agreement(np.arange(50), np.zeros(50, dtype=np.int64)) is None
