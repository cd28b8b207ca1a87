"""One replica under load, for test_overshoot: 25 tasks that spend a budget until it is used up.

Arguments: the URL of the Redis, a seed. Prints what a request is charged as soon as it is let
through, and what is given back, as a negative number, before that is asked for. So the sum of what
a killed replica printed is never more than what it was charged.
"""

from __future__ import annotations

import asyncio
import random
import sys

from stillwatch.access.limits import Charge, Limit, RedisLimiter, Reservation, Usage

BUDGET = Limit(name="budget", scope="global", unit="tokens", amount=1_000_000, calendar="month")
SLOTS = Limit(name="slots", scope="global", unit="concurrent", amount=90)
LEASE = 3.0


def say(tokens: int) -> None:
    sys.stdout.write(f"{tokens}\n")
    sys.stdout.flush()


async def client(limiter: RedisLimiter, dice: random.Random) -> None:
    refused = 0
    while refused < 30:
        reserved = dice.randint(2000, 5000)
        reservation = await limiter.reserve([Charge(BUDGET, "", reserved), Charge(SLOTS, "", 1)])
        if not isinstance(reservation, Reservation):
            refused += reservation.charge.limit == BUDGET
            await asyncio.sleep(0.005)
            continue
        generated = dice.randint(0, reserved)
        say(reserved)
        match dice.choice(["whole", "left", "left", "runs on", "not sent"]):
            case "whole":
                usage = Usage(tokens=generated)
            case "left":
                usage = Usage(streamed=generated)
            case "runs on":
                usage = Usage(streamed=generated // 2, still_running=True)
                generated = reserved
            case _:
                usage = Usage(sent=False)
                generated = 0
        request = asyncio.create_task(asyncio.sleep(dice.random() * 0.03))
        if dice.random() < 0.5:
            asyncio.get_running_loop().call_later(dice.random() * 0.03, request.cancel)
        await asyncio.wait([request])
        say(generated - reserved)
        await limiter.settle(reservation, usage)


async def main(url: str, seed: str) -> None:
    limiter = RedisLimiter(url, prefix="overshoot", lease=LEASE, timeout=10)
    async with asyncio.TaskGroup() as clients:
        for number in range(25):
            clients.create_task(client(limiter, random.Random(f"{seed}/{number}")))
    await limiter.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
