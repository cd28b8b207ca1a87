"""e-BH, closed and online: the false discovery rate that is promised, and what the papers say."""

import dataclasses
from itertools import chain, combinations

import numpy as np
import pytest
from online_fdr import e_values as oracle
from online_fdr.core.abstract.abstract_gamma_seq import AbstractGammaSequence

from stillwatch.statistics import ELond, OnlineEBH, closed_e_bh, discounts, e_bh

ALPHA = 0.1
RULES = [e_bh, closed_e_bh, lambda e, a: OnlineEBH.start(a).update(e).rejected(),
         lambda e, a: ELond(a).update(e)[1]]  # fmt: skip
NAMES = ["e_bh", "closed", "online", "e_lond"]


class SameDiscounts(AbstractGammaSequence):
    """Our discounts, in the form that the other implementation asks for."""

    def __init__(self) -> None:
        super().__init__(None, None)

    def calc_gamma(self, j: int, **_: object) -> float:
        return float(np.exp(discounts(j, 1)[0]))


def false_share(flags: np.ndarray, attackers: np.ndarray) -> float:
    return float((flags & ~attackers).sum() / max(1, flags.sum()))


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
@pytest.mark.parametrize("shared", [0.0, 0.9])
def test_the_false_discovery_rate_is_kept_under_dependence(rule, shared: float) -> None:
    rng = np.random.default_rng(1)
    attackers = np.arange(60) % 10 == 0
    shares = []
    for _ in range(600):
        noise = np.sqrt(shared) * rng.normal() + np.sqrt(1 - shared) * rng.normal(size=60)
        z = noise + 3.5 * attackers
        shares.append(false_share(rule(2 * z - 2, ALPHA), attackers))  # E e = 1 for true nulls
    assert np.mean(shares) <= ALPHA


def test_the_worst_null_there_is_comes_close_to_the_promise() -> None:
    """All e-values are K / (α k) together with the probability that makes their mean 1."""
    rng = np.random.default_rng(2)
    flagged = [
        e_bh(np.full(20, np.log(1 / ALPHA) if rng.random() < ALPHA else -np.inf), ALPHA).any()
        for _ in range(4_000)
    ]
    assert np.mean(flagged) == pytest.approx(ALPHA, abs=0.015)


def slow_e_bh(log_e: np.ndarray, alpha: float, shares: np.ndarray) -> set[int]:
    for k in range(len(log_e), 0, -1):
        over = {i for i in range(len(log_e)) if np.exp(log_e[i]) * shares[i] * alpha * k >= 1}
        if len(over) >= k:
            return over
    return set()


def slow_closed(log_e: np.ndarray, alpha: float) -> int:
    """The size of the largest allowed set of largest e-values, by all subsets."""
    e = np.exp(log_e)
    everyone = range(len(e))
    sets = list(chain.from_iterable(combinations(everyone, k) for k in range(1, len(e) + 1)))
    order = np.argsort(-e)
    for r in range(len(e), 0, -1):
        chosen = set(order[:r].tolist())
        if all(e[list(s)].mean() >= len(chosen & set(s)) / (alpha * r) for s in sets):
            return r
    return 0


def test_e_bh_and_online_e_bh_agree_with_their_definitions() -> None:
    rng = np.random.default_rng(3)
    for _ in range(200):
        log_e = rng.normal(1, 3, rng.integers(1, 30))
        equal = np.full(len(log_e), 1 / len(log_e))
        assert set(np.flatnonzero(e_bh(log_e, 0.2))) == slow_e_bh(log_e, 0.2, equal)
        online = OnlineEBH.start(0.2).update(log_e).rejected()
        falling = np.exp(discounts(1, len(log_e)))
        assert set(np.flatnonzero(online)) == slow_e_bh(log_e, 0.2, falling)


