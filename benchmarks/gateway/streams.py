"""Streams: what an event costs ours and nginx, and how long the first one takes."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import uvloop

from benchmarks.gateway.asking import stream_requests
from benchmarks.gateway.plan import SEED, Plan
from benchmarks.gateway.whole import Contender

__all__ = ["Streamed", "stream_all"]

_EVENT = b"data: "
_END = b"0\r\n\r\n"
_KEPT = len(_EVENT) - 1  # bytes of what came that may be the beginning of the next event


@dataclass
class Streamed:
    """All rounds of one contender: events, and seconds until the first one of each stream."""

    first: list[float] = field(default_factory=list)
    cpu_per_event: list[float] = field(default_factory=list)  # of each round, in seconds


class Client(asyncio.Protocol):
    """One connection that asks for one stream after another."""

    def __init__(self, streamed: Streamed) -> None:
        self._streamed = streamed
        self.events = 0
        self._tail = b""
        self._asked = 0.0
        self._waits_for_head = self._waits_for_first = False
        self._done: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]

    async def ask(self, request: bytes) -> None:
        """Send the request, and wait for the end of the stream.

        Raises:
            RuntimeError: the answer is no stream, or breaks off.
        """
        self._done = asyncio.get_running_loop().create_future()
        self._waits_for_head = self._waits_for_first = True
        self._tail = b""
        self._asked = time.perf_counter()
        self._transport.write(request)
        await self._done

    def data_received(self, data: bytes) -> None:
        done = self._done
        if done is None or done.done():
            return
        if self._waits_for_head:
            self._waits_for_head = False
            if not data.startswith(b"HTTP/1.1 200"):
                done.set_exception(RuntimeError(f"no stream: {data[:500]!r}"))
                return
        data = self._tail + data
        events = data.count(_EVENT)
        if events and self._waits_for_first:
            self._waits_for_first = False
            self._streamed.first.append(time.perf_counter() - self._asked)
        self.events += events
        self._tail = data[-_KEPT:]
        if data.endswith(_END):
            done.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._done is not None and not self._done.done():
            self._done.set_exception(RuntimeError("the connection broke off"))

    def close(self) -> None:
        """End the connection."""
        self._transport.close()


def stream_all(
    plan: Plan, contenders: Sequence[Contender], secrets: Sequence[str]
) -> list[Streamed]:
    """Rounds of all contenders in turn, in the other order every other time.

    Processor time is counted from before the load until :attr:`Contender.drain` returns. A
    contender that keeps nothing of what it sends through is asked with the same requests.
    """
    told = [Streamed() for _ in contenders]
    requests = stream_requests(plan, secrets)
    for number in range(plan.rounds + 1):
        order = list(zip(contenders, told, strict=True))
        for contender, streamed in order if number % 2 == 0 else reversed(order):
            before = contender.child.cpu()
            warming = Streamed() if number == 0 else streamed
            events = uvloop.run(_round(plan, contender, warming, requests))
            contender.drain()
            used = max(contender.child.cpu() - before, 0.01)
            warming.cpu_per_event.append(used / events)
    return told


async def _round(
    plan: Plan, contender: Contender, streamed: Streamed, requests: Sequence[bytes]
) -> int:
    """As many connections as streams; how many events came.

    Raises:
        RuntimeError: a stream failed, or events are missing.
    """
    loop, chance = asyncio.get_running_loop(), random.Random(SEED)

    async def follow(number: int, wait: float) -> int:
        await asyncio.sleep(wait)  # so that they do not all begin at once
        _, client = await loop.create_connection(
            lambda: Client(streamed), "127.0.0.1", contender.port
        )
        for repeat in range(plan.repeats):
            await client.ask(requests[(number * plan.repeats + repeat) % len(requests)])
            contender.answered += 1
        client.close()
        return client.events

    lasts = plan.pace * plan.events
    contender.sent += plan.streams * plan.repeats
    events = await asyncio.gather(
        *(follow(number, chance.uniform(0, lasts)) for number in range(plan.streams))
    )
    expected = (plan.events + 2) * plan.repeats  # and the usage, and the end
    if set(events) != {expected}:
        raise RuntimeError(f"{contender.name}: {min(events)} events of {expected} came")
    return sum(events)
