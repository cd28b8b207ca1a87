"""Work divided up by a queue is even; customers are not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from stillwatch.campaigns.judging import COUNTS
from stillwatch.campaigns.load_balance import (
    evenly_sending,
    judge_load_balance,
    load_balance_e_value,
)
from stillwatch.detections import Evidence, Family, Group, Rows
from stillwatch.statistics import LEAST_SPREAD
from tests.detections.groups import beside, rows, volumes

NOBODY = rows([], content=[])


def sent(counts: npt.ArrayLike) -> Rows:
    """An account for each count, with so many marked exchanges."""
    counts = np.asarray(counts)
    return rows(np.repeat(np.arange(len(counts)), counts))


def said(group: Group) -> list[Evidence]:
    return list(judge_load_balance(group))


def nats(counts: npt.ArrayLike) -> float:
    """Nats for a campaign; negative for evidence against one."""
    found = said(beside(sent(counts), NOBODY))
    return sum(each.weight if each.speaks_for else -each.weight for each in found)


@pytest.mark.parametrize("accounts", [6, 15, 30])
def test_independent_customers_hardly_ever_look_balanced(accounts: int) -> None:
    rng = np.random.default_rng(1)
    found = np.array([nats(volumes(rng, accounts, 8, rng.uniform(0.9, 1.8))) for _ in range(40)])
    assert np.mean(found >= COUNTS) <= 0.08
    assert np.mean(found >= 4) <= 0.04


@pytest.mark.parametrize("sigma", [0.0, 0.3])
def test_a_shared_queue_is_seen(sigma: float) -> None:
    rng = np.random.default_rng(2)
    found = np.array([nats(volumes(rng, 40, 10, sigma)) for _ in range(15)])
    assert np.mean(found >= COUNTS) > 0.9


def test_uneven_volumes_speak_against_it() -> None:
    rng = np.random.default_rng(3)
    found = np.array([nats(volumes(rng, 40, 10, 1.5)) for _ in range(12)])
    assert np.mean(found <= -COUNTS) > 0.9


def test_it_is_evidence_of_the_family_of_time_within_its_ceiling() -> None:
    (found,) = said(beside(sent([12] * 300), NOBODY))
    assert (found.family, found.detection, found.veto) == (Family.TIME, "load_balance", False)
    assert found.weight == 6.0
    assert found.value == 0.0
    assert "300 accounts" in found.text


def test_fewer_than_five_accounts_say_nothing() -> None:
    assert said(beside(sent([12] * 4), NOBODY)) == []
    assert said(beside(sent([12] * 4 + [1] * 50), NOBODY)) == []  # one exchange may be chance


def test_what_a_handful_of_accounts_cannot_tell_is_not_said() -> None:
    assert said(beside(sent([3, 4, 2, 5, 9]), NOBODY)) == []


def test_retries_do_not_make_an_account_busy() -> None:
    even = sent([10] * 30)
    retried = rows(
        np.concatenate([even.ints("account"), np.repeat(np.arange(15), 90)]),
        content=np.concatenate([even.ints("content"), np.repeat(10 * np.arange(15), 90)]),
    )
    assert said(beside(retried, NOBODY)) == said(beside(even, NOBODY))


def test_only_the_marked_exchanges_are_counted() -> None:
    rng = np.random.default_rng(4)
    cover = volumes(rng, 30, 40, 1.5)
    account = np.concatenate([np.repeat(np.arange(30), 10), np.repeat(np.arange(30), cover)])
    order = np.argsort(account, kind="stable")
    style = np.where(np.arange(len(account)) < 300, 0, -1)
    (found,) = said(beside(rows(account[order]), NOBODY, style[order]))
    assert found.speaks_for
    (found,) = said(beside(rows(account[order]), NOBODY))
    assert not found.speaks_for


# -- with a promise


def promised(counts: npt.ArrayLike, customer: npt.ArrayLike | None = None, least: int = 2) -> float:
    group = replace(beside(sent(counts), NOBODY), least=least)
    alone = np.arange(len(group.accounts))
    return load_balance_e_value(group, alone if customer is None else np.asarray(customer))


def test_a_queue_is_seen_with_a_promise() -> None:
    rng = np.random.default_rng(5)
    assert np.median([promised(volumes(rng, 30, 20, 0.2)) for _ in range(8)]) > 8


def test_of_independent_customers_the_mean_is_at_most_one() -> None:
    rng = np.random.default_rng(6)
    e = np.exp([promised(volumes(rng, 12, 30, LEAST_SPREAD)) for _ in range(60)])
    assert e.mean() <= 1 + 3 * e.std() / np.sqrt(len(e))
    assert (e >= 20).mean() <= 0.05


def test_uneven_volumes_are_never_evidence_for_a_queue() -> None:
    assert promised([2, 9, 40, 200, 1_000, 3, 17]) <= 0


def test_accounts_of_one_customer_count_together() -> None:
    """A school's pupils are as even as it likes."""
    even = [20] * 24
    assert promised(even) > 8
    assert promised(even, np.zeros(24, dtype=int)) <= 0
    apart = promised([60] * 8)
    assert promised(even, np.repeat(np.arange(8), 3)) == pytest.approx(apart)


def test_accounts_that_send_less_than_was_asked_for_do_not_count() -> None:
    assert promised([40] * 12 + [3] * 20, least=8) == pytest.approx(promised([40] * 12, least=8))


# -- which of the accounts share the queue


def test_those_who_are_even_are_likely_of_the_queue_and_those_far_off_are_not() -> None:
    counts = [38, 40, 41, 43, 39, 40, 42, 44, 37, 40, 41, 39, 900, 2_500, 7_000]
    found = evenly_sending(beside(sent(counts), NOBODY))
    assert found[:12].min() > 0.85
    assert found[12:].max() < 0.05


def test_who_sends_too_little_to_tell_is_not_of_it() -> None:
    group = beside(sent([40] * 12 + [1] * 3), NOBODY)
    assert evenly_sending(group)[12:].tolist() == [0.0] * 3
    asked = replace(beside(sent([40] * 12 + [7] * 3), NOBODY), least=8)
    assert evenly_sending(asked)[12:].tolist() == [0.0] * 3
    assert evenly_sending(asked)[:12].min() > 0.85


def test_each_account_is_judged_by_its_own_marked_exchanges() -> None:
    """Accounts without any stand between the others, and keep their places."""
    account = np.concatenate(
        [np.repeat(np.arange(0, 24, 2), 40), np.repeat(np.arange(1, 24, 2), 9)]
    )
    order = np.argsort(account, kind="stable")
    style = np.where(account[order] % 2 == 0, 0, -1)
    found = evenly_sending(beside(rows(account[order]), NOBODY, style))
    assert found[0::2].min() > 0.85
    assert found[1::2].max() == 0.0


def test_of_a_handful_nobody_can_tell() -> None:
    assert evenly_sending(beside(sent([40] * 3), NOBODY)).tolist() == [0.0] * 3
