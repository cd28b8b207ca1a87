"""A gateway in front of a model server, over real HTTP on loopback, each in its own thread."""

from __future__ import annotations

import asyncio
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import uvicorn

from stillwatch.access.database import open_database
from stillwatch.access.keys import KeyStore
from stillwatch.events import EventStore
from stillwatch.gateway import read_gateway, running
from tests.gateway.engine import Engine, served

SETTINGS = """
levels:
  default: {max_tokens: 64}
  open: {max_tokens: 64, logprobs: 5, n: 4, reasoning: full, seed: true, tools: true,
         logit_bias: any, biased_tokens: 10, structure: schema, prefill: true}
  small: {models: ["small*"]}
tiers:
  tight:
    - {name: budget, scope: account, unit: tokens, amount: 300, calendar: month}
  one:
    - {name: slots, scope: account, unit: concurrent, amount: 1}
  few:
    - {name: rate, scope: key, unit: requests, amount: 2, period: 3600}
backends:
  - {name: away, url: "http://127.0.0.1:9"}
  - {name: engine, url: "URL"}
rules:
  - {id: no-dogs, when: "model == 'dog'", deny: {status: 451}, reason: no dogs}
  - {id: watched, when: "stream", deny: true, shadow: true, reason: to see who streams}
gateway:
  marks: {open: radioactive}
"""


class Response(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """Asks over a connection of its own each time; errors are responses too."""

    def __init__(self, base: str, state: Path, engine: Engine) -> None:
        self.base, self.state, self.engine = base, state, engine

    def key(self, **fields: Any) -> str:
        """A new key; the gateway knows it when this returns."""
        database = open_database(self.state)
        secret, _ = KeyStore(database).create(**{"account": "alice", **fields})
        database.close()
        limit = time.monotonic() + 20
        while self.send("GET", "/v1/models", key=secret).status == 401:
            assert time.monotonic() < limit
            time.sleep(0.05)
        return secret

    def send(
        self, method: str, path: str, body: Any = None, *, key: str | None = None, **headers: str
    ) -> Response:
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if key is not None:
            named.setdefault("authorization", f"Bearer {key}")
        request = urllib.request.Request(self.base + path, data, named, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return Response(response.status, dict(response.headers), response.read())
        except urllib.error.HTTPError as error:
            with error:
                return Response(error.code, dict(error.headers), error.read())

    def chat(self, key: str | None, text: str = "hello there", **fields: Any) -> Response:
        body = {"model": "m", "messages": [{"role": "user", "content": text}], **fields}
        return self.send("POST", "/v1/chat/completions", body, key=key)

    def rows(self) -> list[dict[str, Any]]:
        """The exchanges that are on the disk."""
        with EventStore.open(self.state / "events") as store:
            store.roll()
            import pyarrow.parquet as pq

            return [
                row for path in store.parquet_files() for row in pq.read_table(path).to_pylist()
            ]

    def metric(self, name: str) -> float:
        """The sum over the labels of one metric."""
        lines = self.send("GET", "/metrics").body.decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextmanager
def gateway_at(state: Path, settings: Path) -> Iterator[str]:
    """A gateway on a free loopback port, in a thread; its address."""
    loop = asyncio.new_event_loop()
    ready: list[Any] = []
    came = threading.Event()

    async def live() -> None:
        async with running(state, read_gateway(settings), reread=settings) as app:
            server = _Server(
                uvicorn.Config(app, host="127.0.0.1", port=0, lifespan="off", log_config=None,
                               ws="none", proxy_headers=False)
            )  # fmt: skip
            task = asyncio.ensure_future(server.serve())
            while not server.started:
                await asyncio.sleep(0.01)
            ready.append(server)
            came.set()
            await task

    def run() -> None:
        try:
            loop.run_until_complete(live())
        except BaseException as error:  # shown by whoever waits
            ready.append(error)
            came.set()
            raise
        finally:
            loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert came.wait(180)
    server = ready[0]
    if isinstance(server, BaseException):
        raise server
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(60)


@pytest.fixture(scope="session")
def engine() -> Iterator[tuple[Engine, str]]:
    engine = Engine()
    with served(engine) as url:
        yield engine, url


@pytest.fixture(scope="session")
def client(
    engine: tuple[Engine, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Client]:
    """A client of one gateway that serves all tests; what they change they change for a key."""
    folder = tmp_path_factory.mktemp("gateway")
    settings = folder / "stillwatch.yaml"
    settings.write_text(SETTINGS.replace("URL", engine[1]))
    with gateway_at(folder / "state", settings) as base:
        yield Client(base, folder / "state", engine[0])


@pytest.fixture(scope="session")
def secret(client: Client) -> str:
    return client.key()


@pytest.fixture(scope="session")
def until() -> Callable[[Callable[[], object]], None]:
    """Wait until something holds; a test fails that waits too long."""

    def wait(holds: Callable[[], object]) -> None:
        limit = time.monotonic() + 30
        while not holds():
            assert time.monotonic() < limit, "it never came to hold"
            time.sleep(0.02)

    return wait
