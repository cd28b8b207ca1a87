"""kill -9 while writing: what was acknowledged is there, whole, and nothing else is half there."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stillwatch.access.database import FILE, open_database
from stillwatch.access.enforcement import ActionStore
from stillwatch.access.keys import KeyStore

WRITER = Path(__file__).with_name("write_forever.py")


def killed(state: Path, name: str, after: float) -> list[tuple[str, str]]:
    """What a writer acknowledged that was killed so many seconds after its first word."""
    process = subprocess.Popen(
        [sys.executable, WRITER, state, name], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    time.sleep(after)
    process.kill()
    lines = (first + process.stdout.read()).splitlines(keepends=True)
    process.wait()
    process.stdout.close()
    return [(kind, name) for kind, name in (line.split() for line in lines if line.endswith("\n"))]


def check(state: Path, said: list[tuple[str, str]]) -> None:
    database = open_database(state)
    callers = list(KeyStore(database).list())
    actions = list(ActionStore(database).history())
    with database.reading() as (_, version):
        changes = version.changes
    database.close()
    ids = {
        "key": {c.key_id for c in callers},
        "revoked": {c.key_id for c in callers if c.revoked_at is not None},
        "action": {a.id for a in actions},
    }
    assert [(kind, name) for kind, name in said if name not in ids[kind]] == []
    assert all(c.cluster and c.cluster.startswith("ring-") for c in callers)
    assert all(c.terms_version and c.terms_accepted_at for c in callers)
    file = sqlite3.connect(state / FILE)
    assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert file.execute("PRAGMA foreign_key_check").fetchall() == []
    [(without,)] = file.execute(
        "SELECT count(*) FROM access_keys WHERE key_id NOT IN (SELECT key_id FROM access_secrets)"
    )
    file.close()
    assert without == 0
    # a key, its rotation, its action and its revocation each took one number
    rotations = len(callers) - len(ids["key"])
    assert changes == len(ids["key"]) + rotations + len(actions) + len(ids["revoked"])


def test_a_writer_that_is_killed_leaves_whole_rows(tmp_path: Path) -> None:
    open_database(tmp_path, create=True).close()
    said = killed(tmp_path, "one", after=0.2)
    assert said
    check(tmp_path, said)


@pytest.mark.slow
def test_writers_that_are_killed_at_random_moments_leave_whole_rows(tmp_path: Path) -> None:
    open_database(tmp_path, create=True).close()
    moments, said = random.Random(1), []
    for i in range(12):
        said += killed(tmp_path, str(i), after=moments.uniform(0, 0.1))
        check(tmp_path, said)


STARTED = """
import sys, threading, os, random, time
from stillwatch.access.database import open_database
threading.Timer(float(sys.argv[2]), lambda: os.kill(os.getpid(), 9)).start()
open_database(sys.argv[1], create=True)
time.sleep(1)
"""


@pytest.mark.slow
def test_a_store_whose_making_was_killed_is_made_by_the_next(tmp_path: Path) -> None:
    for i in range(12):
        state = tmp_path / str(i)
        subprocess.run([sys.executable, "-c", STARTED, state, str(i * 0.004)], check=False)
        database = open_database(state, create=True)
        KeyStore(database).create(account="acme", cluster="ring-1", terms_version="v1")
        database.close()
        check(state, [])
