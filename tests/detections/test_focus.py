"""One purpose, divided among accounts, against people with matters of their own."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest

from stillwatch.campaigns.campaign import COUNTS
from stillwatch.detections import Evidence, Group, Rows
from stillwatch.detections.focus import MOST, Focus
from tests.detections.groups import Ints, beside, rows

TOPICS = 30
#: what ordinary accounts ask about: five trades, each with matters of its own
TRADES = np.random.default_rng(0).dirichlet(np.full(TOPICS, 0.3), 5)
#: the topics of a work queue
QUEUE = np.random.default_rng(1).dirichlet(np.full(TOPICS, 0.8))


def exchanges(account: Ints, topic: Ints, content: Ints | None = None) -> Rows:
    return rows(
        account,
        topic=topic,
        words=np.full(len(account), 40),
        script=np.ones(len(account), dtype=np.int64),
        content=np.arange(len(account)) if content is None else content,
    )


def people(rng: np.random.Generator, accounts: range, each: int, trade: int | None = None) -> Rows:
    """Accounts with matters of their own, of one trade or of any."""
    trades = range(len(TRADES)) if trade is None else [trade]
    own = rng.gamma(6 * TRADES[rng.choice(trades, len(accounts))] + 1e-6)
    cumulated = np.cumsum(own / own.sum(axis=1, keepdims=True), axis=1)
    topic = (rng.random((len(accounts), each, 1)) > cumulated[:, None, :-1]).sum(axis=2)
    return exchanges(np.repeat(np.array(accounts), each), topic.ravel())


def workers(rng: np.random.Generator, accounts: int, each: int) -> Rows:
    """Accounts that get the next item of one queue."""
    account = np.repeat(np.arange(accounts), each)
    return exchanges(account, rng.choice(TOPICS, len(account), p=QUEUE))


OTHERS = people(np.random.default_rng(2), range(1_000, 1_600), 15)


def said(group: Group) -> list[Evidence]:
    return list(Focus().judge(group))


def net(group: Group) -> float:
    """Nats for less nats against, the best of each."""
    found = said(group)
    for_it = [each.weight for each in found if each.speaks_for]
    against = [each.weight for each in found if not each.speaks_for]
    return max(for_it, default=0.0) - max(against, default=0.0)


@pytest.mark.parametrize(("accounts", "each"), [(8, 12), (30, 8), (60, 40)])
def test_workers_of_one_queue_have_one_purpose(accounts: int, each: int) -> None:
    rng = np.random.default_rng(3)
    found = [said(beside(workers(rng, accounts, each), OTHERS)) for _ in range(20)]
    assert np.mean([all(each.speaks_for for each in some) for some in found]) >= 0.9
    assert np.mean([sum(e.weight for e in some) > 0 for some in found]) == 1


def test_it_never_weighs_enough_for_a_family() -> None:
    found = said(beside(workers(np.random.default_rng(4), 60, 40), OTHERS))
    assert found
    assert sum(each.weight for each in found) <= COUNTS
    assert max(each.weight for each in found) < COUNTS


@pytest.mark.parametrize("trade", [None, 0, 3])
def test_people_with_matters_of_their_own_are_no_queue(trade: int | None) -> None:
    rng = np.random.default_rng(5)
    groups = [beside(people(rng, range(25), 12, trade), OTHERS) for _ in range(40)]
    assert np.mean([net(group) > 0 for group in groups]) <= 0.05
    assert np.mean([net(group) < 0 for group in groups]) >= 0.9


def test_one_busy_account_does_not_decide() -> None:
    rng = np.random.default_rng(6)
    few = people(rng, range(1, 20), 12)
    busy = exchanges(np.zeros(5_000, dtype=np.int64), rng.choice(TOPICS, 5_000, p=QUEUE))
    account, topic = (
        np.concatenate([part.ints(name) for part in (busy, few)]) for name in ("account", "topic")
    )
    assert MOST < 5_000
    assert net(beside(exchanges(account, topic), OTHERS)) < 0


def test_retries_add_nothing() -> None:
    ours = workers(np.random.default_rng(7), 12, 6)
    account, topic = ours.ints("account"), ours.ints("topic")
    again = exchanges(
        np.repeat(account, 5), np.repeat(topic, 5), np.repeat(np.arange(len(account)), 5)
    )
    assert [e.value for e in said(beside(again, OTHERS))] == pytest.approx(
        [e.value for e in said(beside(ours, OTHERS))]
    )


def test_an_assignment_that_each_sends_is_not_divided_work() -> None:
    rng = np.random.default_rng(8)
    ours = workers(rng, 30, 10)
    tasks = rng.integers(0, 60, len(ours))  # the tasks have their topics
    topic = rng.choice(TOPICS, 60, p=QUEUE)[tasks]
    found = said(beside(exchanges(ours.ints("account"), topic, tasks), OTHERS))
    assert any(each.speaks_for for each in found)
    assert all(each.weight == 0 for each in found if each.speaks_for)
    assert any("from another of them too" in each.text for each in found)


def test_exchanges_without_the_groups_style_do_not_count() -> None:
    rng = np.random.default_rng(9)
    worked, cover = workers(rng, 20, 10), people(rng, range(20), 10)
    account, topic = (
        np.concatenate([part.ints(name) for part in (worked, cover)])
        for name in ("account", "topic")
    )
    order = np.argsort(account, kind="stable")
    style = np.repeat([0, -1], [len(worked), len(cover)])[order]
    assert net(beside(exchanges(account[order], topic[order]), OTHERS, style)) > 0


def test_without_a_background_only_the_members_are_compared() -> None:
    ours = workers(np.random.default_rng(10), 20, 10)
    nobody = exchanges(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    (only,) = said(beside(ours, nobody))
    assert "no more alike than" in only.text


@pytest.mark.parametrize("topic", [-1, 77])
def test_topics_that_are_unknown_or_new_make_no_difference_between_accounts(topic: int) -> None:
    ours = exchanges(np.repeat(np.arange(10), 5), np.full(50, topic))
    assert all(math.isfinite(each.value) for each in said(beside(ours, OTHERS)))
    if topic < 0:
        assert said(beside(ours, OTHERS)) == []


def test_a_group_is_judged_in_milliseconds_once_the_background_is_known() -> None:
    rng = np.random.default_rng(11)
    said(beside(workers(rng, 10, 10), OTHERS))
    groups = [beside(workers(rng, 300, 20), OTHERS) for _ in range(5)]
    began = time.process_time()
    for group in groups:
        said(group)
    assert (time.process_time() - began) / len(groups) < 0.1  # 0.01 on an idle core
