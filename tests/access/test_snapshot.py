"""Snapshots: what a request is decided on, and how they follow what others write."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stillwatch.access import snapshot as room
from stillwatch.access.actions import Action
from stillwatch.access.database import Database
from stillwatch.access.enforcement import ActionStore
from stillwatch.access.erasure import erase_account, expire
from stillwatch.access.following import Follower
from stillwatch.access.keys import KeyStore
from stillwatch.access.secret import LONGEST, digest_of

NOW = 1_790_000_000
DAY = 86_400
Build = Callable[..., Action]


@pytest.fixture
def follower(database: Database, clock: Any) -> Iterator[Follower]:
    follower = Follower(database, clock=clock)
    yield follower
    follower.close()


def test_a_secret_is_found_and_others_are_not(keys: KeyStore, follower: Follower) -> None:
    secret, caller = keys.create(account="acme", purposes=["research"], kyc_country="CH")
    assert follower.snapshot.caller_of(secret) is None
    assert follower.refresh()
    assert follower.snapshot.caller_of(secret) == caller
    for other in ("", "sw-", secret[:-1], secret + "0", "\ud800", "x" * 1_000_000):
        assert follower.snapshot.caller_of(other) is None


def test_a_snapshot_that_is_held_never_changes(
    keys: KeyStore, actions: ActionStore, follower: Follower, action: Build
) -> None:
    secret, caller = keys.create(account="acme")
    follower.refresh()
    held = follower.snapshot
    keys.revoke(caller.key_id)
    actions.put(action())
    follower.refresh()
    assert held.caller_of(secret) == caller
    assert held.actions_on(caller, NOW) == ()
    assert (found := follower.snapshot.caller_of(secret)) is not None
    assert found.revoked_at == NOW
    assert len(follower.snapshot.actions_on(caller, NOW)) == 1


def test_a_key_that_was_read_at_the_start_is_revoked_like_any_other(
    keys: KeyStore, database: Database, clock: Any
) -> None:
    secret, caller = keys.create(account="acme")
    follower = Follower(database, clock=clock)
    keys.revoke(caller.key_id)
    follower.refresh()
    assert (found := follower.snapshot.caller_of(secret)) is not None
    assert found.revoked_at == NOW


def test_what_is_too_long_for_a_secret_is_not_even_looked_up(
    keys: KeyStore, follower: Follower, tmp_path: Path
) -> None:
    secrets = ["x" * length for length in (LONGEST, LONGEST + 1)]
    lines = [{"sha256": digest_of(secret).hex(), "account": "a"} for secret in secrets]
    (tmp_path / "keys").write_text("\n".join(map(json.dumps, lines)))
    keys.import_file(tmp_path / "keys")
    follower.refresh()
    assert [follower.snapshot.caller_of(s) is not None for s in secrets] == [True, False]


def test_expired_and_revoked_keys_are_still_found(keys: KeyStore, follower: Follower) -> None:
    """So that the caller can be told which of the two it is."""
    old, caller = keys.create(account="acme")
    new, _ = keys.rotate(caller.key_id, 60)
    keys.revoke(caller.key_id)
    follower.refresh()
    found = [follower.snapshot.caller_of(secret) for secret in (old, new)]
    assert [(c.expires_at, c.revoked_at) for c in found if c] == [(NOW + 60, NOW), (None, NOW)]


def test_nothing_new_keeps_the_snapshot(keys: KeyStore, follower: Follower) -> None:
    keys.create(account="acme")
    assert follower.refresh()
    held = follower.snapshot
    assert not follower.refresh()
    assert follower.snapshot is held


@pytest.fixture
def rows_read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The accounts of all callers that are read from the store, as they are."""
    read: list[str] = []
    whole = room.read_callers

    def counted(*arguments: Any, **options: Any) -> Iterator[Any]:
        for digest, caller in whole(*arguments, **options):
            read.append(caller.account)
            yield digest, caller

    monkeypatch.setattr(room, "read_callers", counted)
    return read


@pytest.mark.parametrize(
    ("write", "changed"),
    [
        (lambda keys, a: keys.revoke(a.key_id), ["a"]),
        (lambda keys, a: keys.rotate(a.key_id, 60), ["a", "a"]),
        (lambda keys, a: keys.relink({"b": "ring"}), ["b", "b"]),
        (lambda keys, a: keys.create(account="c"), ["c"]),
        (lambda keys, a: keys.create(account="b", cluster="ring"), ["b", "b", "b"]),
    ],
    ids=["revoke", "rotate", "relink", "create", "create with a cluster"],
)
def test_only_what_changed_is_read(
    keys: KeyStore,
    follower: Follower,
    rows_read: list[str],
    write: Callable[[KeyStore, Any], object],
    changed: list[str],
) -> None:
    _, first = keys.create(account="a")
    for _ in range(2):
        keys.create(account="b")
    follower.refresh()
    rows_read.clear()
    write(keys, first)
    follower.refresh()
    assert rows_read == changed


