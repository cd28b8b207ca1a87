"""Proxies for the tests: real ones, with the configuration that their page in the docs shows."""

from __future__ import annotations

import re
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from stillwatch.access.actions import Action
from stillwatch.access.database import open_database
from stillwatch.access.keys import KeyStore
from tests.access.conftest import put_shut
from tests.gateway.conftest import Client
from tests.gateway.engine import Engine

DOCS = Path(__file__).parents[3] / "docs"


class Site(NamedTuple):
    """A proxy in front of two model servers, the gateway that it asks, and a client of it."""

    client: Client
    gateway: str
    eu: Engine
    us: Engine

    def revoke(self, secret: str) -> None:
        database = open_database(self.client.state)
        store = KeyStore(database)
        found = store.find(secret)
        assert found is not None
        store.revoke(found.key_id)
        database.close()

    def act(self, account: str, kind: str, **fields: object) -> None:
        """Put an action on an account; it is in force within two seconds."""
        database = open_database(self.client.state)
        action = Action(
            subject_kind="account", subject=account, kind=kind, reason="case-1",  # type: ignore[arg-type]
            message="under review", by="ana", person=True,
            expires_at=int(time.time()) + 3600, **fields,  # type: ignore[arg-type]
        )  # fmt: skip
        put_shut(database, action, time.time())
        database.close()


def shown(page: str, file: str, addresses: Mapping[str, str]) -> str:
    """A file that a page shows, with the addresses of the test in place of those of the page."""
    found = re.search(
        rf"^## `{re.escape(file)}`\n```\w+\n(.*?)^```",
        (DOCS / page).read_text(),
        re.MULTILINE | re.DOTALL,
    )
    assert found, f"{page} shows no {file}"
    text: str = found[1]
    for theirs, ours in addresses.items():
        assert theirs in text
        text = text.replace(theirs, ours)
    return text


def host_of(url: str) -> str:
    return urlsplit(url).netloc


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def process(command: Sequence[str | Path], port: int, log: Path) -> Iterator[None]:
    """Run a server until the block ends; the block begins when its port can be reached."""
    with log.open("wb") as out:
        server = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        limit = time.monotonic() + 30
        while True:
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < limit, log.read_text()
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield
    finally:
        server.terminate()
        server.wait(30)
