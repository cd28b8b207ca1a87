"""Replicas that share one budget never use more than the budget, whoever leaves or is killed."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from stillwatch.access.limits import Charge, RedisLimiter, Reservation

from .conftest import RedisServer
from .replica import BUDGET, LEASE, SLOTS

REPLICA = Path(__file__).with_name("replica.py")


@pytest.mark.service
def test_four_replicas_never_use_more_than_one_budget(shared_redis: RedisServer) -> None:
    def start(seed: int) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, REPLICA, shared_redis.url, str(seed)],
            stdout=subprocess.PIPE,
            text=True,
        )

    victim = start(0)
    assert victim.stdout is not None
    charged = int(victim.stdout.readline())  # it is at work before the others come
    replicas = [victim, *(start(seed) for seed in (1, 2, 3))]
    charged += sum(int(victim.stdout.readline()) for _ in range(80))
    victim.kill()
    for replica in replicas:
        charged += sum(int(line) for line in replica.communicate()[0].split())
    assert [replica.returncode for replica in replicas] == [-9, 0, 0, 0]
    # clients give up while others still hold what they will not use
    assert 0.85 * BUDGET.amount < charged <= BUDGET.amount

    async def afterwards() -> None:
        limiter = RedisLimiter(shared_redis.url, prefix="overshoot", lease=LEASE, timeout=10)
        async with asyncio.timeout(60):
            while await limiter.outstanding():
                await asyncio.sleep(0.1)
            left = await limiter.reserve([Charge(BUDGET, "", BUDGET.amount - charged + 1)])
            assert not isinstance(left, Reservation)
            # slots last as long as the leases, also those of upstreams that run on
            all_slots = [Charge(SLOTS, "", SLOTS.amount)]
            while not isinstance(await limiter.reserve(all_slots), Reservation):
                await asyncio.sleep(0.1)
        await limiter.close()

    asyncio.run(afterwards())