def test_following_step_by_step_ends_where_reading_anew_begins(
    keys: KeyStore,
    database: Database,
    follower: Follower,
    clock: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(room, "_MOST_RECENT", 3)
    secrets = []
    for i in range(12):
        secret, caller = keys.create(account=f"a{i}")
        secrets.append(secret)
        if i % 3 == 0:
            keys.revoke(caller.key_id)
        if i % 4 == 0:
            keys.relink({f"a{i // 2}": "ring"})
        follower.refresh()
    anew = Follower(database, clock=clock).snapshot
    assert [follower.snapshot.caller_of(s) for s in secrets] == [anew.caller_of(s) for s in secrets]
    assert len(follower.snapshot) == len(anew) == 12


@pytest.mark.parametrize(
    ("kind", "subject"),
    [("account", "acme"), ("cluster", "ring"), ("key", ""), ("org", "group")],
)
def test_actions_are_on_whom_they_name(
    keys: KeyStore,
    actions: ActionStore,
    follower: Follower,
    action: Build,
    kind: str,
    subject: str,
) -> None:
    _, caller = keys.create(account="acme", org="group", cluster="ring")
    _, other = keys.create(account="other")
    put = actions.put(action(subject_kind=kind, subject=subject or caller.key_id))
    follower.refresh()
    assert follower.snapshot.actions_on(caller, NOW) == (put,)
    assert follower.snapshot.actions_on(other, NOW) == ()


def test_all_actions_on_a_caller_come_together_until_each_ends(
    keys: KeyStore, actions: ActionStore, follower: Follower, action: Build, clock: Any
) -> None:
    _, caller = keys.create(account="acme", org="group")
    one = actions.put(action(id="1", expires_at=NOW + 10))
    two = actions.put(action(id="2", kind="slow", seconds=1.0))
    three = actions.put(action(id="3", subject_kind="org", subject="group"))
    follower.refresh()
    assert follower.snapshot.actions_on(caller, NOW + 9) == (one, two, three)
    assert follower.snapshot.actions_on(caller, NOW + 10) == (two, three)
    actions.undo("2", "bo")
    follower.refresh()
    assert follower.snapshot.actions_on(caller, NOW) == (one, three)


def test_an_action_made_by_a_clock_that_is_ahead_is_in_force_at_once(
    keys: KeyStore, actions: ActionStore, follower: Follower, action: Build
) -> None:
    _, caller = keys.create(account="acme")
    put = actions.put(action(created_at=NOW + 200))
    follower.refresh()
    assert follower.snapshot.actions_on(caller, NOW) == (put,)


def test_an_erased_account_is_forgotten_by_followers_too(
    keys: KeyStore, actions: ActionStore, database: Database, follower: Follower, action: Build
) -> None:
    secret, caller = keys.create(account="acme", cluster="ring")
    kept, other = keys.create(account="other")
    actions.put(action())
    actions.put(action(subject_kind="key", subject=caller.key_id))
    stays = actions.put(action(subject="other"))
    follower.refresh()
    assert erase_account(database, "acme") == 5
    follower.refresh()
    assert follower.snapshot.caller_of(secret) is None
    assert follower.snapshot.caller_of(kept) == other
    assert follower.snapshot.actions_on(caller, NOW) == ()
    assert list(actions.history()) == [stays]
    assert keys.create(account="acme")[1].cluster == "acme"


def test_what_ended_long_ago_is_forgotten_and_nothing_else(
    keys: KeyStore, actions: ActionStore, database: Database, action: Build, clock: Any
) -> None:
    _, revoked = keys.create(account="revoked")
    keys.revoke(revoked.key_id)
    keys.create(account="expired", expires_at=NOW + 10)
    _, rotated = keys.create(account="rotated", expires_at=NOW + 10)
    keys.rotate(rotated.key_id, 0, expires_at=NOW + DAY)
    keys.create(account="valid")
    actions.put(action(expires_at=NOW + 10))
    actions.undo(actions.put(action(id="undone")).id, "bo")
    lasting = actions.put(action(id="lasting"))
    expire(database, keys=NOW + 11, actions=NOW + 11)
    assert [c.account for c in keys.list()] == ["rotated", "valid"]
    assert list(actions.history()) == [lasting]
