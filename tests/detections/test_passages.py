"""Who takes which passage, and how often two customers should have met over one."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
import pytest

from stillwatch.detections.passages import Passages

Ints = npt.NDArray[np.int64]
#: account, customer, and the passages that it takes, each in a content of its own
Taking = tuple[int, int, Iterable[int]]


def content(account: int, passage: int) -> int:
    return 1_000_000 * account + passage


def taken(*takings: Taking) -> Passages:
    entries = [(a, content(a, p), p, c) for a, c, passages in takings for p in passages]
    account, contents, passage, customer = np.array(entries, dtype=np.int64).reshape(-1, 4).T
    return Passages(account, contents, passage, customer)


def sends(*takings: Taking) -> tuple[Ints, Ints]:
    """The accounts and contents of what a group sends."""
    entries = [(a, content(a, p)) for a, _, passages in takings for p in passages]
    account, contents = np.array(entries, dtype=np.int64).reshape(-1, 2).T
    return account, contents


def strangers(count: int, passages: Iterable[int], first: int = 50) -> list[Taking]:
    """Customers who each take all of the passages."""
    return [(1_000 + n, first + n, list(passages)) for n in range(count)]


def meetings(group: Iterable[Taking], others: Iterable[Taking]) -> tuple[list[float], list[float]]:
    """What was due and what took place, by customer of the group."""
    group = list(group)
    due, met = taken(*group, *others).meetings(*sends(*group))
    return due.tolist(), met.tolist()


def test_two_who_divide_a_set_that_strangers_take_from_never_meet_though_it_was_due() -> None:
    due, met = meetings([(1, 0, [0, 1]), (2, 1, [2, 3])], strangers(2, range(4)))
    # others took ten of the set, two of them the first; each of the two passages has two others
    assert due == pytest.approx([0, 2 * 2 * 2 / 10])
    assert met == [0, 0]


def test_two_who_take_the_same_meet_over_each() -> None:
    due, met = meetings([(1, 0, [0, 1]), (2, 1, [0, 1])], strangers(2, range(4)))
    # of ten that others took the first took two; each of the two passages has three others
    assert due == pytest.approx([0, 2 * 3 * 2 / 10])
    assert met == [0, 2]


def test_a_third_meets_each_of_those_before_it() -> None:
    group = [(1, 0, [0, 1]), (2, 1, [1, 2]), (3, 2, [1, 3])]
    due, met = meetings(group, strangers(2, range(4)))
    # of fourteen takings two are its own; passage 1 has four others, passages 0, 2 and 3 two each
    assert due == pytest.approx([0, (4 + 2) * 2 / 12, (4 + 2) * 4 / 12])
    assert met == [0, 1, 2]


def test_a_popular_passage_makes_a_meeting_more_likely() -> None:
    others = [*strangers(2, range(4)), (99, 90, [0, 2]), (98, 91, [0, 2])]
    popular, rare = (
        meetings([(1, 0, [0, 1]), (2, 1, theirs)], others)[0][1] for theirs in ([2], [3])
    )
    assert popular == pytest.approx(2 * rare)


@pytest.mark.parametrize("most", [8, 20])
def test_who_takes_at_random_meets_others_about_as_often_as_is_due(most: int) -> None:
    """A set of sixty, of which everybody takes as many as they like; some are more popular."""
    popularity = np.linspace(1, 3, 60) / np.linspace(1, 3, 60).sum()
    due, met = [], []
    for seed in range(60):
        random = np.random.default_rng(seed)
        everybody = [
            (each, each, random.choice(60, size, replace=False, p=popularity).tolist())
            for each, size in enumerate(random.integers(4, most + 1, 30).tolist())
        ]
        expected, observed = meetings(everybody[:10], everybody[10:])
        due.append(sum(expected))
        met.append(sum(observed))
    assert np.mean(met) > 5
    assert np.mean(met) == pytest.approx(np.mean(due), rel=0.1)


def parts(sets: int, size: int = 20, takers: int = 10) -> Iterator[list[Taking]]:
    """Strangers of several sets, all of whom take the whole set."""
    for number in range(sets):
        first = 100 * number
        some = range(size * number, size * (number + 1))
        yield [(1_000 + n, n, list(some)) for n in range(first + 50, first + 50 + takers)]


def test_customers_of_different_sets_never_owe_a_meeting() -> None:
    others = list(itertools.chain(*parts(3)))
    assert meetings([(1, 0, range(12)), (2, 1, range(20, 32))], others) == ([0, 0], [0, 0])
    due, _ = meetings([(1, 0, range(12)), (2, 1, range(12, 20))], others)
    assert due == pytest.approx([0, 8 * 10 * 12 / 212])


def test_passages_that_the_same_customers_send_are_one_set() -> None:
    passages = taken(*itertools.chain(*parts(3)))
    sets = passages.sets.reshape(3, 20)
    assert (sets == sets[:, :1]).all()
    assert len(np.unique(sets)) == 3


def test_a_passage_of_nobody_else_is_not_taken_from_anywhere() -> None:
    others = strangers(2, range(4))
    usual = meetings([(1, 0, [0, 1]), (2, 1, [2, 3])], others)
    private = meetings([(1, 0, [0, 1, 4, 5]), (2, 1, [2, 3, 6])], others)
    assert private == usual


def test_only_the_contents_that_are_asked_about_count() -> None:
    """What an account sends apart from the group's work is its own affair."""
    group = [(1, 0, [0, 1, 2]), (2, 1, [0, 1, 2])]
    passages = taken(*group, *strangers(2, range(4)))
    due, met = passages.meetings(*sends((1, 0, [0, 1]), (2, 1, [1, 2])))
    assert met.tolist() == [0, 1]
    assert due[1] == pytest.approx((3 + 3) * 2 / 12)


