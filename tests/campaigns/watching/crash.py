"""Watches a log, killed (SIGKILL) at the first step, the second, …; then goes on to the end.

Usage: crash.py LOG COPIES EVERY FIRST [STATE]. A step is a statement that changes an SQLite file,
or a file that is opened for writing, renamed or removed; every EVERY-th step from FIRST on is
tried. The state of each try, which begins as a copy of STATE, is left in COPIES/<step>; the last
one was not killed. Prints the steps.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import sqlite3
import sys
from pathlib import Path
from typing import Any

from stillwatch.campaigns.watching import look
from stillwatch.sketches import Sketcher
from tests.campaigns.watching.standin import HOUR, KEY, find, row, run
from tests.events.crash import Countdown


def watch(log: Path, state: Path, step: int | None) -> None:
    """In a child: watch, killed before step number `step`."""
    look.find_campaigns = find
    if step is not None:
        countdown = Countdown(step)
        connect = sqlite3.connect

        def traced(*arguments: Any, **options: Any) -> sqlite3.Connection:
            connection = connect(*arguments, **options)
            connection.set_trace_callback(countdown.statement)
            return connection

        sqlite3.connect = traced  # type: ignore[assignment]
        sys.addaudithook(countdown.event)
    run(log, state, every=12 * HOUR)


def child(log: Path, state: Path, step: int | None) -> int:
    """How the child ended."""
    process = os.fork()
    if process == 0:
        try:
            watch(log, state, step)
            os._exit(0)
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
    return os.waitpid(process, 0)[1]


def main() -> None:
    log, copies, every, first = Path(sys.argv[1]), Path(sys.argv[2]), *map(int, sys.argv[3:5])
    Sketcher(KEY).sketch([row(0, "a")])  # load what is compiled once, not in each child
    steps = []
    for step in itertools.count(first, every):
        steps.append(step)
        for begun in sys.argv[5:]:
            shutil.copytree(begun, copies / str(step))
        status = child(log, copies / str(step), step)
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
            if child(log, copies / str(step), None):
                sys.exit(f"step {step}: it did not go on")
        elif status:
            sys.exit(f"step {step}: the watch failed by itself")
        else:
            break
    sys.stdout.write(" ".join(map(str, steps)))


if __name__ == "__main__":
    main()
