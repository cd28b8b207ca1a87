"""Work divided up by a queue is even; customers are not."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from stillwatch.campaigns.judging import COUNTS
from stillwatch.campaigns.load_balance import judge_load_balance
from stillwatch.detections import Evidence, Family, Group, Rows
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
