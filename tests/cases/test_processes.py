"""Real processes on one store: killed at any moment, and two people at once."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from stillwatch.access.database import FILE
from stillwatch.access.enforcement import ActionStore
from stillwatch.cases import Cases, Draft, State, Who, open_cases
from stillwatch.cases.transaction import row_of
from stillwatch.errors import ConflictError
from stillwatch.ledger import Ledger
from tests.cases.conftest import ANA, LOOKED, SCAN, SUSPEND, draft, finding

HERE = Path(__file__).parent


def killed(state: Path, name: str, after: float) -> list[list[str]]:
    """What a worker acknowledged that was killed so many seconds after its first word."""
    process = subprocess.Popen(
        [sys.executable, HERE / "decide_forever.py", state, name],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    first = process.stdout.readline()
    time.sleep(after)
    process.kill()
    lines = (first + process.stdout.read()).splitlines(keepends=True)
    process.wait()
    process.stdout.close()
    return [line.split() for line in lines if line.endswith("\n")]


def check(state: Path, said: list[list[str]]) -> None:
    """What was acknowledged is there; verdicts, actions and entries are there together."""
    with open_cases(state) as cases, Ledger.open(state) as ledger:
        found = {row.id: cases.desk.case(row.id) for row in cases.desk.queue()}
        actions = {action.id: action for action in ActionStore(cases.database).history()}
        for case, how in said:
            kinds = [type(event.body).__name__ for event in cases.desk.events(case)]
            wanted = {"opened": "Opened", "claimed": "Claimed", "decided": "Approved",
                      "undone": "Lifted"}  # fmt: skip
            assert wanted[how] in kinds
        decided = [d for case in found.values() for d in case.decisions]
        assert {id_ for d in decided for id_ in d.actions} == set(actions)
        assert all(len(d.actions) == 2 for d in decided)
        for row in cases.desk.queue():
            said_of = row_of(found[row.id])
            assert {name: getattr(row, name) for name in said_of} == said_of
            live = {i for i, a in actions.items() if i.startswith(row.id) and a.undone_at is None}
            assert live == set(found[row.id].actions)
        cases.deliver(ledger)
        assert cases.unrecorded() == 0
        told = [entry.body["case"] for _, entry in ledger.entries() if entry.kind == "verdict"]
        assert sorted(told) == sorted(case.id for case in found.values() if case.decisions)
        ledger.check()
    file = sqlite3.connect(state / FILE)
    assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert file.execute("PRAGMA foreign_key_check").fetchall() == []
    file.close()


@pytest.mark.slow
def test_workers_that_are_killed_at_random_moments_leave_whole_decisions(tmp_path: Path) -> None:
    open_cases(tmp_path, create=True).close()
    Ledger.open(tmp_path, create=True).close()
    moments, said = random.Random(1), []
    for number in range(10):
        said += killed(tmp_path, f"w{number}", after=moments.uniform(0, 0.4))
        check(tmp_path, said)
    assert any(how == "undone" for _, how in said)


def at_once(what: str, state: str, *names: str) -> list[list[str]]:
    """What each of several processes got that begin together."""
    processes = [
        subprocess.Popen(
            [sys.executable, HERE / "at_once.py", what, state, name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for name in names
    ]  # fmt: skip
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    return [process.communicate(timeout=120)[0].split() for process in processes]


@pytest.mark.slow
def test_of_two_analysts_in_two_processes_one_gets_each_case(cases: Cases, state: str) -> None:
    cases.intake.open([finding(id=f"c-{number}") for number in range(60)], SCAN)
    got = at_once("claim", state, "ana", "bo")
    rows = {row.id: row.claimed_by for row in cases.desk.queue(State.CLAIMED)}
    assert sorted(got[0] + got[1]) == sorted(rows)
    assert len(rows) == 60
    assert dict.fromkeys(got[0], "ana") | dict.fromkeys(got[1], "bo") == rows


@pytest.mark.slow
def test_of_two_approvers_in_two_processes_one_decides_each_case(state: str) -> None:
    with open_cases(state, create=True) as cases:
        opened = cases.intake.open([finding(id=f"c-{number}") for number in range(30)], SCAN).opened
        for case in opened:
            cases.desk.claim(case, ANA)
            cases.desk.add(case, ANA, LOOKED)
            cases.bench.propose(case, ANA, draft(measures=SUSPEND))
        got = at_once("approve", state, "bo", "cam")
        assert sorted(got[0] + got[1]) == sorted(opened)
        found = {case: cases.desk.case(case).decisions for case in opened}
        by = {case: each.approved_by for case, [each] in found.items()}
        assert dict.fromkeys(got[0], "bo") | dict.fromkeys(got[1], "cam") == by
        assert len(list(ActionStore(cases.database).history())) == 60


def together(cases: Cases, *names: str) -> list[str]:
    """Approve the one case from several threads at once; what became of each."""
    [row] = cases.desk.queue()
    outcomes: list[str] = []
    gate = threading.Barrier(len(names))

    def approve(name: str) -> None:
        gate.wait()
        try:
            cases.bench.approve(row.id, Who(name=name))
            outcomes.append("approved")
        except ConflictError:
            outcomes.append("too late")

    threads = [threading.Thread(target=approve, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(outcomes)


def test_of_approvers_at_once_one_decides(cases: Cases, claimed: str) -> None:
    suspension: Draft = draft(measures=SUSPEND)
    cases.bench.propose(claimed, ANA, suspension)
    assert together(cases, "bo", "cam", "dee") == ["approved", "too late", "too late"]
    assert len(cases.desk.case(claimed).decisions) == 1
    assert len(list(ActionStore(cases.database, cases.clock).history())) == 2
