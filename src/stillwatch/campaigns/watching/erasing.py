"""What a gateway erased, or keeps no longer, leaves the state of a watch that follows it, too."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stillwatch.campaigns.marks import union
from stillwatch.campaigns.reading import ROWS
from stillwatch.campaigns.watching import waiting
from stillwatch.campaigns.watching.folder import Folder
from stillwatch.campaigns.watching.look import accounts_kept
from stillwatch.campaigns.watching.schedule import DAY, instant
from stillwatch.campaigns.watching.state import Waiting
from stillwatch.errors import StoreFormatError
from stillwatch.events import EventStore, Moment
from stillwatch.events.batches import without
from stillwatch.events.parts import read_part

__all__ = ["erase_gone", "new_parts"]

Ints = npt.NDArray[np.int64]


def new_parts(store: EventStore, before: Moment) -> bool:
    """Whether the store lists a part that it did not list `before`: rows may have moved to it."""
    return not set(store.moment().parts) <= set(before.parts)


def erase_gone(folder: Folder, store: EventStore, next_file: Callable[[], int]) -> int | None:
    """Erase the exchanges from `folder` that `store` no longer holds, wherever they are kept.

    Interrupted anywhere, it is to be run again. Lines of ``findings.jsonl`` stay, and so does the
    report of the latest look until the next one.

    Args:
        next_file: gives the number of a file for exchanges that wait.

    Returns:
        How many there were; None if rows moved within the store meanwhile, so that nothing can be
        said of them.
    """
    before = store.moment()
    here = _requests_here(folder)
    try:
        gone = [np.setdiff1d(own, _requests_there(store, before, day)) for day, own in here.items()]
    except StoreFormatError:
        if set(store.moment().parts) >= set(before.parts):
            raise
        return None
    if new_parts(store, before):
        return None
    erased = union(gone)
    if not len(erased):
        return 0
    folder.store.erase(erased.tolist(), by="request")
    _erase_waiting(folder, erased, next_file)
    shutil.rmtree(folder.work, ignore_errors=True)  # computed from what was erased
    folder.state.forget_names(accounts_kept(folder), since=folder.state.about("names_since"))
    return len(erased)


def _requests_here(folder: Folder) -> dict[dt.date, Ints]:
    """The requests of the exchanges that are kept, by day."""
    found: dict[dt.date, list[Ints]] = {}
    for day in folder.store.days():
        for path in folder.store.parquet_files(day, day):
            found.setdefault(day, []).extend(_requests(read_part(path, ["request"])))
    for batch in waiting.read(folder.waiting, folder.state.waiting()):
        days = batch["at"].cast(pa.int64()).to_numpy() // DAY
        for number in np.unique(days).tolist():
            own = batch["request"].to_numpy()[days == number]
            found.setdefault(instant(number * DAY).date(), []).append(own)
    return {day: union(some) for day, some in found.items()}


def _requests_there(store: EventStore, moment: Moment, day: dt.date) -> Ints:
    """The requests that a store holds of a day."""
    found = [batch["request"].to_numpy() for _, batch in store.hot_after(0, rows=ROWS, day=day)]
    for part in moment.parts:
        if part.day == day:
            found += _requests(read_part(store.path / part.path, ["request"]))
    return union(found)


def _requests(batches: Iterator[pa.RecordBatch]) -> list[Ints]:
    return [batch["request"].to_numpy() for batch in batches]


def _erase_waiting(folder: Folder, gone: Ints, next_file: Callable[[], int]) -> None:
    instead: dict[Waiting, list[Waiting]] = {}
    digests = pa.array(gone)
    for each in folder.state.waiting():
        (batch,) = waiting.read(folder.waiting, [each])
        if np.isin(batch["request"].to_numpy(), gone).any():
            left = without(batch, "request", digests)
            looks = np.full(len(left), each.boundary, np.int64)
            instead[each] = waiting.keep(folder.waiting, next_file(), left, looks)
    folder.state.left(instead)
    waiting.remove(folder.waiting, folder.state.files())
