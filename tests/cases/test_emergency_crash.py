"""Emergencies that are cut off at any moment: suspended with a case and an entry, or not at all."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from stillwatch.access.enforcement import ActionStore
from stillwatch.cases import open_cases
from stillwatch.ledger import Ledger

#: suspends one account after another, and tells the ledger of each
FOREVER = """
import itertools, sys
from stillwatch.cases import Who, open_cases
from stillwatch.ledger import Ledger
with open_cases(sys.argv[1]) as cases:
    for number in itertools.count():
        cases.emergencies.suspend(
            [f"{sys.argv[2]}-{number}"], 3600, Who(name="ana"),
            reason="identity-unclear", why="seen", source="ticket",
        )
        with Ledger.open(sys.argv[1], create=True) as ledger:
            cases.deliver(ledger)
        print(number, flush=True)
"""


@pytest.mark.slow
def test_whatever_kills_it_the_action_its_case_and_its_entry_are_there_once_or_none_is(
    tmp_path: Path,
) -> None:
    state = tmp_path / "state"
    open_cases(state, create=True).close()
    said = 0
    for attempt in range(12):
        words = [sys.executable, "-c", FOREVER, str(state), f"acct-{attempt}"]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for _ in range(2):
                process.stdout.readline()
            time.sleep(0.003 * attempt)
            process.kill()
            said += 2 + len(process.stdout.read().splitlines())
    with open_cases(state) as cases, Ledger.open(state, create=True) as ledger:
        cases.deliver(ledger)
        actions = ActionStore(cases.database).in_force()
        rows = list(cases.desk.queue())
        told = [entry.body["case"] for _, entry in ledger.entries()]
        assert cases.deliver(ledger) == 0
        ledger.check()
    assert len(actions) == len({action.subject for action in actions}) >= said >= 24
    assert sorted(told) == sorted(row.id for row in rows)
    assert sorted(action.id.split(".")[0] for action in actions) == sorted(told)
