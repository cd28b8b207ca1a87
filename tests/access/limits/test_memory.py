"""What is particular to the keeper in memory: it never waits, and forgets who is idle."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from stillwatch.access.limits import Charge, Limit, MemoryLimiter, Reservation, Unit, Usage

LIMITS = [
    Limit(name="rate", scope="key", unit="tokens", amount=60, period=60.0),
    Limit(name="budget", scope="key", unit="tokens", amount=60, calendar="hour"),
    Limit(name="slots", scope="key", unit="concurrent", amount=60),
    Limit(name="items", scope="key", unit="distinct", amount=60, period=60.0),
]
each_limit = pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.name)


def test_it_answers_without_suspending(clock: Any) -> None:
    limiter = MemoryLimiter(clock=clock)
    charges = [Charge(limit, "a", 1, (1,)) for limit in LIMITS]

    async def request() -> None:
        reservation = await limiter.reserve(charges)
        assert isinstance(reservation, Reservation)
        await limiter.renew(reservation)
        await limiter.settle(reservation, Usage(tokens=1))
        await limiter.close()

    with pytest.raises(StopIteration):
        request().send(None)


@each_limit
def test_subjects_that_have_nothing_charged_are_forgotten(limit: Limit, clock: Any) -> None:
    limiter = MemoryLimiter(clock=clock)
    for i in range(5000):
        reservation = limiter.reserve_now([Charge(limit, str(i), 30, (1,))])
        assert isinstance(reservation, Reservation)
        limiter.settle_now(reservation, Usage(tokens=30))
        clock.advance(60)
    (subjects,) = limiter._subjects.values()
    assert len(subjects) < 70


@each_limit
def test_subjects_that_have_something_charged_are_remembered(limit: Limit, clock: Any) -> None:
    limiter = MemoryLimiter(clock=clock)
    full = tuple(range(60))
    for i in range(500):
        assert isinstance(limiter.reserve_now([Charge(limit, str(i), 60, full)]), Reservation)
    clock.advance(59)
    for i in range(500):
        assert not isinstance(limiter.reserve_now([Charge(limit, str(i), 60, (99,))]), Reservation)


def test_a_subject_whose_request_still_runs_is_remembered(clock: Any) -> None:
    """Its rate has long drained, and it will turn out to have used more than it reserved."""
    limiter = MemoryLimiter(clock=clock, lease=10_000)
    rate = LIMITS[0]
    long = limiter.reserve_now([Charge(rate, "long", 1)])
    assert isinstance(long, Reservation)
    for i in range(500):
        limiter.reserve_now([Charge(rate, str(i), 1)])
        clock.advance(2)
    limiter.settle_now(long, Usage(tokens=100))
    assert not isinstance(limiter.reserve_now([Charge(rate, "long", 1)]), Reservation)


def test_slots_of_what_still_runs_are_held_again_even_if_others_came(clock: Any) -> None:
    limiter = MemoryLimiter(clock=clock)
    late = limiter.reserve_now([Charge(LIMITS[2], "a", 60)])
    clock.advance(61)
    other = limiter.reserve_now([Charge(LIMITS[2], "a", 60)])
    assert isinstance(late, Reservation)
    assert isinstance(other, Reservation)
    asyncio.run(limiter.renew(late))
    limiter.settle_now(other, Usage())
    assert not isinstance(limiter.reserve_now([Charge(LIMITS[2], "a", 1)]), Reservation)
    limiter.settle_now(late, Usage())
    assert isinstance(limiter.reserve_now([Charge(LIMITS[2], "a", 60)]), Reservation)


def test_limits_that_are_made_for_each_request_share_their_state(clock: Any) -> None:
    limiter = MemoryLimiter(clock=clock)
    unit: Unit = "tokens"

    def ask() -> bool:
        limit = Limit(name="rate", scope="key", unit=unit, amount=20_000, period=60.0)
        return isinstance(limiter.reserve_now([Charge(limit, "a", 1)]), Reservation)

    assert sum(ask() for _ in range(20_100)) == 20_000
    assert len(limiter._known) <= 10_000
