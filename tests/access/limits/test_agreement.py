"""The keeper in Redis decides as the one in memory, whatever happens in whatever order."""

from __future__ import annotations

import asyncio
import contextlib
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stillwatch.access.limits import (
    Charge,
    Exceeded,
    Limit,
    MemoryLimiter,
    RedisLimiter,
    Reservation,
    Usage,
)

LIMITS = (
    Limit(name="slow", scope="key", unit="tokens", amount=7, period=60.0, burst=90),
    Limit(name="fast", scope="org", unit="tokens", amount=10**7, period=1.0, burst=10**9),
    Limit(name="calls", scope="key", unit="requests", amount=10, period=60.0),
    Limit(name="hours", scope="key", unit="tokens", amount=300, calendar="hour"),
    Limit(name="months", scope="org", unit="requests", amount=60, calendar="month"),
    Limit(name="slots", scope="key", unit="concurrent", amount=5),
    Limit(name="items", scope="key", unit="distinct", amount=4, period=90.0),
)

charges = st.builds(
    Charge,
    limit=st.sampled_from(LIMITS),
    subject=st.sampled_from(["a", "b"]),
    cost=st.integers(0, 60) | st.just(2),
    items=st.lists(st.integers(0, 6), max_size=3).map(tuple),
)
usages = st.builds(
    Usage,
    tokens=st.integers(0, 100) | st.none(),
    streamed=st.integers(0, 100),
    still_running=st.booleans(),
    sent=st.booleans(),
)
steps = st.one_of(
    st.tuples(st.just("reserve"), st.lists(charges, min_size=1, max_size=4)),
    st.tuples(st.just("reserve"), st.lists(charges, min_size=1, max_size=4)),
    st.tuples(st.just("settle"), st.integers(0, 40), usages),
    st.tuples(st.just("renew"), st.integers(0, 40)),
    st.tuples(st.just("wait"), st.sampled_from([0.001, 1.0, 7.5, 59.0, 3600.0, 86_400.0 * 12])),
)
_numbers = count()


def outcome(answer: Reservation | Exceeded) -> tuple[Any, ...]:
    if isinstance(answer, Reservation):
        return answer.charges, pytest.approx(answer.at, rel=0, abs=1e-6)
    wait = answer.retry_after
    return answer.charge, None if wait is None else pytest.approx(wait, rel=0, abs=2e-6)


@pytest.mark.service
@settings(max_examples=60, deadline=None)
@given(script=st.lists(steps, min_size=5, max_size=40))
def test_both_keepers_decide_alike(shared_redis: Any, script: list[Any]) -> None:
    now = 1_790_000_000 * 10**9

    async def play() -> None:
        nonlocal now
        memory = MemoryLimiter(clock=lambda: now)
        redis = RedisLimiter(
            shared_redis.url, prefix=f"agree{next(_numbers)}", clock=lambda: now, timeout=10
        )
        made: list[tuple[Reservation, Reservation]] = []
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(redis.close)
            for step, *what in script:
                if step == "wait":
                    now += round(what[0] * 1e9)
                elif step == "reserve":
                    one, two = memory.reserve_now(what[0]), await redis.reserve(what[0])
                    assert outcome(one) == outcome(two)
                    if isinstance(one, Reservation) and isinstance(two, Reservation):
                        made.append((one, two))
                elif made:
                    one, two = made[what[0] % len(made)]
                    if step == "settle":
                        memory.settle_now(one, what[1])
                        await redis.settle(two, what[1])
                    else:
                        await memory.renew(one)
                        await redis.renew(two)
                assert await memory.outstanding() == await redis.outstanding()

    asyncio.run(play())
