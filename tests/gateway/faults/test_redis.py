"""Limits in a Redis that goes away and comes back, and gateways that are killed meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stillwatch.access.limits import LEASE
from stillwatch.access.limits.redis import RedisLimiter
from tests.access.limits.conftest import RedisServer
from tests.gateway.faults.conftest import Asker, Running, serving
from tests.gateway.faults.test_slow_clients import asking
from tests.gateway.faults.wild_engine import WildEngine

Until = Callable[[Callable[[], object]], None]
pytestmark = pytest.mark.service

SETTINGS = """
levels:
  default: {max_tokens: 64}
tiers:
  strict:
    - {name: budget, scope: account, unit: tokens, amount: 1000, calendar: month}
    - {name: slots, scope: account, unit: concurrent, amount: 2}
  lenient:
    - {name: budget, scope: account, unit: tokens, amount: 1000, calendar: month,
       when_away: allow}
backends:
  - {name: engine, url: "URL"}
gateway:
  limits: REDIS
"""


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    yield server
    server.kill()


@pytest.fixture
def settings(engine: WildEngine, redis: RedisServer) -> str:
    return SETTINGS.replace("URL", engine.url).replace("REDIS", redis.url)


@pytest.fixture
def limited(settings: str, tmp_path: Path) -> Iterator[Running]:
    with serving(tmp_path / "gateway", settings) as running:
        yield running
        assert running.failures() == []


def outstanding(redis: RedisServer, seconds: float = 0.0) -> int:
    """Reservations that nobody has settled, so many seconds from now."""

    async def count() -> int:
        limiter = RedisLimiter(redis.url, clock=lambda: time.time_ns() + round(seconds * 1e9))
        try:
            return await limiter.outstanding()
        finally:
            await limiter.close()

    return asyncio.run(count())


def test_while_it_is_away_each_limit_does_as_it_says_and_all_is_well_after(
    limited: Running, redis: RedisServer, until: Until
) -> None:
    strict, lenient = Asker(limited, tier="strict"), Asker(limited, tier="lenient")
    assert strict.chat("m").status == 200
    assert lenient.chat("m").status == 200
    redis.kill()
    for _ in range(5):
        began = time.monotonic()
        refused = strict.chat("m")
        assert time.monotonic() - began < 2
        assert (refused.status, refused.json()["error"]["code"]) == (503, "unavailable")
        assert int(refused.headers["retry-after"]) >= 1
        assert lenient.chat("m").status == 200
    assert limited.send("GET", "/readyz").status == 200
    redis.start()
    until(lambda: strict.chat("m").status == 200)
    assert lenient.chat("m").status == 200
    until(lambda: outstanding(redis) == 0)
    strict.rows()
    lenient.rows()


def test_it_goes_away_under_a_stream_and_the_stream_ends_well(
    limited: Running, redis: RedisServer, until: Until
) -> None:
    asker = Asker(limited, tier="strict")
    with asking(limited, asker.key, model="stalls", stream=True) as connection:
        connection.recv(1000)
        redis.kill()
    asker.statuses.append(499)
    asker.rows()
    redis.start()
    until(lambda: asker.chat("m").status == 200)


def test_a_gateway_that_is_killed_leaves_nothing_reserved_beyond_its_leases(
    settings: str, redis: RedisServer, tmp_path: Path
) -> None:
    with serving(tmp_path / "first", settings) as first:
        asker = Asker(first, tier="strict")
        with (
            asking(first, asker.key, model="stalls", stream=True) as one,
            asking(first, asker.key, model="stalls", stream=True) as another,
        ):
            one.recv(1000)
            another.recv(1000)
            assert asker.chat("m").status == 429  # both slots are taken
            first.process.kill()
            first.process.wait()
    assert outstanding(redis) == 2
    assert outstanding(redis, seconds=LEASE + 1) == 0


@pytest.mark.slow
@pytest.mark.waits
def test_the_slots_of_a_killed_gateway_are_free_after_a_lease(
    settings: str, redis: RedisServer, tmp_path: Path
) -> None:
    with serving(tmp_path / "state", settings) as first:
        asker = Asker(first, tier="strict")
        with (
            asking(first, asker.key, model="stalls", stream=True) as one,
            asking(first, asker.key, model="stalls", stream=True) as another,
        ):
            one.recv(1000)
            another.recv(1000)
            first.process.kill()
            first.process.wait()
    killed = time.monotonic()
    with serving(tmp_path / "state", settings) as second:
        assert second.chat(asker.key).status == 429
        time.sleep(LEASE - (time.monotonic() - killed) + 2)
        assert second.chat(asker.key).status == 200
