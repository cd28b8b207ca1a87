"""The gateway as it is run (`stillwatch serve`), in front of a model server that misbehaves."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import stillwatch
from stillwatch.events import EventStore
from stillwatch.sketches import SketchKey
from tests.gateway.conftest import Client, Response
from tests.gateway.faults import wild_engine
from tests.gateway.faults.wild_engine import WildEngine

SETTINGS = """
levels:
  default: {max_tokens: 64}
  open: {max_tokens: 64, logprobs: 5, n: 4, reasoning: full, seed: true, tools: true,
         logit_bias: any, biased_tokens: 10, structure: schema, prefill: true}
tiers:
  one:
    - {name: slots, scope: account, unit: concurrent, amount: 1}
  slow:
    - {name: rate, scope: key, unit: requests, amount: 1, period: 1}
  few:
    - {name: rate, scope: key, unit: requests, amount: 1, period: 3600}
  budget:
    - {name: budget, scope: account, unit: tokens, amount: 1000, calendar: month}
backends:
  - {name: engine, url: "URL"}
rules:
  - {id: no-dogs, when: "model == 'dog'", deny: {status: 451}, reason: no dogs}
  - {id: no-cafe, when: "model == 'café'", deny: true, reason: closed}
"""


class Running(Client):
    """One gateway process, and a client of it."""

    def __init__(self, base: str, state: Path, process: subprocess.Popen[bytes], log: Path) -> None:
        self.base, self.state, self.process, self.log = base, state, process, log
        self.port = int(base.rpartition(":")[2])
        self._made = 0

    def account(self, **fields: Any) -> tuple[str, str]:
        """A new account and its key."""
        self._made += 1
        name = f"account {self._made}"
        return name, self.key(account=name, **fields)

    def rows_of(self, account: str) -> list[dict[str, Any]]:
        """The exchanges of one account that are on the disk, in the order of their beginnings."""
        wanted = SketchKey.from_file(self.state / "sketch.key").digest("account", account)
        return sorted(
            (row for row in self.kept() if row["account"] == wanted), key=lambda row: row["at"]
        )

    def kept(self) -> list[dict[str, Any]]:
        """All exchanges that are on the disk."""
        with EventStore.open(self.state / "events") as store:
            rows = [row for batch in store.hot() for row in batch.to_pylist()]
            for path in store.parquet_files():
                rows += pq.read_table(path).to_pylist()
        return rows

    def recorded(self, account: str, requests: int) -> list[dict[str, Any]]:
        """The rows of an account, when there is one a request; a test fails if it is not so."""
        limit = time.monotonic() + 60  # a text of megabytes takes the writer a while
        while len(rows := self.rows_of(account)) < requests and time.monotonic() < limit:
            time.sleep(0.01)
        assert len(rows) == requests
        return rows

    def raw(self, *parts: bytes | float, wait: float = 5.0) -> bytes:
        """Send bytes over a connection of its own (pause where a number stands), and read until
        the gateway closes it, or says nothing for `wait` seconds."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=wait) as connection:
            received = b""
            try:
                for part in parts:
                    if isinstance(part, bytes):
                        connection.sendall(part)
                    else:
                        time.sleep(part)
                while data := connection.recv(65536):
                    received += data
            except (TimeoutError, ConnectionError):
                pass
            return received

    def rss(self) -> int:
        """Bytes of memory of the gateway process."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def failures(self) -> list[str]:
        """What it logged that is a fault of ours."""
        return [
            line
            for line in self.log.read_text().splitlines()
            if any(word in line for word in ("Traceback", " ERROR ", " CRITICAL "))
        ]


class Asker:
    """One account, and the statuses that its rows must have."""

    def __init__(self, gateway: Running, **fields: Any) -> None:
        self.gateway = gateway
        self.name, self.key = gateway.account(**fields)
        self.statuses: list[int] = []

    def chat(self, model: str, text: str = "a prompt of some words", **fields: Any) -> Response:
        response = self.gateway.chat(self.key, text, model=model, **fields)
        broke_off = response.status == 200 and b'"error"' in response.body
        self.statuses.append(502 if broke_off else response.status)
        return response

    def rows(self) -> list[dict[str, Any]]:
        rows = self.gateway.recorded(self.name, len(self.statuses))
        assert [row["status"] for row in rows] == self.statuses
        return rows

    def spent(self) -> int:
        """How much is gone of the thousand tokens of the tier `budget`, to ten: they are what a
        prompt may still have. What does not fit is refused, and what fails is not charged."""
        least, most = 0, 100
        while least < most:
            tens = (least + most) // 2
            if self.chat("error-500", "x" * (30 * tens), max_tokens=1).status != 502:
                most = tens
            else:
                least = tens + 1
        return 1000 - 10 * least


@contextmanager
def serving(folder: Path, settings: str) -> Iterator[Running]:
    """Start a gateway on a free port, with its state in the folder; ended with SIGTERM."""
    folder.mkdir(parents=True, exist_ok=True)
    config, log = folder / "stillwatch.yaml", folder / "log"
    config.write_text(settings)
    environment = {**os.environ, "PYTHONPATH": str(Path(stillwatch.__file__).parents[1])}
    command = [sys.executable, "-m", "stillwatch", "serve", "-c", str(config)]
    with log.open("wb") as said:
        process = subprocess.Popen(
            [*command, "--state", str(folder / "state"), "--port", "0"],
            stderr=said, env=environment,
        )  # fmt: skip
    limit = time.monotonic() + 60
    while "serving http" not in (text := log.read_text()):
        assert process.poll() is None, text
        assert time.monotonic() < limit, text
        time.sleep(0.02)
    base = text.partition("serving ")[2].split()[0]
    try:
        yield Running(base, folder / "state", process, log)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture(scope="session")
def engine() -> Iterator[WildEngine]:  # type: ignore[override]
    with wild_engine.served() as engine:
        yield engine


@pytest.fixture(scope="session")
def gateway(engine: WildEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One gateway for the tests that leave it running; it must log no fault until their end."""
    folder = tmp_path_factory.mktemp("faults")
    with serving(folder, SETTINGS.replace("URL", engine.url)) as running:
        yield running
        assert running.failures() == []
        assert running.process.poll() is None


def answers(received: bytes) -> list[tuple[int, bytes]]:
    """The statuses and bodies of the answers in what was received over one connection; a body that
    did not come whole is ``b"(cut off)"``."""
    found = []
    while received:
        head, _, received = received.partition(b"\r\n\r\n")
        status = int(head.split(b" ")[1])
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        if status == 100:
            continue
        if fields.get(b"transfer-encoding") == b"chunked":
            body, received = _dechunked(received)
        else:
            length = int(fields[b"content-length"])
            body, received = received[:length], received[length:]
            body = body if len(body) == length else b"(cut off)"
        found.append((status, body))
    return found


def _dechunked(received: bytes) -> tuple[bytes, bytes]:
    body = b""
    while received:
        line, _, received = received.partition(b"\r\n")
        size = int(line, 16)
        if not size:
            return body, received.removeprefix(b"\r\n")
        body, received = body + received[:size], received[size + 2 :]
    return b"(cut off)", b""


def statuses(received: bytes) -> list[int]:
    """The statuses alone."""
    return [status for status, _ in answers(received)]
