"""Stores of keys and actions to test on: SQLite always, PostgreSQL as a service."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stillwatch.access.actions import Action
from stillwatch.access.database import Database, open_database
from stillwatch.access.enforcement import ActionStore, put_action
from stillwatch.access.keys import KeyStore

NOW = 1_790_000_000  # seconds; 21 September 2026
DAY = 86_400


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = float(NOW)

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def binary(name: str) -> str:
    """A program of PostgreSQL; Debian keeps them out of the path."""
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    found = str(places[-1]) if places else shutil.which(name)
    assert found, f"{name} is missing; install Debian's package postgresql"
    return found


@pytest.fixture(scope="session")
def server() -> Iterator[Callable[[], str]]:
    """Starts a PostgreSQL of our own behind a socket in a folder; gives addresses of databases."""
    folder = Path(tempfile.mkdtemp(prefix="sw-pg-"))
    shutil.chown(folder, "postgres", "postgres")
    account: dict[str, Any] = {"user": "postgres", "group": "postgres", "cwd": "/"}
    subprocess.run(
        [binary("initdb"), "--pgdata", folder / "data", "--auth", "trust", "--no-sync"],
        check=True,
        stdout=subprocess.DEVNULL,
        **account,
    )
    options = ("listen_addresses=", "fsync=off", f"unix_socket_directories={folder}")
    words = [word for option in options for word in ("-c", option)]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [binary("postgres"), "-D", folder / "data", *words], stderr=log, **account
        )
    try:
        names = iter(range(10_000))

        def fresh() -> str:
            name = f"test{next(names)}"
            ask = [binary("createdb"), "-h", str(folder), "-U", "postgres", name]
            deadline = time.monotonic() + 20
            while subprocess.run(ask, capture_output=True, check=False).returncode:
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < deadline, (folder / "log").read_text()
                time.sleep(0.1)
            return f"postgresql://postgres@/{name}?host={folder}"

        yield fresh
    finally:
        os.kill(process.pid, signal.SIGINT)  # a fast shutdown
        process.wait(30)
        shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.service)])
def state(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a store can be made: a folder, or the address of an empty database."""
    if request.param == "sqlite":
        return str(tmp_path / "state")
    address: str = request.getfixturevalue("server")()
    return address


@pytest.fixture
def database(state: str) -> Iterator[Database]:
    opened = open_database(state, create=True)
    yield opened
    opened.close()


@pytest.fixture
def keys(database: Database, clock: Clock) -> KeyStore:
    return KeyStore(database, clock)


@pytest.fixture
def actions(database: Database, clock: Clock) -> ActionStore:
    return ActionStore(database, clock)


def put_shut(database: Database, action: Action, now: float) -> Action:
    """Write an action that shuts out, as `cases` does in a transaction of its own."""
    with database.writing() as (connection, version):
        return put_action(connection, version, action, int(now))[0]


@pytest.fixture
def action() -> Callable[..., Action]:
    """An action that may be written, with other fields where they are given."""

    def build(**fields: Any) -> Action:
        usual = {
            "subject_kind": "account",
            "subject": "acme",
            "kind": "mark",
            "reason": "case-1",
            "message": "Your account is under review.",
            "by": "ana",
            "expires_at": NOW + DAY,
        }
        return Action(**(usual | fields))

    return build
