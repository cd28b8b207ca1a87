"""Exchanges that were read and wait for their look: Arrow files, a record batch a look."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stillwatch.campaigns.watching.state import Waiting
from stillwatch.durable import failures, sync_folder
from stillwatch.errors import StoreFormatError
from stillwatch.events.batches import padded
from stillwatch.exchange import SCHEMA

__all__ = ["keep", "read", "remove"]

Ints = npt.NDArray[np.int64]


def keep(folder: Path, number: int, batch: pa.RecordBatch, looks: Ints) -> list[Waiting]:
    """Write `batch` to the file of that number, sorted into `looks`; it is on the disk then.

    Args:
        looks: the boundary of the look of each row.

    Raises:
        StorageError: the disk is full.
    """
    if not len(batch):
        return []
    kept: list[Waiting] = []
    path = _path(folder, number)
    with failures(path), path.open("wb") as file:
        options = pa.ipc.IpcWriteOptions(unify_dictionaries=True)
        with pa.ipc.new_file(file, SCHEMA, options=options) as writer:
            for boundary in np.unique(looks).tolist():
                rows = np.flatnonzero(looks == boundary)
                whole = len(rows) == len(batch)
                writer.write_batch(batch if whole else batch.take(pa.array(rows)))
                kept.append(Waiting(number, len(kept), boundary, len(rows)))
        file.flush()
        os.fsync(file.fileno())
        sync_folder(folder)
    return kept


def read(folder: Path, waiting: Sequence[Waiting]) -> Iterator[pa.RecordBatch]:
    """The exchanges that wait, batch by batch.

    Raises:
        StoreFormatError: a file is gone or damaged.
    """
    for each in waiting:
        path = _path(folder, each.file)
        try:
            with pa.OSFile(str(path)) as file, pa.ipc.open_file(file) as batches:
                batch = batches.get_batch(each.batch)
        except (pa.ArrowException, OSError) as error:
            raise StoreFormatError(
                f"exchanges that wait for their look are gone or damaged ({error}); restore the "
                "state from a backup, or begin a new one",
                path=path,
            ) from error
        if len(batch) != each.rows:
            raise StoreFormatError("is not what was written; restore it", path=path)
        yield pa.RecordBatch.from_arrays(padded(batch, SCHEMA).columns, schema=SCHEMA)


def remove(folder: Path, kept: set[int]) -> None:
    """Remove the files in which nothing waits any more."""
    with failures(folder):
        for path in folder.iterdir():
            if int(path.stem) not in kept:
                path.unlink()


def _path(folder: Path, number: int) -> Path:
    return folder / f"{number:012d}.arrow"
