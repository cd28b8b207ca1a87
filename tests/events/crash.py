"""Runs one operation on copies of a store, killed (SIGKILL) at its first step, its second, …

Usage: crash.py STORE ROWS.arrow OPERATION COPIES. A step is a statement that changes the
SQLite file, or a file that is opened for writing, renamed or removed. Every copy is left in
COPIES/<step> for the caller to open; the last one was not killed. Prints the number of copies.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import sqlite3
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from stillwatch.events import EventStore

FILE_STEPS = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree")
SQL_STEPS = ("BEGIN", "INSERT", "UPDATE", "DELETE", "COMMIT", "PRAGMA wal_checkpoint")


def bulk(store: EventStore, rows: pa.Table) -> None:
    with store.bulk() as writer:
        for batch in rows.to_batches():
            writer.write(batch)


OPERATIONS: dict[str, Callable[[EventStore, pa.Table], object]] = {
    "append": lambda store, rows: [store.append(batch) for batch in rows.to_batches()],
    "append once": lambda store, rows: store.append(
        rows.combine_chunks().to_batches()[0], source="gateway", sequence=1
    ),
    "roll": lambda store, _: store.roll(),
    "bulk": bulk,
    "erase": lambda store, _: store.erase([1]),
    "expire": lambda store, _: store.expire(date(2026, 1, 2)),
}


class Countdown:
    """Kills this process before a given step."""

    def __init__(self, step: int) -> None:
        self._left = step

    def step(self) -> None:
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self._left -= 1

    def statement(self, text: str) -> None:
        if text.startswith(SQL_STEPS):
            self.step()

    def event(self, name: str, arguments: tuple[Any, ...]) -> None:
        if name in FILE_STEPS or (name == "open" and str(arguments[1])[0] in "wax"):
            self.step()


def run(copy: Path, rows: Path, operation: str, step: int) -> None:
    """In a child: the operation, killed before its step number `step`."""
    with pa.ipc.open_file(rows) as file:
        table = file.read_all()
    countdown = Countdown(step)
    connect = sqlite3.connect

    def traced(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection = connect(*arguments, **options)
        connection.set_trace_callback(countdown.statement)
        return connection

    sqlite3.connect = traced
    store = EventStore.open(copy)
    sys.addaudithook(countdown.event)
    OPERATIONS[operation](store, table)


def main() -> None:
    template, rows, operation, copies = sys.argv[1:]
    for step in itertools.count():
        copy = Path(copies) / str(step)
        shutil.copytree(template, copy)
        child = os.fork()
        if child == 0:
            try:
                run(copy, Path(rows), operation, step)
                os._exit(0)
            except BaseException:
                sys.excepthook(*sys.exc_info())
                os._exit(1)
        _, status = os.waitpid(child, 0)
        if status == 0:
            sys.stdout.write(str(step + 1))
            return
        if not (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL):
            sys.exit(f"step {step}: the operation failed by itself")


if __name__ == "__main__":
    main()
