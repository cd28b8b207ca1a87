"""Calibration: what a spike of even volumes beside bystanders says, with and without one."""

import numpy as np
import pytest

from stillwatch.statistics import LEAST_SPREAD, balance_e_value, in_spike, spike_e_value


def seen_enough(counts: np.ndarray) -> np.ndarray:
    return counts[counts >= 2]


def volumes(rng: np.random.Generator, accounts: int, mean: float, sigma: float) -> np.ndarray:
    return rng.poisson(mean * rng.lognormal(0, sigma, accounts))


def holds_as_an_e_value(nats: list[float]) -> bool:
    e = np.exp(nats)
    mean_is_at_most_one = e.mean() <= 1.0 + 3 * e.std() / np.sqrt(len(e))
    return bool(mean_is_at_most_one and (e >= 20).mean() <= 0.05)


@pytest.mark.parametrize(
    ("accounts", "mean", "sigma", "runs"),
    [
        (8, 0.5, LEAST_SPREAD, 100),
        (8, 3, LEAST_SPREAD, 30),
        (8, 200, LEAST_SPREAD, 50),
        (30, 0.3, LEAST_SPREAD, 60),
        (30, 1, LEAST_SPREAD, 30),
        (30, 10, LEAST_SPREAD, 16),
        (120, 2, LEAST_SPREAD, 16),
        (56, 400, LEAST_SPREAD, 40),
        (8, 200, 1.2, 40),
        (30, 0.3, 1.2, 60),
    ],
)
def test_at_points_of_the_null_the_e_value_has_a_mean_of_at_most_one(
    accounts: int, mean: float, sigma: float, runs: int
) -> None:
    """Also where Poisson noise and accounts that send too little to be seen blur the level."""
    rng = np.random.default_rng(41)
    groups = [seen_enough(volumes(rng, accounts, mean, sigma)) for _ in range(runs)]
    assert holds_as_an_e_value([spike_e_value(counts, least=2) for counts in groups])


def test_independent_customers_of_whom_samples_are_seen_give_no_evidence() -> None:
    """Busy accounts are thinned until 256 remain, which makes a spike of the raw counts."""
    rng = np.random.default_rng(43)
    said, raw = [], []
    for run in range(24):
        counts = np.maximum(2, volumes(rng, 60, 600, LEAST_SPREAD))
        thin = 2 ** np.ceil(np.log2(np.maximum(1, counts / 256)))
        kept = rng.binomial(counts, 1 / thin)
        enough = kept >= 2
        said.append(spike_e_value(kept[enough], 1 / thin[enough], least=2))
        if run < 6:
            raw.append(spike_e_value(kept[enough], least=2))
    assert holds_as_an_e_value(said)
    assert np.median(raw) > np.log(20)


