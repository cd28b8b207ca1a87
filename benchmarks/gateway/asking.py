"""What clients send: chat requests of random words, each with a key, for wrk and for streams."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.gateway.plan import SEED, Plan
from benchmarks.recording import made

__all__ = ["stream_requests", "write_requests"]

_STREAMS = 500  # different ones; they are held in memory whole


def write_requests(path: Path, plan: Plan, secrets: Sequence[str]) -> None:
    """A secret, a tab and the body of a chat request a line; no two are the same."""
    chance = random.Random(SEED)
    with path.open("w") as out:
        for secret, body in _asked(plan.requests, plan.words, secrets):
            body["max_tokens"] = chance.randrange(16, 2048)
            body["temperature"] = chance.choice([0.2, 0.7, 1.0])
            out.write(f"{secret}\t{json.dumps(body)}\n")


def stream_requests(plan: Plan, secrets: Sequence[str]) -> list[bytes]:
    """Whole HTTP requests for streams with their usage."""
    requests = []
    for secret, body in _asked(min(plan.requests, _STREAMS), plan.words, secrets):
        body |= {"max_tokens": plan.events, "stream": True}
        body["stream_options"] = {"include_usage": True}
        data = json.dumps(body)
        requests.append(
            f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\n"
            f"authorization: Bearer {secret}\r\n"
            f"content-type: application/json\r\nuser-agent: benchmark/1.0\r\n"
            f"content-length: {len(data)}\r\n\r\n{data}".encode()
        )
    return requests


def _asked(
    count: int, words: int, secrets: Sequence[str]
) -> Iterator[tuple[str, dict[str, object]]]:
    """A secret and the body that goes with it; the texts are those of `benchmarks.recording`."""
    for number, exchange in enumerate(made(count, words)):
        turns = exchange.messages or ()
        messages = [{"role": turn.role, "content": turn.content} for turn in turns]
        yield secrets[number % len(secrets)], {"model": "model", "messages": messages}