def test_the_same_content_of_another_account_is_not_asked_about() -> None:
    account, customer, passage = np.array([[1, 0, 0], [2, 1, 0], [3, 2, 0]]).T
    passages = Passages(account, np.full(3, 7), passage, customer)
    due, met = passages.meetings(np.array([1, 3]), np.array([7, 7]))
    assert (due.tolist(), met.tolist()) == ([0, 2 * 1 / 2], [0, 1])


def test_accounts_of_one_customer_never_meet_themselves() -> None:
    due, met = meetings([(1, 0, [0, 1]), (2, 0, [0, 1])], strangers(2, range(4)))
    assert (due, met) == ([0], [0])


def test_a_passage_that_an_account_tries_twice_is_taken_once() -> None:
    account = np.array([1, 1, 2, 3])
    contents, passage, customer = np.arange(4), np.zeros(4, np.int64), np.array([0, 0, 1, 2])
    due, met = Passages(account, contents, passage, customer).meetings(account, contents)
    assert due.tolist() == pytest.approx([0, 2 * 1 / 2, 2 * 2 / 2])
    assert met.tolist() == [0, 1, 2]


def test_customers_come_in_the_order_of_their_numbers() -> None:
    group = [(1, 9, [0]), (2, 4, [0]), (3, 7, [0])]
    _, met = meetings(group, [])
    assert met == [0, 1, 2]
    # 4 is first whatever the order of the accounts, so only what 7 and 9 take is due
    due, _ = meetings([(1, 9, [1]), (2, 4, [0])], strangers(2, range(2)))
    assert due[0] == 0
    assert due[1] > 0


def nothing() -> Ints:
    return np.zeros(0, dtype=np.int64)


def test_where_nothing_is_taken_there_is_nobody_to_meet() -> None:
    empty = Passages(nothing(), nothing(), nothing(), nothing())
    alone = taken((1, 0, [0, 1]), (2, 1, [2, 3]))
    for passages in (empty, alone, taken(*strangers(2, range(4)))):
        due, met = passages.meetings(*sends((1, 0, [0, 1]), (2, 1, [2, 3])))
        assert (due.shape, met.shape) == ((0,), (0,))
    due, met = taken(*strangers(2, range(4))).meetings(nothing(), nothing())
    assert (due.shape, met.shape) == ((0,), (0,))


def test_a_log_without_passages_has_no_sets() -> None:
    assert len(Passages(nothing(), nothing(), nothing(), nothing()).sets) == 0


def test_accounts_that_are_not_in_the_log_meet_nobody() -> None:
    known = (1, 0, [0, 1])
    passages = taken(known, *strangers(2, range(4)))
    due, met = passages.meetings(*sends(known, (77, 1, [0, 1])))
    assert (due.tolist(), met.tolist()) == ([0], [0])