def test_another_implementation_decides_alike() -> None:
    rng = np.random.default_rng(10)
    for _ in range(50):
        log_e = rng.normal(2, 3, 40)
        assert e_bh(log_e, ALPHA).tolist() == oracle.e_bh(np.exp(log_e).tolist(), ALPHA)
        theirs = oracle.ELond(ALPHA, SameDiscounts())
        decisions = [theirs.test_one(float(e)) for e in np.exp(log_e)]
        assert ELond(ALPHA).update(log_e)[1].tolist() == decisions


def test_closed_e_bh_agrees_with_all_subsets_and_contains_e_bh() -> None:
    rng = np.random.default_rng(4)
    more = 0
    for _ in range(150):
        log_e = rng.normal(1.5, 2, rng.integers(1, 9))
        closed = closed_e_bh(log_e, 0.3)
        assert closed.sum() == slow_closed(log_e, 0.3)
        assert (closed >= e_bh(log_e, 0.3)).all()
        more += int(closed.sum() > e_bh(log_e, 0.3).sum())
    assert more > 15


def test_e_lond_agrees_with_its_definition() -> None:
    rng = np.random.default_rng(5)
    log_e = rng.normal(2, 4, 500)
    rejected, expected = 0, []
    for t, value in enumerate(log_e, start=1):
        yes = np.exp(value) >= 1 / (ALPHA * np.exp(discounts(t, 1)[0]) * (rejected + 1))
        rejected += int(yes)
        expected.append(bool(yes))
    state, flags = ELond(ALPHA).update(log_e)
    assert flags.tolist() == expected
    assert (state.seen, state.rejected) == (500, rejected)


def test_batches_of_any_size_give_the_same_decisions() -> None:
    log_e = np.random.default_rng(6).normal(2, 4, 300)
    state, flags = ELond(ALPHA), []
    online = OnlineEBH.start(ALPHA)
    before = np.zeros(0, bool)
    for part in np.split(log_e, [1, 5, 5, 200]):
        state, some = ELond(**dataclasses.asdict(state)).update(part)
        flags.append(some)
        online = OnlineEBH(online.alpha, online.log_e.copy()).update(part)
        now = online.rejected()
        assert (now[: len(before)] >= before).all()  # a rejection is never taken back
        before = now
    assert np.concatenate(flags).tolist() == ELond(ALPHA).update(log_e)[1].tolist()
    assert before.tolist() == OnlineEBH.start(ALPHA).update(log_e).rejected().tolist()
    assert (before >= np.concatenate(flags)).all()  # online e-BH finds all that e-LOND finds


def test_stopping_at_the_worst_moment_keeps_the_promise_of_online_e_bh() -> None:
    rng = np.random.default_rng(7)
    attackers = np.arange(80) % 8 == 0
    worst = []
    for _ in range(300):
        log_e = np.where(attackers, 4.0, 0) + rng.normal(-0.5, 1, 80)
        flags = OnlineEBH.start(ALPHA).update(log_e).rejected()
        stop = np.flatnonzero(flags & ~attackers)  # stop when the first false one has come
        last = int(stop[0]) + 1 if len(stop) else 80
        at = OnlineEBH.start(ALPHA).update(log_e[:last]).rejected()
        worst.append(false_share(at, attackers[:last]))
    assert np.mean(worst) <= ALPHA


def test_discounts_sum_to_one_and_go_on_where_they_ended() -> None:
    total = np.exp(discounts(1, 2_000_000)).sum()
    assert 0.999 < total < 1
    assert discounts(11, 5).tolist() == discounts(1, 15)[10:].tolist()


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_nothing_and_infinite_evidence_are_understood(rule) -> None:
    assert rule(np.zeros(0), ALPHA).tolist() == []
    assert rule(np.array([np.inf, -np.inf, 0.0]), ALPHA).tolist() == [True, False, False]
    assert rule(np.array([900.0, 1_000.0]), ALPHA).tolist() == [True, True]
    with pytest.raises(ValueError, match="not a number"):
        rule(np.array([np.nan]), ALPHA)
    with pytest.raises(ValueError, match="alpha"):
        rule(np.array([1.0]), 1.0)