def campaign_with_bystanders(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """30 even accounts around 24 beside 26 uneven ones around 6, and which are the even ones."""
    counts = np.concatenate([volumes(rng, 30, 24, 0.3), volumes(rng, 26, 6, 1.1)])
    even = np.arange(56) < 30
    return counts[counts >= 2], even[counts >= 2]


def test_a_campaign_is_seen_beside_bystanders_who_hide_it_from_a_test_of_the_whole_group() -> None:
    rng = np.random.default_rng(3)
    groups = [campaign_with_bystanders(rng)[0] for _ in range(10)]
    assert np.median([spike_e_value(counts, least=2) for counts in groups]) > np.log(30)
    assert np.median([balance_e_value(counts, least=2) for counts in groups[:3]]) < 0.0


def test_a_large_campaign_is_seen_beside_as_many_bystanders() -> None:
    rng = np.random.default_rng(47)
    counts = np.concatenate([volumes(rng, 150, 240, 0.3), volumes(rng, 150, 60, 1.1)])
    assert spike_e_value(seen_enough(counts), least=2) > 25.0
    assert balance_e_value(seen_enough(counts), least=2) < 0.0


@pytest.mark.parametrize(
    ("accounts", "mean", "sigma"), [(10, 12, 0.1), (40, 120, 0.4), (300, 120, 0.5), (60, 120, 0.8)]
)
def test_groups_without_bystanders_lose_little_by_the_mixtures(
    accounts: int, mean: float, sigma: float
) -> None:
    rng = np.random.default_rng(53)
    for _ in range(2):
        counts = seen_enough(volumes(rng, accounts, mean, sigma))
        lost = balance_e_value(counts, least=2) - spike_e_value(counts, least=2)
        assert lost <= np.log(2) + 1e-9


def test_the_even_ones_are_told_from_bystanders_who_are_far_off() -> None:
    rng = np.random.default_rng(59)
    even, uneven = volumes(rng, 30, 240, 0.2), np.array([2, 3, 5, 9, 14, 20, 2_400, 9_000] * 3)
    said = in_spike(np.concatenate([even, uneven]), least=2)
    assert said[:30].mean() > 0.8
    assert said[30:].max() < 0.01


def test_what_looks_like_both_is_left_open() -> None:
    """A bystander may happen to send as much as the even ones do."""
    rng = np.random.default_rng(3)
    counts, even = campaign_with_bystanders(rng)
    said = in_spike(counts, least=2)
    assert said[even].mean() > said[~even].mean() + 0.3
    assert said.max() < 1.0


def test_where_all_are_even_all_are_members() -> None:
    rng = np.random.default_rng(61)
    assert in_spike(volumes(rng, 60, 240, 0.3)).min() > 0.8


def test_the_probability_of_being_an_even_one_is_that() -> None:
    """Groups as often without bystanders as with them, as the prior has it."""
    rng = np.random.default_rng(67)
    said, real = [], []
    for group in range(110):
        alone = group % 2 == 0
        share = 1.0 if alone else rng.uniform(0.3, 0.9)
        sigma = rng.uniform(0.0, 0.8) if alone else rng.uniform(0.15, 0.5)
        even = rng.random(120) < share
        shift, beside = rng.uniform(-3.0, 1.5), rng.uniform(1.0, 1.4)
        log_rate = np.where(even, rng.normal(0, sigma, 120), rng.normal(shift, beside, 120))
        counts = rng.poisson(400 * np.exp(log_rate))
        said.append(in_spike(counts[counts >= 1]))
        real.append(even[counts >= 1])
    p, is_even = np.concatenate(said), np.concatenate(real)
    for low, high in [(0.0, 0.1), (0.1, 0.5), (0.5, 0.8), (0.8, 1.0)]:
        inside = (p >= low) & (p <= high)
        assert inside.sum() > 300
        assert is_even[inside].mean() == pytest.approx(p[inside].mean(), abs=0.08)


def test_the_order_of_the_accounts_says_nothing() -> None:
    rng = np.random.default_rng(71)
    counts, _ = campaign_with_bystanders(rng)
    seen = np.where(counts > 20, 0.5, 1.0)
    order = rng.permutation(len(counts))
    assert spike_e_value(counts[order], seen[order], least=2) == pytest.approx(
        spike_e_value(counts, seen, least=2)
    )
    assert in_spike(counts[order], seen[order], least=2) == pytest.approx(
        in_spike(counts, seen, least=2)[order]
    )


def test_the_level_says_nothing() -> None:
    """Wherever the level lies between the places of the lattice."""
    rng = np.random.default_rng(73)
    counts = np.concatenate([volumes(rng, 20, 4_000, 0.1), volumes(rng, 20, 9_000, 1.2)])
    said = [spike_e_value(times * counts) for times in (100, 107, 115, 124)]
    assert np.ptp(said) < 0.1


@pytest.mark.filterwarnings("error")
def test_extreme_volumes_give_numbers() -> None:
    for counts in ([2] * 6, [10**6] * 300, [2, 2, 2, 2, 2, 10**7], [1, 10**3, 10**5, 10**7]):
        assert np.isfinite(spike_e_value(np.array(counts)))
        said = in_spike(np.array(counts))
        assert np.all((said >= 0) & (said <= 1))


def test_too_few_accounts_give_no_evidence_and_no_members() -> None:
    assert spike_e_value(np.array([5, 5, 5])) == 0.0
    assert in_spike(np.array([5, 5, 5])).tolist() == [0.0, 0.0, 0.0]
    assert len(in_spike(np.array([], dtype=np.int64))) == 0
