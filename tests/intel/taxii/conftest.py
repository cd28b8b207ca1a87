"""A TAXII server to ask: within the process, or the real one on a port of its own."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from stillwatch.intel.store import Collection, Store, open_store
from stillwatch.intel.taxii import Bounds, TaxiiServer
from stillwatch.intel.taxii.media import TAXII
from tests.cli.running import command
from tests.intel.store.conftest import ACME, DAY, OTHER, empty, indicator

__all__ = ["ACME", "DAY", "OTHER", "empty", "indicator"]

#: a member who may only read, one who may only write, one who may do nothing
READER, WRITER, NOBODY = "reader", "writer", "nobody"
_RIGHTS = {ACME: (True, True), OTHER: (True, True), READER: (True, False), WRITER: (False, True)}


class Answered(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Ask = Callable[..., Answered]


class Prepared(NamedTuple):
    """A state folder with a collection and its members, to be copied: each write waits for the
    disk."""

    state: Path
    tokens: dict[str, str]


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory, empty: Path) -> Prepared:
    state = tmp_path_factory.mktemp("prepared") / "state"
    shutil.copytree(empty, state)
    tokens = {}
    with open_store(state) as store:
        store.collections.add("indicators", title="Indicators of distillation")
        for member in (*_RIGHTS, NOBODY):
            store.members.add(member)
            tokens[member] = store.members.create_token(member, DAY)[0]
        for member, (read, write) in _RIGHTS.items():
            store.members.allow(member, "indicators", read=read, write=write)
    return Prepared(state, tokens)


@pytest.fixture
def store(tmp_path: Path, prepared: Prepared) -> Iterator[Store]:
    shutil.copytree(prepared.state, tmp_path / "state")
    with open_store(tmp_path / "state") as opened:
        yield opened


@pytest.fixture
def indicators(store: Store) -> Collection:
    return store.collections.named("indicators")


@pytest.fixture
def tokens(prepared: Prepared) -> dict[str, str]:
    return prepared.tokens


@pytest.fixture
def bounds() -> Bounds:
    """What one member may ask; tests that are about it give others."""
    return Bounds(requests_per_minute=100_000)


@pytest.fixture
def application(store: Store, bounds: Bounds) -> TaxiiServer:
    return TaxiiServer(store, bounds)


@pytest.fixture
def ask(application: TaxiiServer, tokens: dict[str, str]) -> Iterator[Ask]:
    """Ask as a member: method, path with query, body → the answer."""
    loop = asyncio.new_event_loop()

    def asked(
        who: str | None, method: str, path: str, body: Any = None,
        headers: dict[str, str] | None = None, raw: list[tuple[bytes, bytes]] | None = None,
        *, leaves: bool = False,
    ) -> Answered:  # fmt: skip
        given = {"accept": TAXII, "content-type": TAXII}
        if who is not None:
            given["authorization"] = f"Bearer {tokens.get(who, who)}"
        pairs = [(k.encode(), v.encode()) for k, v in (given | (headers or {})).items()]
        route, _, query = path.partition("?")
        data = body if isinstance(body, bytes) else json.dumps(body).encode() if body else b""
        sent: list[Any] = []

        messages = [{"type": "http.request", "body": data, "more_body": leaves}]

        async def receive() -> Any:
            return messages.pop() if messages else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "method": method, "path": route,
                 "headers": pairs if raw is None else raw,
                 "query_string": query.encode("utf-8", "surrogateescape")}  # fmt: skip
        loop.run_until_complete(application(scope, receive, send))
        [start, whole] = sent
        answer = {k.decode(): v.decode() for k, v in start["headers"]}
        if method != "HEAD":
            assert int(answer["content-length"]) == len(whole["body"])
        return Answered(start["status"], answer, whole["body"])

    yield asked
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


class Served(NamedTuple):
    """A real server: its address, its state folder, a secret for each member, its process."""

    url: str
    state: Path
    tokens: dict[str, str]
    collection: Collection
    process: subprocess.Popen[str]

    @property
    def at(self) -> str:
        return f"{self.url}intel/collections/{self.collection.id}/"


def serving(state: Path, *options: str) -> tuple[subprocess.Popen[str], str]:
    """Start `stillwatch intel serve`; the process and its address."""
    process = subprocess.Popen(
        command("intel", "serve", "--state", state, "--port", "0", *options),
        stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONWARNINGS": "default"},
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if "/taxii2/" in line:
            return process, line.split()[-1].removesuffix("taxii2/")
    raise AssertionError("the server did not start")


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory, prepared: Prepared) -> Iterator[Served]:
    """One server for all tests that ask a real one; each makes its own objects."""
    state = tmp_path_factory.mktemp("served") / "state"
    shutil.copytree(prepared.state, state)
    with open_store(state) as store:
        collection = store.collections.named("indicators")
    process, url = serving(state, "--requests-per-minute", "60000")
    yield Served(url, state, prepared.tokens, collection, process)
    process.terminate()
    assert process.wait(20) == 0
    assert process.stderr is not None
    left = process.stderr.read()
    process.stderr.close()
    assert "Traceback" not in left, left


@pytest.fixture
def fresh(served: Served) -> Served:
    """The real server, with a collection of this test alone."""
    with open_store(served.state) as store:
        alias = f"c{len(store.collections.all())}"
        made = store.collections.add(alias)
        for member, (read, write) in _RIGHTS.items():
            store.members.allow(member, alias, read=read, write=write)
    return served._replace(collection=made)


@pytest.fixture
def at(indicators: Collection) -> str:
    return f"/intel/collections/{indicators.id}/"
