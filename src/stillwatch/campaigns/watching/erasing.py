"""What a gateway erased, or keeps no longer, leaves the state of a watch that follows it, too."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

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
from stillwatch.events.batches import holds, without
from stillwatch.events.parts import read_part

__all__ = ["erase_gone", "new_parts"]

Ints = npt.NDArray[np.int64]

_COLUMNS = ["request", "replayed_from"]


def new_parts(store: EventStore, before: Moment) -> bool:
    """Whether the store lists a part that it did not list `before`: rows may have moved to it."""
    return not set(store.moment().parts) <= set(before.parts)


def erase_gone(folder: Folder, store: EventStore, next_file: Callable[[], int]) -> int | None:
    """Erase the exchanges from `folder` that `store` no longer holds, wherever they are kept, and
    in others the names of accounts that it no longer names.

    Interrupted anywhere, it is to be run again. Lines of ``findings.jsonl`` stay, and so does the
    report of the latest look until the next one.

    Args:
        next_file: gives the number of a file for exchanges that wait.

    Returns:
        How many there were; None if rows moved within the store meanwhile, so that nothing can be
        said of them.
    """
    before = store.moment()
    here = _kept(_own(folder))
    try:
        there = {day: _union(_recorded(store, before, day)) for day in here}
    except StoreFormatError:
        if set(store.moment().parts) >= set(before.parts):
            raise
        return None
    if new_parts(store, before):
        return None
    gone = union([np.setdiff1d(own.requests, there[day].requests) for day, own in here.items()])
    named = union([own.named for own in here.values()])
    nameless = np.setdiff1d(named, union([each.named for each in there.values()]))
    for by, digests in (("request", gone), ("replayed_from", nameless)):
        if len(digests):
            folder.store.erase(digests.tolist(), by=by)
            _erase_waiting(folder, digests, by, next_file)
    if len(gone) or len(nameless):
        shutil.rmtree(folder.work, ignore_errors=True)  # computed from what was erased
    if len(gone):
        since = folder.state.about("names_since")
        folder.state.forget_names(accounts_kept(folder), since=since)
    return len(gone)


class _Digests(NamedTuple):
    """Of some exchanges their requests, and the accounts that they name beside their own."""

    requests: Ints
    named: Ints


def _own(folder: Folder) -> Iterator[tuple[dt.date, _Digests]]:
    """What is kept, by day."""
    for day in folder.store.days():
        for path in folder.store.parquet_files(day, day):
            for batch in read_part(path, _COLUMNS):
                yield day, _digests(batch)
    for batch in waiting.read(folder.waiting, folder.state.waiting()):
        days = batch["at"].cast(pa.int64()).to_numpy() // DAY
        for number in np.unique(days).tolist():
            yield instant(number * DAY).date(), _digests(batch.filter(pa.array(days == number)))


def _recorded(store: EventStore, moment: Moment, day: dt.date) -> Iterator[_Digests]:
    """What a store holds of a day."""
    for _, batch in store.hot_after(0, rows=ROWS, day=day):
        yield _digests(batch)
    for part in moment.parts:
        if part.day == day:
            for batch in read_part(store.path / part.path, _COLUMNS):
                yield _digests(batch)


def _kept(found: Iterator[tuple[dt.date, _Digests]]) -> dict[dt.date, _Digests]:
    by_day: dict[dt.date, list[_Digests]] = {}
    for day, some in found:
        by_day.setdefault(day, []).append(some)
    return {day: _union(each) for day, each in by_day.items()}


def _union(some: Iterable[_Digests]) -> _Digests:
    listed = list(some)
    return _Digests(union([e.requests for e in listed]), union([e.named for e in listed]))


def _digests(batch: pa.RecordBatch) -> _Digests:
    named = np.zeros(0, np.int64)
    if "replayed_from" in batch.schema.names:  # parts of an earlier version have no such column
        named = batch["replayed_from"].drop_null().to_numpy()
    return _Digests(batch["request"].to_numpy(), np.unique(named))


def _erase_waiting(folder: Folder, gone: Ints, by: str, next_file: Callable[[], int]) -> None:
    instead: dict[Waiting, list[Waiting]] = {}
    digests = pa.array(gone)
    for each in folder.state.waiting():
        (batch,) = waiting.read(folder.waiting, [each])
        if holds(batch, digests, by):
            left = without(batch, digests, by)
            looks = np.full(len(left), each.boundary, np.int64)
            instead[each] = waiting.keep(folder.waiting, next_file(), left, looks)
    folder.state.left(instead)
    waiting.remove(folder.waiting, folder.state.files())
