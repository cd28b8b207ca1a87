"""Two processes at once, and one that is killed in the middle: each object once, all or nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from stillwatch.access.enforcement import ActionStore
from stillwatch.intel.received import Imported, Received, open_received
from tests.intel.received.conftest import A, B, Clock, matched
from tests.intel.received.test_blocking import RULES

KILLED = """
import json, os, signal, sys
from stillwatch.intel.received import open_received, store
def killed(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
store.record_import = killed
with open_received(sys.argv[1], clock=lambda: float(sys.argv[2])) as received:
    received.take_in(json.loads(sys.argv[3]), source="a file", by="job")
"""


def test_imports_at_once_take_each_object_once(
    received: Received, state: str, clock: Clock
) -> None:
    told = [A.tells(f"card-{n}") for n in range(40)]

    def take(_: int) -> Imported:
        with open_received(state, clock=clock) as another:
            return another.take_in(told, source="a file", by="job")

    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(take, range(4)))
    assert sum(each.fresh for each in taken) == 40
    assert sorted(each.number for each in taken) == [1, 2, 3, 4]
    assert len(received.indicators()) == 40


def test_what_is_taken_back_while_others_act_ends_whoever_comes_first(
    received: Received, state: str, clock: Clock
) -> None:
    told = A.tells("card-1")
    received.take_in([told, B.tells("card-1")], source="a file", by="job")
    received.keep_hits(matched(told, *(f"acct-{n}" for n in range(20))))

    def act(turn: int) -> None:
        with open_received(state, clock=clock) as another:
            if turn == 2:
                another.take_in([A.takes_back(told)], source="a file", by="job")
            else:
                another.apply(RULES)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(act, range(4)))
    assert ActionStore(received.database, clock).in_force() == []


def test_an_import_that_is_killed_leaves_nothing_and_its_retraction_holds_the_next_time(
    received: Received, state: str, clock: Clock, project: Path
) -> None:
    told = A.tells("card-1")
    received.take_in([told, B.tells("card-1")], source="a file", by="job")
    received.keep_hits(matched(told, "acct-1"))
    received.apply(RULES)
    back = A.takes_back(told)
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, state, str(clock.now), json.dumps([back])],
        check=False, env=os.environ | {"PYTHONPATH": str(project / "src")},
    )  # fmt: skip
    assert ended.returncode == -signal.SIGKILL
    in_force = ActionStore(received.database, clock).in_force
    assert [each.subject for each in in_force()] == ["acct-1"]
    assert received.take_in([back], source="a file", by="job").ended == 1
    assert in_force() == []
