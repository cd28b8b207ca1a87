"""Problems that a queue hands out once, beside customers who choose for themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import pytest

from stillwatch.campaigns.division import division_e_value
from stillwatch.detections import Group, Passages
from tests.detections.groups import Ints, beside, rows

NOBODY = rows([], content=[])
Takes = list[Ints]


class Sent(NamedTuple):
    """What accounts send, an entry a problem: accounts from 0, contents of their own."""

    account: Ints
    content: Ints
    problem: Ints


def sent(takes: Sequence[Ints]) -> Sent:
    account = np.repeat(np.arange(len(takes)), [len(each) for each in takes])
    return Sent(account, np.arange(len(account)), np.concatenate(takes).astype(np.int64))


def passages(everything: Sent, customer: Sequence[int] | None = None) -> Passages:
    """A passage a problem; `customer` of each account, one of its own if nothing is said."""
    owner = np.arange(everything.account.max() + 1) if customer is None else np.array(customer)
    return Passages(*everything, owner[everything.account])


def group(everything: Sent, members: int, *, marked: Ints | None = None) -> Group:
    """The first `members` accounts; `marked` problems carry the group's wording, all if absent."""
    ours = everything.account < members
    problem = everything.problem[ours]
    style = np.zeros(len(problem)) if marked is None else np.isin(problem, marked) - 1
    return beside(rows(everything.account[ours], content=everything.content[ours]), NOBODY, style)


def nats(takes: Sequence[Ints], members: int, customer: Sequence[int] | None = None) -> float:
    everything = sent(takes)
    return division_e_value(group(everything, members), passages(everything, customer))


def how_many(rng: np.random.Generator, customers: int, mean: float, most: int) -> Ints:
    """Problems that customers take: as uneven as customers are."""
    many = rng.poisson(mean * rng.lognormal(0, 1.0, customers))
    return np.clip(many, 1, most)


def at_random(rng: np.random.Generator, customers: int, size: int, mean: float = 20) -> Takes:
    """Everybody draws from a set of `size` problems, without knowing of the others."""
    return [rng.choice(size, n, replace=False) for n in how_many(rng, customers, mean, size)]


def in_blocks(rng: np.random.Generator, customers: int, size: int, length: int) -> Takes:
    """Everybody works on one block of the set, from a place of their own."""
    starts = rng.integers(0, size - length + 1, customers)
    return [start + np.arange(length) for start in starts.tolist()]


def from_a_queue(rng: np.random.Generator, members: int, size: int, mean: float = 15) -> Takes:
    """Each problem is handed out once."""
    ends = np.cumsum(1 + rng.poisson(mean, members))
    return np.split(rng.permutation(size)[: ends[-1]], ends[:-1])


def avoiding(takes: Takes) -> float:
    """The share of pairs of customers that have no problem in common."""
    sets = [set(each.tolist()) for each in takes]
    return float(np.mean([a.isdisjoint(b) for n, a in enumerate(sets) for b in sets[:n]]))


def holds_as_an_e_value(make: Callable[[], Takes], members: int, runs: int) -> bool:
    e = np.exp([nats(make(), members) for _ in range(runs)])
    mean_is_at_most_one = e.mean() <= 1.0 + 3 * e.std() / np.sqrt(len(e))
    return bool(mean_is_at_most_one and (e >= 20).mean() <= 0.05)


# -- a queue


@pytest.mark.parametrize(("members", "least"), [(10, 3.0), (30, 8.0), (60, 10.0)])
def test_a_queue_that_hands_each_problem_out_once_is_seen(members: int, least: float) -> None:
    rng = np.random.default_rng(1)
    for _ in range(8):
        takes = from_a_queue(rng, members, 25 * members)
        strangers = at_random(rng, 20, 25 * members, 30)
        assert nats([*takes, *strangers], members) > least


def test_two_bystanders_among_ten_do_not_undo_it() -> None:
    rng = np.random.default_rng(2)
    divided, honest = [], []
    for _ in range(20):
        strangers = at_random(rng, 12, 150, 30)
        bystanders, instead = at_random(rng, 2, 150, 12), at_random(rng, 8, 150, 12)
        queue = from_a_queue(rng, 8, 150, 12)
        mixed = [(queue + bystanders)[n] for n in rng.permutation(10)]
        divided.append(nats([*mixed, *strangers], 10))
        honest.append(nats([*instead, *bystanders, *strangers], 10))
    assert np.median(divided) > np.median(honest) + 3
    assert np.median(divided) > 0


# -- customers who choose for themselves


