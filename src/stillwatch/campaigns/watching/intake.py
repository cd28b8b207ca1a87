"""What is new in the log → sketched exchanges that wait for their look, each once.

Reading holds the interpreter lock and sketching mostly does not, so the two run in two threads.
What is read in one step, the offsets behind it and the rejects in it count together or not at all.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from stillwatch.campaigns.reading import AHEAD, ROWS
from stillwatch.campaigns.watching import waiting
from stillwatch.campaigns.watching.folder import Folder
from stillwatch.campaigns.watching.schedule import DAY, Schedule
from stillwatch.campaigns.watching.state import Taken
from stillwatch.durable import failures
from stillwatch.exchange import RawExchange
from stillwatch.sketches import Sketcher
from stillwatch.sketches.compared import Comparable
from stillwatch.sources import Follower, Place, SeenIds

__all__ = ["Intake"]

Ints = npt.NDArray[np.int64]

_TEXT_MAX = 64 << 20
_DUPLICATE = "the request id was met before; the first row with it is kept"


@dataclass
class _Step:
    """What is read before it is sketched: rows, and where each stood (file, line)."""

    rows: list[RawExchange] = field(default_factory=list)
    whence: list[tuple[str, int]] = field(default_factory=list)
    faults: list[tuple[str, int, str]] = field(default_factory=list)
    places: dict[str, Place] = field(default_factory=dict)
    size: int = 0

    @property
    def full(self) -> bool:
        return len(self.rows) >= ROWS or len(self.faults) >= ROWS or self.size >= _TEXT_MAX


class Intake:
    """Reads what `follower` finds into `folder`; under the keys `compared` it keeps what members of
    communities can compare."""

    def __init__(
        self,
        folder: Folder,
        follower: Follower,
        schedule: Schedule,
        compared: Sequence[Comparable] = (),
    ) -> None:
        self._folder, self._follower, self._schedule = folder, follower, schedule
        assert folder.key is not None
        self._sketcher = Sketcher(folder.key, compared=compared)
        self._named = folder.state.about("pseudonymous") == "0"
        self._file = max(folder.state.files(), default=0)
        self._seen = SeenIds()
        self.forget()
        _cut(folder)

    @property
    def lost(self) -> list[str]:
        """What a person should know; whoever tells it takes it out."""
        return self._follower.lost

    def left_over(self) -> list[str]:
        """What was met and not read, for a person."""
        return self._follower.left_over()

    def rename(self) -> None:
        """Accounts are called as their log calls them, once and for all."""

    def forget(self) -> None:
        """Know the request ids of what is kept, and no others: after rows were dropped."""
        self._seen = SeenIds()
        folder = self._folder
        kept = waiting.read(folder.waiting, folder.state.waiting())
        for requests in [batch["request"].to_numpy() for batch in kept]:
            self._seen.repeated(requests)
        for path in folder.store.parquet_files():
            for batch in pq.ParquetFile(path).iter_batches(ROWS, columns=["request"]):
                self._seen.repeated(batch["request"].to_numpy())

    def read(self, now: int) -> Iterator[int]:
        """Take in all that is new; yields after each step how many exchanges it had.

        Args:
            now: µs since 1970; times after it do not let a look close.

        Raises:
            InputError: the log cannot be read.
            StorageError: the disk is full.
        """
        under_way: deque[tuple[_Step, Future[pa.RecordBatch]]] = deque()
        with contextlib.ExitStack() as ending:
            worker = ThreadPoolExecutor(1, "sketch")
            ending.callback(worker.shutdown, cancel_futures=True)
            for step in self._steps(now):
                under_way.append((step, worker.submit(self._sketcher.sketch, step.rows)))
                while len(under_way) > AHEAD:
                    yield self._take(*under_way.popleft(), now)
            while under_way:
                yield self._take(*under_way.popleft(), now)
        if self._follower.moved:
            moved, self._follower.moved = self._follower.moved, {}
            self._folder.state.move(moved)

    def _steps(self, now: int) -> Iterator[_Step]:
        step = _Step()
        touched: set[str] = set()
        for identity, unit in self._follower.poll(now):
            touched.add(identity)
            for row in unit.exchanges:
                step.rows.append(row)
                step.whence.append((identity, unit.number))
                step.size += _size(row)
            step.faults += [(identity, unit.number, reason) for reason in unit.refused]
            if step.full:
                step.places = {each: self._follower.place(each) for each in touched}
                yield step
                step, touched = _Step(), set()
        if touched:
            step.places = {each: self._follower.place(each) for each in touched}
            yield step

    def _take(self, step: _Step, made: Future[pa.RecordBatch], now: int) -> int:
        """Make a step count: rows to the waiting room, rejects to their file, then the state."""
        state, schedule = self._folder.state, self._schedule
        batch = made.result()
        at = batch["at"].cast(pa.int64()).to_numpy()
        looks, old, newest = schedule.place(at, now, state.newest, state.closed)
        ids = np.array([row.request_id is not None for row in step.rows], np.bool_)
        known = np.where(ids & ~old, batch["request"].to_numpy(), 0)
        repeated = self._seen.repeated(known)
        kept = ~(old | repeated)
        too_old = f"is older than the {schedule.window // DAY} days that are watched"
        faults = step.faults + [
            (*step.whence[row], too_old if old[row] else _DUPLICATE)
            for row in np.flatnonzero(~kept).tolist()
        ]
        if not kept.all():
            batch, looks = batch.filter(pa.array(kept)), looks[kept]
        self._file += 1
        state.took(
            Taken(
                places=step.places,
                waiting=waiting.keep(self._folder.waiting, self._file, batch, looks),
                names=_names(batch, step.rows, kept) if self._named else [],
                notes=self._notes(),
                format=self._follower.format,
                newest=newest,
                read_at=now,
                rejected=len(faults),
                rejects=self._reject(faults),
            )
        )
        return len(batch)

    def _notes(self) -> list[str]:
        remarks = self._follower.remarks
        unknown = [f"the column '{name}' is ignored" for name in remarks.unknown_columns]
        return [*remarks.met, *unknown]

    def _reject(self, faults: Sequence[tuple[str, int, str]]) -> int:
        """Append to ``rejects.jsonl``; how long it is then."""
        path = self._folder.rejects
        with failures(path), path.open("ab") as file:
            for identity, line, reason in faults:
                name = os.fsencode(self._follower.path(identity)).decode("utf-8", "replace")
                entry = {"path": name, "line": line, "reason": reason}
                file.write(json.dumps(entry, ensure_ascii=False).encode() + b"\n")
            if faults:
                file.flush()
                os.fsync(file.fileno())
            return file.tell()


def _cut(folder: Folder) -> None:
    """Remove rejects that were written and did not come to count."""
    path, counted = folder.rejects, int(folder.state.about("rejects"))
    with failures(path):
        path.touch()
        if path.stat().st_size > counted:
            os.truncate(path, counted)


def _names(
    batch: pa.RecordBatch, rows: Sequence[RawExchange], kept: npt.NDArray[np.bool_]
) -> list[tuple[int, str]]:
    digests, first = np.unique(batch["account"].to_numpy(), return_index=True)
    places = np.flatnonzero(kept)[first].tolist()
    return [(int(digest), rows[at].account) for digest, at in zip(digests, places, strict=True)]


def _size(row: RawExchange) -> int:
    turns = 0 if row.messages is None else sum(len(turn.content) for turn in row.messages)
    return turns + len(row.prompt or "") + len(row.completion or "") + len(row.system or "")
