"""Following a store that other processes write, and one that goes away."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest

from stillwatch.access import following
from stillwatch.access.actions import Action
from stillwatch.access.database import Database, Version
from stillwatch.access.enforcement import ActionStore
from stillwatch.access.following import EVERY, Follower
from stillwatch.access.keys import KeyStore
from stillwatch.errors import StorageError

REVOKE = """
import sys, time
from stillwatch.access.database import open_database
from stillwatch.access.keys import KeyStore
keys = KeyStore(open_database(sys.argv[1]))
for key_id in sys.stdin:
    keys.revoke(key_id.strip())
    print(time.monotonic(), flush=True)
"""


@contextmanager
def revoker(state: str) -> Iterator[Callable[[str], float]]:
    """A second process that revokes keys; the moment at which each was written."""
    process = subprocess.Popen(
        [sys.executable, "-c", REVOKE, state],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    stdin, stdout = process.stdin, process.stdout

    def revoke(key_id: str) -> float:
        stdin.write(key_id + "\n")
        return float(stdout.readline())

    with process:
        yield revoke
        stdin.close()


def seen(condition: Callable[[], object], patience: float = 20) -> float:
    """The moment at which it first held."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return time.monotonic()


def test_a_key_that_another_process_revokes_is_revoked_here_within_a_second(
    state: str, database: Database
) -> None:
    """One second is promised, and a look comes every half second. Of five the fastest counts:
    on a busy machine the others tell how busy it is."""
    keys = KeyStore(database)
    made = [keys.create(account="acme") for _ in range(5)]
    with revoker(state) as revoke, Follower(database) as follower:
        waited = []
        for secret, caller in made:
            written = revoke(caller.key_id)
            waited.append(
                seen(lambda s=secret: follower.snapshot.caller_of(s).revoked_at)  # type: ignore[misc,union-attr]
                - written
            )
    assert min(waited) <= 1.0
    assert EVERY == 0.5


def test_an_action_is_in_force_for_a_follower_and_its_undo_too(database: Database) -> None:
    actions = ActionStore(database)
    _, caller = KeyStore(database).create(account="acme")
    with Follower(database, every=0.02) as follower:
        action = actions.put(
            Action(
                subject_kind="account",
                subject="acme",
                kind="slow",
                seconds=2.0,
                reason="case-1",
                message="m",
                by="ana",
                expires_at=int(time.time()) + 60,
            )
        )
        seen(lambda: follower.snapshot.actions_on(caller, time.time()) == (action,))
        actions.undo(action.id, "ana")
        seen(lambda: follower.snapshot.actions_on(caller, time.time()) == ())


class Failing:
    """A store that can be switched off."""

    name = "the store"

    def __init__(self, database: Database) -> None:
        self._database = database
        self.away: Exception | None = None

    @contextmanager
    def reading(self) -> Iterator[tuple[Any, Version]]:
        if self.away is not None:
            raise self.away
        with self._database.reading() as found:
            yield found


@pytest.fixture
def failing(database: Database) -> Failing:
    return Failing(database)


def test_while_the_store_is_away_the_last_snapshot_serves_and_says_since_when(
    failing: Failing, keys: KeyStore, clock: Any
) -> None:
    secret, caller = keys.create(account="acme")
    follower = Follower(failing, clock=clock)  # type: ignore[arg-type]
    assert follower.stale_since is None
    read_at, clock.now = clock.now, clock.now + 10
    failing.away = StorageError("the server went away")
    with pytest.raises(StorageError, match="went away"):
        follower.refresh()
    assert follower.snapshot.caller_of(secret) == caller
    assert (follower.stale_since, follower.error) == (read_at, "the server went away")
    failing.away = None
    keys.revoke(caller.key_id)
    follower.refresh()
    assert (follower.stale_since, follower.error) == (None, None)
    assert follower.snapshot.caller_of(secret).revoked_at  # type: ignore[union-attr]


def test_after_our_patience_nobody_is_let_in(
    failing: Failing, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed = mock.Mock(monotonic=lambda: 1_000.0)
    monkeypatch.setattr(following, "time", passed)
    follower = Follower(failing, patience=60)  # type: ignore[arg-type]
    failing.away = StorageError("the server went away")
    passed.monotonic = lambda: 1_060.0
    with pytest.raises(StorageError, match="went away"):
        follower.refresh()
    assert follower.snapshot is not None
    passed.monotonic = lambda: 1_061.0
    with pytest.raises(StorageError, match=r"not be read for 61 seconds.*went away.*nobody is let"):
        _ = follower.snapshot
    failing.away = None
    follower.refresh()
    assert follower.snapshot is not None


@pytest.mark.parametrize("error", [StorageError("away"), ValueError("a mistake of ours")])
def test_the_thread_outlives_every_error_and_says_it_once(
    failing: Failing, keys: KeyStore, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    with Follower(failing, every=0.01) as follower:  # type: ignore[arg-type]
        failing.away = error
        seen(lambda: follower.error)
        time.sleep(0.1)
        secret, caller = keys.create(account="acme")
        failing.away = None
        seen(lambda: follower.snapshot.caller_of(secret) == caller)
        seen(lambda: follower.error is None)
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]


def test_a_thread_that_hangs_is_visible(failing: Failing, monkeypatch: pytest.MonkeyPatch) -> None:
    follower = Follower(failing, every=0.01)  # type: ignore[arg-type]
    monkeypatch.setattr(follower, "refresh", lambda: time.sleep(2))
    with follower:
        seen(lambda: follower.stale_since)
        assert follower.error is None


def test_a_store_that_cannot_be_read_at_first_is_an_error_at_once(failing: Failing) -> None:
    failing.away = StorageError("the server went away")
    with pytest.raises(StorageError, match="went away"):
        Follower(failing)  # type: ignore[arg-type]