@pytest.mark.parametrize("members", [3, 10, 30, 60])
@pytest.mark.parametrize(("size", "strangers"), [(40, 30), (300, 3), (300, 30), (2_000, 10)])
def test_customers_who_draw_at_random_from_one_set_are_no_evidence(
    members: int, size: int, strangers: int
) -> None:
    rng = np.random.default_rng(3)
    assert holds_as_an_e_value(lambda: at_random(rng, members + strangers, size), members, 100)


def test_nor_are_they_where_some_problems_are_far_more_popular_than_others() -> None:
    rng = np.random.default_rng(4)
    popular = 1 / np.arange(1, 401)

    def make() -> Takes:
        many = how_many(rng, 45, 15, 200)
        return [rng.choice(400, n, replace=False, p=popular / popular.sum()) for n in many]

    assert holds_as_an_e_value(make, 15, 100)


def test_nor_are_they_where_each_keeps_to_one_of_several_sets() -> None:
    """They never meet those who take from other sets, and are not expected to."""
    rng = np.random.default_rng(5)

    def make() -> Takes:
        return [each + 200 * int(rng.integers(4)) for each in at_random(rng, 50, 120, 30)]

    assert holds_as_an_e_value(make, 25, 60)


@pytest.mark.parametrize("members", [5, 12, 40])
@pytest.mark.parametrize("length", [85, 120])
@pytest.mark.parametrize("random", [False, True])
def test_customers_who_each_work_on_one_block_are_no_evidence(
    members: int, length: int, random: bool
) -> None:
    """Whether strangers work on blocks too, or draw from the whole set."""
    rng = np.random.default_rng(6)
    assert avoiding(in_blocks(rng, 100, 240, length)) < 0.25

    def make() -> Takes:
        strangers = at_random(rng, 20, 240, 30) if random else in_blocks(rng, 20, 240, length)
        return [*in_blocks(rng, members, 240, length), *strangers]

    assert holds_as_an_e_value(make, members, 40)


def test_customers_who_meet_are_evidence_against() -> None:
    rng = np.random.default_rng(7)
    assert np.median([nats(at_random(rng, 50, 200), 30) for _ in range(20)]) < -2


# -- what counts


def test_accounts_of_one_customer_count_once() -> None:
    """What a school has its pupils do in turns is no division among customers."""
    rng = np.random.default_rng(8)
    queue, strangers = from_a_queue(rng, 20, 400), at_random(rng, 20, 400, 30)
    alone = list(range(20, 40))
    assert nats([*queue, *strangers], 20) > 5
    assert nats([*queue, *strangers], 20, [0] * 20 + alone) == 0.0

    five = [np.concatenate(queue[n::5]) for n in range(5)]
    of_five = [n % 5 for n in range(20)]
    together = nats([*five, *strangers], 5)
    assert nats([*queue, *strangers], 20, of_five + alone) == pytest.approx(together)


def test_what_members_send_beside_the_wording_does_not_hide_the_queue() -> None:
    """Cover traffic meets others as honest work does."""
    rng = np.random.default_rng(9)
    queue, cover = from_a_queue(rng, 20, 400), [np.arange(400, 430)] * 20
    strangers = at_random(rng, 20, 430, 30)
    both = [np.concatenate(pair) for pair in zip(queue, cover, strict=True)]
    everything = sent([*both, *strangers])
    known = passages(everything)
    assert division_e_value(group(everything, 20, marked=np.arange(400)), known) > 5
    assert division_e_value(group(everything, 20, marked=np.arange(400, 430)), known) < -2


def test_where_nothing_is_marked_every_exchange_counts() -> None:
    rng = np.random.default_rng(10)
    everything = sent([*from_a_queue(rng, 20, 400), *at_random(rng, 20, 400, 30)])
    known, nothing = passages(everything), np.zeros(0, dtype=np.int64)
    unmarked = division_e_value(group(everything, 20, marked=nothing), known)
    assert unmarked == pytest.approx(division_e_value(group(everything, 20), known))
    assert unmarked > 5


def test_problems_that_nobody_else_sends_say_nothing() -> None:
    """Without others who take them nobody knows that the members should have met."""
    rng = np.random.default_rng(11)
    assert nats(from_a_queue(rng, 30, 600), 30) == 0.0


def test_a_handful_of_problems_says_nothing() -> None:
    rng = np.random.default_rng(12)
    takes = [*from_a_queue(rng, 4, 1_000, 2), *at_random(rng, 10, 1_000, 20)]
    assert nats(takes, 4) == 0.0
