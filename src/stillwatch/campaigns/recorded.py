"""An event store as the source of a scan: what a gateway recorded is sketched already.

The store may be written while it is read. Its finished files are linked, so that they stay as long
as the scan needs them, and rows that are still hot are copied; no lock of the store is held.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stillwatch.campaigns.progress import Progress
from stillwatch.campaigns.reading import AccountNames, Read
from stillwatch.campaigns.registered import find_store, remark
from stillwatch.durable import failures
from stillwatch.errors import InputError, StorageError
from stillwatch.events import EventStore

__all__ = ["FORMAT", "Recorded", "named_store", "read_store"]

Ints = npt.NDArray[np.int64]
Call = Callable[[Ints], list[str]]

#: what the format of an event store is called beside those of logs
FORMAT = "events"

_ATTEMPTS = 5
_NOTE = "these exchanges were sketched when they were recorded: shared wordings cannot be read"


class Recorded:
    """What an event store held at one moment, for ``campaigns.detecting.Sketched``."""

    def __init__(self, files: dict[date, list[Path]]) -> None:
        self._files = dict(sorted(files.items()))
        self._rows: int = sum(pq.read_metadata(file).num_rows for file in self.parquet_files())

    def rows(self) -> int:
        return self._rows

    def days(self) -> Sequence[date]:
        return list(self._files)

    def parquet_files(self, first: date | None = None, last: date | None = None) -> Sequence[Path]:
        return [
            file
            for day, files in self._files.items()
            if (first or date.min) <= day <= (last or date.max)
            for file in files
        ]


def named_store(logs: Sequence[str | Path]) -> Path | None:
    """The event store that `logs` name, or the state folder around it; None where they name logs.

    Raises:
        InputError: they name a store and something else, or a gateway that recorded nothing.
    """
    stores = [store for log in logs if (store := find_store(log)) is not None]
    if stores and len(logs) > 1:
        raise InputError(
            "is an event store, which is read alone; name nothing else", path=stores[0]
        )
    return stores[0] if stores else None


def read_store(
    path: Path, work: Path, names: AccountNames, call: Call, progress: Progress
) -> tuple[Recorded, Read]:
    """Everything in the event store `path`, hot rows included, as of now.

    Args:
        work: an empty folder, for links to its files and the rows that are hot.
        names: is given the digests of the accounts, and what they are called.

    Raises:
        StoreFormatError: another version wrote the store, or it is damaged.
        StorageError: the disk is full, or the store is changed faster than it is read.
    """
    with EventStore.open(path, tidy=False) as store:
        for _ in range(_ATTEMPTS):
            listed = store.parquet_files()
            progress.step("reading the event store", len(listed) + 1)
            files = _linked(listed, work, progress)
            if files is not None:
                for day, file in _hot(store, work):
                    files.setdefault(day, []).append(file)
                # rows leave the hot log, or a file, only for a file that was not listed before
                if store.parquet_files() == listed:
                    recorded = Recorded(files)
                    return recorded, _read(recorded, path, names, call)
            shutil.rmtree(work)
            work.mkdir()
    raise StorageError("the store is being rolled or erased again and again; try later", path=path)


def _linked(
    listed: Sequence[Path], work: Path, progress: Progress
) -> dict[date, list[Path]] | None:
    """The files by day, under names of our own; None if one of them went meanwhile."""
    files: dict[date, list[Path]] = {}
    for number, file in enumerate(listed):
        ours = work / f"{number:08d}.parquet"
        try:
            _link(file, ours)
        except FileNotFoundError:
            return None
        files.setdefault(date.fromisoformat(file.parent.name.removeprefix("day=")), []).append(ours)
        progress.advance(1)
    return files


def _link(file: Path, ours: Path) -> None:
    try:
        os.link(file, ours)
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP):
            raise
        with failures(ours):
            shutil.copyfile(file, ours)


def _hot(store: EventStore, work: Path) -> Iterator[tuple[date, Path]]:
    with EventStore.create(work / "hot", key_id=store.key_id) as copied:
        with copied.bulk() as writer:
            for batch in store.hot():
                writer.write(batch)
        for day in copied.days():
            for file in copied.parquet_files(day, day):
                yield day, file


def _read(recorded: Recorded, path: Path, names: AccountNames, call: Call) -> Read:
    read = Read(files=(str(path),), format=FORMAT)
    for file in recorded.parquet_files():
        table = pq.read_table(file, columns=["at", "account"])
        accounts = np.unique(table["account"].to_numpy())
        names.add(accounts, call(accounts))
        span = pc.min_max(table["at"].cast(pa.int64())).as_py()
        read.rows += len(table)
        read.first = span["min"] if read.first is None else min(read.first, span["min"])
        read.last = span["max"] if read.last is None else max(read.last, span["max"])
    read.notes += filter(None, (_NOTE, remark(names)))
    return read
