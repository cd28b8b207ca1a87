"""The store goes away, hangs, forgets or refuses, and comes back: nobody waits, nothing is lost."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
import redis

from stillwatch.access.limits import Charge, Limit, RedisLimiter, Usage

from .conftest import Keeper, RedisServer

pytestmark = pytest.mark.service

BUDGET = Limit(name="budget", scope="org", unit="tokens", amount=100, calendar="month")
LENIENT = msgspec.structs.replace(BUDGET, name="lenient", when_away="allow")
ALL = Charge(BUDGET, "a", 100)
HANGS = 0.5  # seconds until a store that does not answer is given up
Eventually = Callable[[Callable[[], bool]], None]


@pytest.fixture
def keep(runner: asyncio.Runner) -> Iterator[Callable[..., Keeper]]:
    """Makes keepers that ask again soon, and closes them. They have much patience, as the machine
    may be busy, except in the tests of a store that hangs."""
    made: list[RedisLimiter] = []

    def make(url: str, **options: Any) -> Keeper:
        made.append(RedisLimiter(url, **{"pause": 0.02, "timeout": 30, **options}))
        return Keeper(made[-1], runner)

    yield make
    for limiter in made:
        runner.run(limiter.close())


@pytest.fixture
def unused_url() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"redis://127.0.0.1:{free.getsockname()[1]}"


def back(keeper: Keeper) -> Callable[[], bool]:
    """Whether nothing waits any more; the settlements are told in the background."""
    return lambda: keeper.limiter.waiting == 0  # type: ignore[union-attr]


def test_each_limit_says_what_happens_while_the_store_is_away(
    keep: Callable[..., Keeper], unused_url: str
) -> None:
    keeper = keep(unused_url)
    for _ in range(10):
        refused = keeper.refuse(Charge(LENIENT, "a", 1), ALL)
        assert (refused.charge, refused.retry_after, refused.away) == (ALL, 1.0, True)
        passed = keeper.admit(Charge(LENIENT, "a", 1))
        assert passed.unkept == passed.charges == (Charge(LENIENT, "a", 1),)
        keeper.renew(passed)
        keeper.settle(passed, Usage(tokens=1))


def test_a_store_that_was_killed_is_used_again_when_it_is_back(
    keep: Callable[..., Keeper], own_redis: RedisServer, eventually: Eventually
) -> None:
    keeper = keep(own_redis.url)
    reservation = keeper.admit(ALL)
    own_redis.kill()
    keeper.settle(reservation, Usage(tokens=5))
    keeper.renew(reservation)
    assert keeper.refuse(ALL).away
    own_redis.start()
    eventually(back(keeper))
    keeper.settle(keeper.admit(ALL), Usage(tokens=5))
    assert not keeper.refuse(ALL).away
    keeper.admit(Charge(BUDGET, "a", 95))


def test_what_was_settled_while_the_store_hung_is_told_when_it_is_back(
    keep: Callable[..., Keeper], own_redis: RedisServer, eventually: Eventually
) -> None:
    patient, hasty = keep(own_redis.url), keep(own_redis.url, timeout=HANGS)
    reservations = [patient.admit(Charge(BUDGET, "a", 10)) for _ in range(10)]
    own_redis.process.send_signal(signal.SIGSTOP)
    for reservation in reservations:
        hasty.settle(reservation, Usage(tokens=1))
    own_redis.process.send_signal(signal.SIGCONT)
    eventually(back(hasty))
    keeper = patient
    assert keeper.outstanding() == 0
    keeper.refuse(Charge(BUDGET, "a", 91))
    keeper.admit(Charge(BUDGET, "a", 90))


def test_what_was_reserved_without_an_answer_is_given_back(
    keep: Callable[..., Keeper], own_redis: RedisServer, eventually: Eventually
) -> None:
    keeper, hasty = keep(own_redis.url), keep(own_redis.url, timeout=HANGS)
    hasty.reserve(Charge(BUDGET, "a", 0))  # has a connection
    own_redis.process.send_signal(signal.SIGSTOP)
    assert hasty.refuse(ALL).away
    own_redis.process.send_signal(signal.SIGCONT)
    eventually(back(hasty))
    assert keeper.outstanding() <= 1  # of the first
    keeper.admit(ALL)


def test_a_caller_that_is_cancelled_leaves_nothing_reserved(
    keep: Callable[..., Keeper],
    own_redis: RedisServer,
    eventually: Eventually,
    runner: asyncio.Runner,
) -> None:
    keeper = keep(own_redis.url)
    reservation = keeper.admit(Charge(BUDGET, "a", 40))
    own_redis.process.send_signal(signal.SIGSTOP)

    async def cancelled() -> None:
        # the first has the connection, so the server will carry it out; the second waits for one
        reserving = asyncio.create_task(keeper.limiter.reserve([Charge(BUDGET, "a", 60)]))
        await asyncio.sleep(0.05)
        settling = asyncio.create_task(keeper.limiter.settle(reservation, Usage(tokens=0)))
        await asyncio.sleep(0.05)
        for task in (reserving, settling):
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    runner.run(cancelled())
    own_redis.process.send_signal(signal.SIGCONT)
    eventually(back(keeper))
    assert keeper.outstanding() == 0
    keeper.admit(ALL)


def test_a_script_that_was_forgotten_is_loaded_again(
    keep: Callable[..., Keeper], own_redis: RedisServer
) -> None:
    keeper = keep(own_redis.url)
    reservation = keeper.admit(ALL)
    with redis.Redis(port=own_redis.port) as other:
        other.script_flush()
    keeper.settle(reservation, Usage(tokens=10))
    keeper.admit(Charge(BUDGET, "a", 90))


def test_a_store_that_refuses_to_write_counts_as_away(
    keep: Callable[..., Keeper], own_redis: RedisServer, eventually: Eventually
) -> None:
    keeper = keep(own_redis.url)
    with redis.Redis(port=own_redis.port) as other:
        other.config_set("maxmemory", "1")
        assert keeper.refuse(ALL).away
        other.config_set("maxmemory", "0")
    eventually(back(keeper))
    keeper.admit(ALL)


def test_a_store_that_is_away_is_not_asked_by_every_request(
    keep: Callable[..., Keeper], runner: asyncio.Runner
) -> None:
    """It takes connections and never answers."""
    asked = 0

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        await reader.read()
        writer.close()

    async def listen() -> asyncio.Server:
        return await asyncio.start_server(hang, "127.0.0.1", 0)

    server = runner.run(listen())
    url = f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    keeper = keep(url, timeout=HANGS, pause=3600)
    for _ in range(50):
        assert keeper.refuse(ALL).away
    assert 1 <= asked <= 4
    server.close()


def test_what_waits_for_the_store_is_bounded(
    keep: Callable[..., Keeper], own_redis: RedisServer
) -> None:
    keeper = keep(own_redis.url, waiting=5, pause=3600)
    reservations = [keeper.admit(Charge(BUDGET, "a", 1)) for _ in range(20)]
    own_redis.kill()
    for reservation in reservations:
        keeper.settle(reservation, Usage(tokens=1))
    limiter = keeper.limiter
    assert isinstance(limiter, RedisLimiter)
    assert (limiter.waiting, limiter.lost) == (5, 15)


def test_every_key_goes_away_by_itself(keep: Callable[..., Keeper], own_redis: RedisServer) -> None:
    keeper = keep(own_redis.url)
    limits = (
        BUDGET,
        Limit(name="rate", scope="key", unit="tokens", amount=60, period=60.0),
        Limit(name="slots", scope="key", unit="concurrent", amount=100),
        Limit(name="items", scope="key", unit="distinct", amount=100, period=60.0),
    )
    for usage in (Usage(tokens=1), Usage(sent=False), Usage(still_running=True)):
        keeper.settle(keeper.admit(*(Charge(limit, "a", 5, (1, 2)) for limit in limits)), usage)
    with redis.Redis(port=own_redis.port) as other:
        lives = [other.pttl(key) for key in other.scan_iter()]
    assert len(lives) == len(limits)
    assert min(lives) > 0
