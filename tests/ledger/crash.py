"""Runs one operation on copies of a state, killed (SIGKILL) at its first step, its second, …

Usage: crash.py STATE OPERATION COPIES. A step is a statement of SQLite, or a file that is opened,
made or removed. Each copy stays in COPIES/<step>; the last was not killed. Prints their number.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stillwatch.ledger import Entry, Ledger, database

#: ten, so that with 250 of before a group of 256 becomes complete
ENTRIES = [Entry("approval", "2026-11-22T10:00:00Z", "ben", {"n": n}) for n in range(10)]
OPERATIONS: dict[str, Callable[[Path], object]] = {
    "append": lambda state: Ledger.open(state).append(ENTRIES),
    "create": lambda state: Ledger.open(state, create=True),
}
FILE_STEPS = ("open", "os.mkdir", "os.remove", "os.rename")
ENOUGH = 200


class Countdown:
    """Kills this process before a given step."""

    def __init__(self, step: int, state: Path) -> None:
        self._left, self._state = step, str(state)

    def step(self) -> None:
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self._left -= 1

    def statement(self, text: str) -> None:
        self.step()

    def event(self, name: str, arguments: tuple[Any, ...]) -> None:
        if name in FILE_STEPS and str(arguments[0]).startswith(self._state):
            self.step()


def run(operation: str, state: Path, step: int) -> None:
    """In a child: count down, then do it."""
    countdown = Countdown(step, state)
    connect = database._connect

    def watched(path: Path, how: str = "rw") -> sqlite3.Connection:
        found = connect(path, how)
        found.set_trace_callback(countdown.statement)
        return found

    database._connect = watched
    sys.addaudithook(countdown.event)
    OPERATIONS[operation](state)
    os._exit(0)


def main() -> None:
    template, operation, copies = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    for step in itertools.islice(itertools.count(), ENOUGH):
        state = copies / str(step)
        shutil.copytree(template, state)
        child = os.fork()
        if child == 0:
            run(operation, state, step)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0
            sys.stdout.write(f"{step + 1}\n")
            return
    raise AssertionError("it never ended")


main()
