"""The writer process: frames of exchanges from standard input → sketched rows in the event store.

    python -m stillwatch.gateway.recording.writer STATE SOURCE [--key FILE] [--days N] [--again]
                                                  [--compare FILE]…

Text ends here. Keys to compare under are read by a module above this room, which runs :func:`main`
as its own. Notes go to standard output, messages to standard error. It ends when the gateway closes
the pipe or is killed, after everything that came through is committed.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NoReturn

import msgspec
import pyarrow as pa

from stillwatch.errors import KeyFileError, SettingsError, StillwatchError, StorageError
from stillwatch.events import EventStore
from stillwatch.exchange import Message, RawExchange
from stillwatch.gateway.recording.intake import Intake
from stillwatch.gateway.recording.pipe import (
    Frame,
    Kept,
    Neglected,
    Note,
    Ready,
    Refused,
    Stuck,
    tell,
)
from stillwatch.gateway.recording.state import prepare, reopen
from stillwatch.gateway.recording.upkeep import Upkeep
from stillwatch.sketches import Sketcher
from stillwatch.sketches.compared import Comparable

__all__ = ["Opens", "leave", "main"]

#: reads keys of communities
Opens = Callable[[Sequence[Path]], Sequence[Comparable]]

_ALONE: Final = 600.0  # seconds that it tries on without a gateway
_PAUSES: Final = (0.1, 0.2, 0.5, 1.0, 2.0)  # seconds between attempts to write
_SWITCH: Final = 0.001  # seconds after which sketching lets the intake run
_EXAMPLE: Final = RawExchange(
    at=0,
    account="example",
    messages=(Message("system", "Answer briefly."), Message("user", "What is a still used for?")),
    tools=("look_up",),
    completion="A still is what a distiller distils with.",
)


class Writer:
    """Sketches frames and commits them, until the pipe ends."""

    def __init__(
        self,
        store: EventStore,
        sketcher: Sketcher,
        source: str,
        intake: Intake,
        say: Callable[[Note], None],
    ) -> None:
        self._store, self._sketcher, self._source = store, sketcher, source
        self._intake, self._say = intake, say
        self._decode = msgspec.msgpack.Decoder(list[RawExchange]).decode
        self._applied = store.applied(source) or 0

    def run(self) -> None:
        """Write until the pipe ends.

        Raises:
            StorageError: the gateway is gone, and the disk takes nothing for ten minutes.
        """
        while taken := self._intake.take():
            last = taken[-1].sequence
            fresh = [frame for frame in taken if frame.sequence > self._applied]
            if fresh:
                self._append(fresh, last)
            self._say(Kept(last, time.monotonic_ns()))

    def _append(self, frames: Sequence[Frame], last: int) -> None:
        rows = [row for frame in frames for row in self._decode(frame.exchanges())]
        batch = self._sketched(rows)
        attempt = 0
        while True:
            try:
                self._store.append(batch, source=self._source, sequence=last)
            except StorageError as error:
                alone = self._intake.ended
                if alone is not None and time.monotonic() - alone > _ALONE:
                    raise
                self._say(Stuck(str(error)))
                time.sleep(_PAUSES[min(attempt, len(_PAUSES) - 1)])
                attempt += 1
            else:
                return

    def _sketched(self, rows: list[RawExchange]) -> pa.RecordBatch:
        try:
            return self._sketcher.sketch(rows)
        except Exception:
            return self._sketcher.sketch([self._sketchable(row) for row in rows])

    def _sketchable(self, row: RawExchange) -> RawExchange:
        """`row`; without its text if that cannot be sketched, for every exchange is logged."""
        try:
            self._sketcher.sketch([row])
        except Exception as error:
            sys.stderr.write(f"an exchange is kept without its text: {type(error).__name__}\n")
            bare = {"prompt": "", "messages": None, "system": None, "completion": None}
            return msgspec.structs.replace(row, tools=None, prefill=None, **bare)
        return row


def main(arguments: Sequence[str], opens: Opens | None = None) -> int:
    """Run a writer; returns the exit status."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)  # meant for the gateway, which closes the pipe
    notes = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # nobody else may write among the notes
    sys.setswitchinterval(_SWITCH)
    asked = _asked(arguments)
    intake = Intake(os.fdopen(sys.stdin.fileno(), "rb", closefd=False))
    intake.start()
    try:
        store, key = (reopen if asked.again else prepare)(asked.state, asked.key)
        sketcher = Sketcher(key, compared=_compared(asked.compare, opens, again=asked.again))
        sketcher.sketch([_EXAMPLE])  # loads the compiled kernel
        writer = Writer(store, sketcher, asked.source, intake, lambda note: tell(notes, note))
        Upkeep(store, asked.days, lambda why: tell(notes, Neglected(why))).start()
        tell(notes, Ready())
    except StillwatchError as error:
        tell(notes, Refused(error.code, str(error)))
        sys.stderr.write(f"{error}\n")
        return 1
    try:
        writer.run()
    except StillwatchError as error:
        tell(notes, Stuck(str(error)))
        sys.stderr.write(f"{error}\n")
        return 1
    store.close()
    return 0


def _compared(files: Sequence[Path], opens: Opens | None, *, again: bool) -> Sequence[Comparable]:
    """The keys of `files`. A writer that takes the place of one that ended does without those that
    went meanwhile: an exchange matters more."""
    if not files:
        return ()
    if opens is None:
        raise SettingsError("this writer reads no keys of communities")
    if not again:
        return opens(files)
    keys: list[Comparable] = []
    for file in files:
        try:
            keys += opens([file])
        except KeyFileError as error:
            sys.stderr.write(f"exchanges are recorded without a key of a community: {error}\n")
    return keys


def _asked(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("state", type=Path)
    parser.add_argument("source")
    parser.add_argument("--key", type=Path)
    parser.add_argument("--days", type=int)
    parser.add_argument("--compare", type=Path, action="append", default=[])
    parser.add_argument("--again", action="store_true")
    return parser.parse_args(arguments)


def leave(status: int) -> NoReturn:
    """End the process, whatever the upkeep is at: its files count when they are whole."""
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
