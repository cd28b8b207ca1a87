"""Calibration: benign accounts are not taken for one queue, whatever their mix; queues are seen."""

import numpy as np
import pytest
from scipy.stats import dirichlet_multinomial

from stillwatch.statistics import Profiles, fit_profiles, shared_profile
from stillwatch.statistics.mixtures import CONCENTRATIONS, PRIOR

CLASSES, TRADES = 40, 6
#: true profiles and how closely the accounts of each keep to theirs; not the fitted grid
POPULATION = np.random.default_rng(1)
PROFILES = POPULATION.dirichlet(np.full(CLASSES, 0.3), TRADES)
KEEPING = POPULATION.uniform(1.5, 40, TRADES)


def benign(rng: np.random.Generator, accounts: int, mix: np.ndarray, most: int = 30) -> np.ndarray:
    """Counts of accounts whose trades come in proportions `mix`, from 2 to `most` exchanges."""
    trade = rng.choice(TRADES, accounts, p=mix)
    own = rng.gamma(KEEPING[trade][:, None] * PROFILES[trade] + 1e-9)
    sizes = rng.integers(2, most + 1, accounts)
    return rng.multinomial(sizes, own / own.sum(axis=1, keepdims=True))


def queue(
    rng: np.random.Generator, accounts: int, profile: np.ndarray, most: int = 20
) -> np.ndarray:
    """Counts of accounts that share `profile`."""
    return rng.multinomial(rng.integers(4, most + 1, accounts), profile)


def background(attackers: np.ndarray) -> Profiles:
    """Fitted on 1,200 accounts; it is never clean: 1 % of it are one pool."""
    rng = np.random.default_rng(2)
    ordinary = benign(rng, 1_188, np.full(TRADES, 1 / TRADES))
    both = rng.permutation(np.concatenate([ordinary, queue(rng, 12, attackers)]))
    fitted = fit_profiles(both)
    assert fitted is not None
    return fitted


ATTACKERS = np.random.default_rng(3).dirichlet(np.full(CLASSES, 0.5))
FITTED = background(ATTACKERS)


def said(groups: list[np.ndarray], profiles: Profiles = FITTED) -> np.ndarray:
    return np.array([shared_profile(group, profiles) for group in groups])


@pytest.mark.parametrize(
    ("mix", "most"),
    [
        (np.full(TRADES, 1 / TRADES), 30),  # everybody
        (np.full(TRADES, 1 / TRADES), 3),  # hardly any exchanges each
        (np.eye(TRADES)[0], 10),  # one trade
        (np.array([0.7, 0.3, 0, 0, 0, 0]), 30),  # the users of a tool for two
    ],
    ids=["everybody", "few", "trade", "tool"],
)
def test_benign_groups_are_rarely_taken_for_a_queue(mix: np.ndarray, most: int) -> None:
    rng = np.random.default_rng(4)
    sizes = rng.integers(5, 40, 400)
    nats = said([benign(rng, int(size), mix, most) for size in sizes])
    assert np.mean(nats >= np.log(20)) <= 1 / 20
    assert np.mean(nats >= np.log(4)) <= 1 / 4


def test_under_the_hardest_null_the_ratio_is_an_e_value() -> None:
    # accounts that keep as closely to one benign profile as the model knows are nearly a queue
    rng = np.random.default_rng(5)
    own = rng.dirichlet(CONCENTRATIONS[-1] * FITTED.shares[0], (600, 8))
    nats = said(list(rng.multinomial(5, own)))
    assert np.mean(nats >= np.log(20)) <= 1 / 20
    assert np.mean(nats >= np.log(4)) <= 1 / 4
    assert np.exp(np.minimum(nats, 5)).mean() <= 1  # cut, since few values carry the mean


def test_one_queue_is_seen_even_where_the_background_holds_some_of_it() -> None:
    rng = np.random.default_rng(6)
    strange = said([queue(rng, 20, rng.dirichlet(np.full(CLASSES, 0.5))) for _ in range(100)])
    known = said([queue(rng, 20, ATTACKERS) for _ in range(100)])
    assert np.mean(strange >= np.log(20)) >= 0.95
    assert np.mean(known >= np.log(20)) >= 0.9


def test_accounts_with_matters_of_their_own_speak_against_a_queue() -> None:
    rng = np.random.default_rng(7)
    mixed = said([benign(rng, 20, np.full(TRADES, 1 / TRADES)) for _ in range(100)])
    assert np.mean(mixed <= -np.log(20)) >= 0.95


def test_it_is_the_ratio_that_the_formula_says() -> None:
    rng = np.random.default_rng(8)
    counts = benign(rng, 12, np.full(TRADES, 1 / TRADES))
    share = rng.dirichlet(np.full(CLASSES, 2.0))
    profiles = Profiles(share[None], np.full((4, 1), 0.25), share)
    ratios = []
    for learn, test in ((counts[::2], counts[1::2]), (counts[1::2], counts[::2])):
        common = learn.sum(axis=0) + PRIOR * share
        # the sequence of topics, as the multinomial coefficient is on both sides
        flat = dirichlet_multinomial(1e9 * common / common.sum(), test.sum(axis=1)).logpmf(test)
        fits = np.array(
            [
                dirichlet_multinomial(c * share, test.sum(axis=1)).logpmf(test)
                for c in CONCENTRATIONS
            ]
        )
        grid = np.random.default_rng(9).dirichlet(np.full(4, 0.3), 20_000)
        ratios.append(flat.sum() - np.log(grid @ np.exp(fits)).sum(axis=1).max())
    found = shared_profile(counts, profiles)
    assert found == pytest.approx(np.logaddexp(*ratios) - np.log(2), abs=0.2)


def test_the_number_of_profiles_follows_the_accounts() -> None:
    rng = np.random.default_rng(10)
    apart = np.kron(np.eye(4), np.full(10, 0.1))
    four = rng.permutation(np.concatenate([queue(rng, 100, profile) for profile in apart]))
    several, one = fit_profiles(four), fit_profiles(queue(rng, 400, apart.mean(axis=0)))
    assert several is not None
    assert one is not None
    assert len(several.shares) >= 4
    assert len(one.shares) < len(several.shares)
    assert several.shares.sum(axis=1) == pytest.approx(1)
    assert several.weights.sum() == pytest.approx(1)


def test_the_fit_is_the_same_every_time() -> None:
    again = background(ATTACKERS)
    assert all(np.array_equal(one, other) for one, other in zip(FITTED, again, strict=True))


def test_too_few_accounts_give_no_answer() -> None:
    counts = np.full((19, CLASSES), 2)
    assert fit_profiles(counts) is None
    assert shared_profile(counts[:3], FITTED) is None
    assert shared_profile(np.eye(10, CLASSES, dtype=np.int64), FITTED) is None
