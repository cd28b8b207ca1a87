"""Log → event store: one pass over the text, after which only sketches are left.

Reading holds the interpreter lock and sketching mostly does not, so the two run in two threads.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from io import TextIOWrapper
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from stillwatch.campaigns.progress import Progress
from stillwatch.detections import Meeting, joined_hits
from stillwatch.events import EventStore
from stillwatch.exchange import RawExchange
from stillwatch.sketches import Sketcher, SketchKey
from stillwatch.sources import Log

__all__ = ["AccountNames", "Read", "pseudonym", "read_log"]

Ints = npt.NDArray[np.int64]

#: batches on their way from the reader to the sketcher: bounds memory
AHEAD = 4
ROWS = 16_384


class AccountNames:
    """Digest → the log's own string, for the accounts of one scan; never stored with sketches.

    When `pseudonymous`, accounts are called by their digests and no string is kept.
    """

    def __init__(self, *, pseudonymous: bool = False) -> None:
        self._pseudonymous = pseudonymous
        self._digests: list[Ints] = []
        self._names: list[pa.Array] = []

    def add(self, digests: Ints, names: list[str]) -> None:
        """Remember `names`, whose digests those are; repeats within a batch are dropped."""
        unique, first = np.unique(digests, return_index=True)
        self._digests.append(unique)
        called = (
            [pseudonym(digest) for digest in unique.tolist()]
            if self._pseudonymous
            else [names[i] for i in first.tolist()]
        )
        self._names.append(pa.array(called, pa.string()))
        if len(self._digests) >= 64:
            self._merge()

    def table(self) -> pa.Table:
        """``digest, name``, one row an account, by digest."""
        self._merge()
        return pa.table({"digest": self._digests[0], "name": self._names[0]})

    def lookup(self, digests: Ints) -> list[str]:
        """The names of `digests`, all of which were added."""
        table = self.table()
        at = np.searchsorted(table["digest"].to_numpy(), digests)
        return table["name"].take(pa.array(at)).to_pylist()  # type: ignore[no-any-return]

    def _merge(self) -> None:
        if not self._digests:
            self._digests, self._names = [np.zeros(0, np.int64)], [pa.array([], pa.string())]
        if len(self._digests) > 1:
            digests = np.concatenate(self._digests)
            unique, first = np.unique(digests, return_index=True)
            self._digests = [unique]
            self._names = [pa.concat_arrays(self._names).take(pa.array(first))]


def pseudonym(digest: int) -> str:
    """What an account is called whose name is not known, or not to be: 16 hexadecimal digits."""
    return f"{digest & 0xFFFFFFFFFFFFFFFF:016x}"


@dataclass
class Read:
    """What reading a log gave. ``first`` and ``last`` are µs since 1970, None for no rows.

    ``hits`` are those of the indicators that were looked for, None where none were.
    """

    rows: int = 0
    rejected: int = 0
    first: int | None = None
    last: int | None = None
    files: tuple[str, ...] = ()
    format: str = ""
    notes: list[str] = field(default_factory=list)
    hits: pa.Table | None = None


def read_log(
    log: Log,
    key: SketchKey,
    store: EventStore,
    names: AccountNames,
    rejects: Path,
    progress: Progress,
    *,
    keep: tuple[int | None, int | None] = (None, None),
    meeting: Meeting | None = None,
) -> Read:
    """Sketch every row of `log` into `store`; rejected rows go to `rejects`, without their text.

    Args:
        keep: only rows from the first to before the second time (µs since 1970) are kept.
        meeting: looks for indicators of others; what they are compared with is sketched, too.

    Raises:
        InputError: a file of the log is gone or unreadable.
        StorageError: the disk is full.
    """
    files = tuple(os.fsencode(file).decode("utf-8", "replace") for file in log.files)
    read = Read(files=files, format=log.format)
    sketcher = Sketcher(key, compared=() if meeting is None else meeting.keys)
    hits: list[pa.Table] = []

    def sketch(rows: list[RawExchange]) -> pa.RecordBatch:
        made = sketcher.sketch(rows)
        if meeting is not None:
            hits.append(meeting.meet(made))
        return made

    progress.step("reading and sketching", log.bytes_total)
    with (
        rejects.open("a", encoding="utf-8") as refused,
        store.bulk() as writer,
        contextlib.ExitStack() as ending,
    ):
        worker = ThreadPoolExecutor(1, "sketch")
        ending.callback(worker.shutdown, cancel_futures=True)  # an interrupt waits for one batch

        def finish(made: Future[pa.RecordBatch], rows: list[RawExchange]) -> None:
            batch = made.result()
            names.add(batch["account"].to_numpy(), [row.account for row in rows])
            span = pc.min_max(batch["at"].cast(pa.int64())).as_py()
            read.first = min(span["min"], span["min"] if read.first is None else read.first)
            read.last = max(span["max"], span["max"] if read.last is None else read.last)
            writer.write(batch)

        under_way: deque[tuple[Future[pa.RecordBatch], list[RawExchange]]] = deque()
        begin, end = keep
        for batch in log.batches(ROWS):
            read.rejected += len(batch.rejects)
            for reject in batch.rejects:
                _write_reject(refused, reject.path, reject.line, reject.reason)
            rows = batch.rows
            if begin is not None or end is not None:
                rows = [
                    row
                    for row in rows
                    if (begin is None or row.at >= begin) and (end is None or row.at < end)
                ]
            if rows:
                read.rows += len(rows)
                under_way.append((worker.submit(sketch, rows), rows))
            while len(under_way) > AHEAD:
                finish(*under_way.popleft())
            progress.advance(batch.bytes_read)
        while under_way:
            finish(*under_way.popleft())
    if meeting is not None:
        read.hits = joined_hits(hits)
    read.notes += log.notes
    if log.unknown_columns:
        read.notes.append("ignored columns: " + ", ".join(log.unknown_columns))
    return read


def _write_reject(file: TextIOWrapper, path: str, line: int, reason: str) -> None:
    entry = {"path": path, "line": line, "reason": reason}
    file.write(json.dumps(entry, ensure_ascii=False) + "\n")
