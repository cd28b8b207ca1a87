"""Where the processor time of a whole answer goes: what each part costs alone, in µs a request.

    python -m benchmarks.gateway.parts

uvicorn with an application that answers at once, uvicorn with our connections, a bare proxy with
our client, nginx before the same model server; and the gateway's own work without any connection,
its exchanges recorded by a writer of its own. One core for what is measured, the other for the load
and the model server; three rounds in turn; 60-word prompts, answers of 1 kB, 32 connections.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import uvicorn
import uvloop

from benchmarks.gateway.asking import write_requests
from benchmarks.gateway.children import Child
from benchmarks.gateway.nginx import Nginx, fixed_answers, model_answer, proxy
from benchmarks.gateway.plan import FULL, cores
from benchmarks.gateway.subject import usual_secrets, usual_settings
from benchmarks.gateway.whole import Contender, loaded
from benchmarks.keys import write
from stillwatch.gateway import Gateway, read_gateway, running
from stillwatch.gateway.client import Client
from stillwatch.gateway.connections import Connection

_ROUNDS, _SECONDS, _KEYS, _REQUESTS = 3, 3.0, 2_000, 20_000
_JSON = (b"content-type", b"application/json")
Application = Callable[[Any, Any, Any], Awaitable[None]]


class CannedReply:
    """A model server's answer, without a connection."""

    status = 200
    headers: Mapping[str, str] = {"content-type": "application/json"}

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def read(self, most: int) -> bytes:
        return self._body

    async def chunks(self) -> AsyncIterator[bytes]:
        yield self._body

    def close(self) -> None:
        pass


class CannedUpstream:
    """Answers at once."""

    def __init__(self, body: bytes) -> None:
        self._reply = CannedReply(body)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> CannedReply:
        return self._reply

    async def get(self, url: str, headers: Mapping[str, str]) -> CannedReply:
        return self._reply

    async def close(self) -> None:
        pass


async def respond(send: Any, body: bytes) -> None:
    """A whole answer."""
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": 200, "headers": [_JSON, length]})
    await send({"type": "http.response.body", "body": body})


@contextlib.asynccontextmanager
async def served(application: Application, http: Any) -> AsyncIterator[int]:
    """The application under uvicorn in this process; its port."""
    config = uvicorn.Config(
        application, host="127.0.0.1", port=0, http=http, ws="none", lifespan="off",
        access_log=False, log_config=None, server_header=False, proxy_headers=False,
    )  # fmt: skip
    server = uvicorn.Server(config)
    task = asyncio.ensure_future(server.serve())
    while not server.started:
        await asyncio.sleep(0.02)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await task


async def under_load(child: Child, port: int, requests: Path, cpu: Callable[[], float]) -> float:
    """Processor time of one request, in µs; `cpu` tells that of whoever answers, in seconds."""

    def load() -> int:
        os.sched_setaffinity(0, {cores().load})  # of this thread, and of wrk, which it starts
        found = loaded(
            Contender("", child, port), requests, connections=FULL.connections, seconds=_SECONDS
        )
        return found.answered

    before = cpu()
    answered = await asyncio.to_thread(load)
    return (cpu() - before) / answered * 1e6


async def own_work(gateway: Gateway, asked: list[tuple[bytes, bytes]]) -> float:
    """Reading, deciding, reserving, scrubbing, settling and handing over, in µs a request."""

    async def send(_: Any) -> None:
        pass

    before = time.process_time()
    for number in range(_REQUESTS):
        key, body = asked[number % len(asked)]
        headers = [
            (b"host", b"127.0.0.1"), (b"authorization", b"Bearer " + key), _JSON,
            (b"content-length", b"%d" % len(body)),
        ]  # fmt: skip
        scope = {
            "type": "http", "path": "/v1/chat/completions", "method": "POST",
            "raw_path": b"/v1/chat/completions", "headers": headers, "client": ("127.0.0.1", 1),
        }  # fmt: skip
        message = {"type": "http.request", "body": body, "more_body": False}

        async def receive(message: Any = message) -> Any:
            return message

        await gateway(scope, receive, send)
        if number % 32 == 0:
            await asyncio.sleep(0)  # the recorder's turn
    return (time.process_time() - before) / _REQUESTS * 1e6


async def measure(folder: Path, fixed: Nginx, nginx: Nginx) -> dict[str, list[float]]:
    """µs a request of each part, a figure a round."""
    state = folder / "state"
    state.mkdir(mode=0o700)
    write(state, _KEYS)
    settings = folder / "stillwatch.yaml"
    settings.write_text(usual_settings(fixed.ports[0], fixed.ports[0]))
    requests = folder / "requests.tsv"
    write_requests(requests, FULL, usual_secrets(state / "keys.jsonl"))
    asked = [tuple(line.split(b"\t", 1)) for line in requests.read_bytes().splitlines()]
    body = model_answer().encode()
    client, url = Client(), f"http://127.0.0.1:{fixed.ports[0]}/v1/chat/completions"

    async def at_once(_: Any, receive: Any, send: Any) -> None:
        await receive()
        await respond(send, body)

    async def passed_on(_: Any, receive: Any, send: Any) -> None:
        message = await receive()
        reply = await client.post(url, message["body"], {"content-type": "application/json"})
        await respond(send, await reply.read(2**20))

    told: dict[str, list[float]] = {}
    async with running(state, read_gateway(settings), upstream=CannedUpstream(body)) as gateway:
        for _ in range(_ROUNDS):
            took = await under_load(nginx, nginx.ports[0], requests, nginx.cpu)
            told.setdefault("nginx, passing on", []).append(took)
            for name, application, http in (
                ("uvicorn, answering at once", at_once, "httptools"),
                ("the same with our connections", at_once, Connection),
                ("a bare proxy: uvicorn and our client", passed_on, "httptools"),
            ):
                async with served(application, http) as port:
                    took = await under_load(fixed, port, requests, time.process_time)
                told.setdefault(name, []).append(took)
            own = await own_work(gateway, asked)  # type: ignore[arg-type]
            told.setdefault("the gateway's own work, handing over included", []).append(own)
    await client.close()
    return told


def main() -> None:
    """Print the parts."""
    at = cores()
    with tempfile.TemporaryDirectory() as made, contextlib.ExitStack() as stack:
        folder = Path(made)
        fixed = stack.enter_context(fixed_answers(folder, core=at.load))
        fixed.wait()
        nginx = stack.enter_context(proxy(folder, fixed.ports[0], fixed.ports[0], core=at.proxies))
        nginx.wait()
        os.sched_setaffinity(0, {at.proxies})
        for name, rounds in uvloop.run(measure(folder, fixed, nginx)).items():
            least, most = min(rounds), max(rounds)
            print(f"{statistics.median(rounds):7.1f} µs ({least:.1f} to {most:.1f})  {name}")


if __name__ == "__main__":
    main()
