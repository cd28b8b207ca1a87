"""Groups are tested with a promise by several families, and their e-values make one."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from stillwatch.campaigns.testing import EValues, GroupTests
from stillwatch.detections import UNKNOWN, Accounts, Family, Group, Passages, Problems
from tests.detections.groups import Ints, beside, rows

FAMILIES = (Family.TIME, Family.PURPOSE, Family.INFRASTRUCTURE)


def combined(*nats: float) -> float:
    return EValues(dict(zip(FAMILIES, nats, strict=False))).log_e


# -- one e-value of several


@pytest.mark.parametrize("families", [1, 2, 3])
def test_it_is_the_mean_over_all_sets_of_families_of_the_product(families: int) -> None:
    rng = np.random.default_rng(1)
    for nats in rng.normal(0.0, 4.0, (30, families)):
        sets = [
            np.exp(sum(chosen))
            for size in range(1, families + 1)
            for chosen in itertools.combinations(nats.tolist(), size)
        ]
        assert combined(*nats.tolist()) == pytest.approx(np.log(np.mean(sets)))


def test_families_without_evidence_do_not_undo_one_that_has_it() -> None:
    assert combined(5.0, -np.inf, -np.inf) == pytest.approx(5.0 + np.log(1 / 7), abs=0.001)
    assert combined(5.0, -np.inf) == pytest.approx(5.0 + np.log(1 / 3), abs=0.003)


def test_evidence_of_several_families_multiplies() -> None:
    assert combined(5.0, 4.0, 6.0) == pytest.approx(15.0 - np.log(7), abs=0.05)


def test_of_independent_e_values_the_mean_stays_one() -> None:
    rng = np.random.default_rng(2)
    drawn = np.log(rng.exponential(1.0, (20_000, 3)))
    e = np.exp([combined(*nats) for nats in drawn.tolist()])
    assert e.mean() == pytest.approx(1.0, abs=4 * e.std() / np.sqrt(len(e)))


def test_very_much_evidence_does_not_overflow() -> None:
    assert combined(5_000.0, 4_000.0, -3_000.0) == pytest.approx(9_000.0 - np.log(7))
    assert combined(5_000.0) == pytest.approx(5_000.0)
    assert combined(-50.0) == pytest.approx(-50.0)


def test_where_nothing_was_tested_or_all_was_lost_there_is_none() -> None:
    assert EValues().log_e == -np.inf
    assert combined(-np.inf, -np.inf, -np.inf) == -np.inf


# -- which tests a group is put to


class Known(Problems):
    """Problems that a queue of twenty accounts divides, and twenty strangers draw from."""

    def __init__(self, account: Ints, problem: Ints) -> None:
        super().__init__()
        self._account, self._problem = account, problem

    def passages(self, customer: Ints) -> Passages:
        content = np.arange(len(self._account))
        return Passages(self._account, content, self._problem, customer[self._account])


def log(owner: list[int]) -> tuple[Accounts, Known, Group]:
    """Forty accounts, those of `owner` in front and each its own behind; a group of twenty."""
    rng = np.random.default_rng(3)
    strangers = [rng.choice(400, 40, replace=False) for _ in range(20)]
    problem = np.concatenate([rng.permutation(400)[:300], *strangers])
    account = np.repeat(np.arange(40), [15] * 20 + [40] * 20)
    unknown = np.full(40, UNKNOWN)
    accounts = Accounts(
        account=np.arange(40),
        owner=np.array([*owner, *range(20, 40)]),
        exchanges=np.bincount(account),
        first_at=unknown,
        last_at=unknown,
        blocked_at=unknown,
        tenant_kind=np.full(40, None),
    )
    group = beside(rows(account[:300], content=np.arange(300)), rows([], content=[]))
    return accounts, Known(account, problem), group


def test_a_group_is_put_to_the_tests_whose_detections_ran() -> None:
    accounts, problems, group = log(list(range(20)))
    assert GroupTests(accounts, None, None).test(group).nats.keys() == {Family.TIME}
    assert GroupTests(accounts, None, Problems()).test(group).nats.keys() == {Family.TIME}
    found = GroupTests(accounts, None, problems).test(group).nats
    assert found.keys() == {Family.TIME, Family.PURPOSE}
    assert found[Family.TIME] > 5
    assert found[Family.PURPOSE] > 5


def test_it_says_who_takes_part_in_the_work_that_is_divided() -> None:
    accounts, problems, group = log(list(range(20)))
    idle = group.without(np.arange(5, 20))
    assert GroupTests(accounts, None, problems).test(idle).takers.tolist() == list(range(5))
    assert GroupTests(accounts, None, None).test(group).takers.tolist() == []


def test_accounts_of_one_organisation_are_one_customer_to_every_test() -> None:
    accounts, problems, group = log([0] * 20)
    found = GroupTests(accounts, None, problems).test(group).nats
    assert found[Family.TIME] <= 0
    assert found[Family.PURPOSE] == 0
