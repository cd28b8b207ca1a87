"""A model server that only streams: one event every few milliseconds, then the usage, then the end.

    python -m benchmarks.gateway.paced --events 100 --pace 0.01

It answers every request with a body, keeps connections, and says its port on its first line. The
first event leaves after one to two paces, as chance has it; the others follow at the pace.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re

import uvloop

from benchmarks.gateway.plan import SEED

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
    b"cache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n"
)


def events(count: int) -> list[bytes]:
    """The events of a stream, each framed as an HTTP chunk; the last frame ends the response."""
    chance = random.Random(SEED)
    told = []
    for number in range(count):
        word = "".join(chance.choices("abcdefghijklmnoprstuvw", k=6))
        last = number == count - 1
        told.append(_chunk([{"index": 0, "delta": {"content": f" {word}"}, "logprobs": None,
                             "finish_reason": "stop" if last else None}]))  # fmt: skip
    usage = {"prompt_tokens": 80, "completion_tokens": count, "total_tokens": 80 + count}
    told.append(_chunk([], usage))
    frames = [_frame(f"data: {json.dumps(each)}\n\n".encode()) for each in told]
    return [*frames, _frame(b"data: [DONE]\n\n") + _frame(b"")]


def _chunk(choices: list[object], usage: object = None) -> dict[str, object]:
    return {
        "id": "chatcmpl-0123456789abcdef", "object": "chat.completion.chunk",
        "created": 1_780_000_000, "model": "model", "choices": choices, "usage": usage,
    }  # fmt: skip


def _frame(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


class Stream(asyncio.Protocol):
    """One connection."""

    def __init__(self, told: list[bytes], pace: float, chance: random.Random) -> None:
        self._told, self._pace, self._chance = told, pace, chance
        self._loop = asyncio.get_running_loop()
        self._came = b""
        self._next = 0
        self._due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self._came += data
        head, separator, body = self._came.partition(b"\r\n\r\n")
        if not separator:
            return
        found = _LENGTH.search(head + b"\r\n")
        if len(body) < (int(found[1]) if found else 0):
            return
        self._came, self._next = b"", 0
        self._due = self._loop.time() + self._pace * (1 + self._chance.random())
        self._loop.call_at(self._due, self._tell)

    def _tell(self) -> None:
        if self._transport.is_closing():
            return
        number, told = self._next, self._told
        self._transport.write(told[number] if number else _HEAD + told[number])
        self._next += 1
        if self._next == len(told) - 1:  # the end comes with the usage
            self._transport.write(told[-1])
            return
        self._due += self._pace
        self._loop.call_at(self._due, self._tell)


async def serve(count: int, pace: float) -> None:
    """Until it is killed."""
    told, chance = events(count), random.Random(SEED)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Stream(told, pace, chance), "127.0.0.1", 0, backlog=4096
    )
    print(f"port {server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--events", type=int, default=100)
    parser.add_argument("--pace", type=float, default=0.010)
    asked = parser.parse_args()
    uvloop.run(serve(asked.events, asked.pace))
