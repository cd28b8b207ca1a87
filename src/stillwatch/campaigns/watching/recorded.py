"""What is new in a gateway's event store → exchanges that wait for their look, each once.

They come sketched. Rows that are hot are taken by the number of their batch, which only rises; of
parts that were not met before those rows are taken that are not here yet, since rolling, joining
and erasing write rows again. What is taken counts together with the number that was reached.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from stillwatch.campaigns.reading import ROWS
from stillwatch.campaigns.recorded import FORMAT
from stillwatch.campaigns.watching import waiting
from stillwatch.campaigns.watching.erasing import erase_gone, new_parts
from stillwatch.campaigns.watching.folder import Folder
from stillwatch.campaigns.watching.gateway_store import GatewayStore
from stillwatch.campaigns.watching.schedule import DAY, Schedule, instant
from stillwatch.campaigns.watching.state import Taken
from stillwatch.errors import SettingsError, StorageError, StoreFormatError
from stillwatch.events import EventStore, Moment
from stillwatch.events.parts import Part, read_part
from stillwatch.sources import Place, SeenIds

__all__ = ["RecordedIntake"]

Ints = npt.NDArray[np.int64]

#: under what the state remembers how far the hot log was read
_HOT = "events:hot"
_PASSES = 5
#: days whose requests are remembered at a time
_DAYS = 4


class RecordedIntake:
    """Reads what `source` records into `folder`.

    Raises:
        SettingsError: the folder is the state of a watch over logs.
    """

    def __init__(self, folder: Folder, source: GatewayStore, schedule: Schedule) -> None:
        self._folder, self._source, self._schedule = folder, source, schedule
        if folder.state.about("log") not in ("", FORMAT):
            raise SettingsError(
                "this state was begun with logs; watch an event store with a state of its own"
            )
        self._named = folder.state.about("pseudonymous") == "0"
        self._file = max(folder.state.files(), default=0)
        self._requests: dict[int, SeenIds] = {}
        #: what a person should know; whoever tells it takes it out
        self.lost: list[str] = []
        folder.rejects.touch()

    def forget(self) -> None:
        """Know the requests that are kept, and no others: after rows were dropped."""
        self._requests.clear()

    def rename(self) -> None:
        """Call accounts as they are called beside the store now."""
        if self._named:
            digests, _ = self._folder.state.names()
            names = self._source.call(digests)
            self._folder.state.rename(dict(zip(digests.tolist(), names, strict=True)))

    def left_over(self) -> list[str]:
        """Nothing: all that is recorded is whole."""
        return []

    def read(self, now: int) -> Iterator[int]:
        """Take in all that is new; yields after each step how many exchanges it had.

        Args:
            now: µs since 1970; times after it do not let a look close.

        Raises:
            KeyFileError: a store with another key stands in the place of the one before.
            StoreFormatError: the store is gone or damaged.
            StorageError: the disk is full, or the store is changed faster than it is read.
        """
        for _ in range(_PASSES):
            if (yield from self._pass(now)):
                return
        raise StorageError(
            "the store is being rolled or erased again and again; try later",
            path=self._source.path,
        )

    def _pass(self, now: int) -> Generator[int, None, bool]:
        """Take in what the store lists now; False if rows moved on to a part not listed then."""
        store = self._source.open()
        moment = store.moment()
        reached = self._reached(store, moment)
        if reached is None:
            return False
        known = self._folder.state.places()
        try:
            parts = [part for part in moment.parts if _identity(part) not in known]
            parts.sort(key=lambda part: (part.day, _begins(store.path / part.path), part.path))
            for part in parts:
                yield from self._read_part(store, part, now)
            for number, batch in store.hot_after(reached.position, rows=ROWS):
                if new_parts(store, moment):  # else rows before these may have left for one
                    return False
                rows = self._take(batch, {_HOT: replace(reached, position=number)}, now)
                if rows:
                    yield rows
        except StoreFormatError:
            if set(store.moment().parts) >= set(moment.parts):
                raise
            return False  # a file went while it was read
        return True

    def _reached(self, store: EventStore, moment: Moment) -> Place | None:
        """How far the hot log was read, once what left the store has left the folder; None if
        the store changed meanwhile."""
        state = self._folder.state
        reached = state.places().get(_HOT)
        if reached is None or (
            reached.before != moment.store or reached.position > moment.appended
        ):
            if reached is not None:
                self.lost.append(
                    f"{store.path}: is another store than before, or an older copy of it; what it "
                    "holds is read anew, and what is known already is left out"
                )
            reached = Place(str(store.path), 0, moment.removals, moment.store)
            state.move({_HOT: reached})
        elif reached.number != moment.removals:
            erased = erase_gone(self._folder, store, self._next_file)
            if erased is None:
                return None
            if erased:
                self.forget()
                self.lost.append(f"{erased:,} exchanges that the gateway erased are erased here")
            reached = replace(reached, number=moment.removals)
            state.move({_HOT: reached})
        return reached

    def _read_part(self, store: EventStore, part: Part, now: int) -> Iterator[int]:
        """Take in what is not here yet of a part, and remember it as read."""
        state, path = self._folder.state, store.path / part.path
        if part.day >= self._schedule.first_day(state.closed):
            here = self._here((part.day - dt.date(1970, 1, 1)).days)
            requests = (batch["request"].to_numpy() for batch in read_part(path, ["request"]))
            if not all(here.known(each).all() for each in requests):
                for group in read_part(path):
                    for start in range(0, len(group), ROWS):
                        rows = self._take(group.slice(start, ROWS), {}, now)
                        if rows:
                            yield rows
        state.move({_identity(part): Place(part.path, part.rows)})

    def _take(self, batch: pa.RecordBatch, places: dict[str, Place], now: int) -> int:
        """Make what is new in `batch` count, with the places behind it; the number of rows."""
        state = self._folder.state
        batch = batch.filter(pa.array(self._unmet(batch)))
        at = batch["at"].cast(pa.int64()).to_numpy()
        looks, old, newest = self._schedule.place(at, now, state.newest, state.closed)
        if old.any():
            batch, looks = batch.filter(pa.array(~old)), looks[~old]
        if not len(batch):
            state.move(places)
            return 0
        accounts = np.unique(batch["account"].to_numpy())
        names = zip(accounts.tolist(), self._source.call(accounts), strict=True)
        state.took(
            Taken(
                places=places,
                waiting=waiting.keep(self._folder.waiting, self._next_file(), batch, looks),
                names=list(names) if self._named else [],
                notes=[],
                format=FORMAT,
                newest=newest,
                read_at=now,
                rejected=0,
                rejects=int(state.about("rejects")),
            )
        )
        return len(batch)

    def _unmet(self, batch: pa.RecordBatch) -> npt.NDArray[np.bool_]:
        """Which rows are not here yet; they are from now on."""
        days = batch["at"].cast(pa.int64()).to_numpy() // DAY
        requests = batch["request"].to_numpy()
        unmet = np.zeros(len(batch), np.bool_)
        for day in np.unique(days).tolist():
            rows = np.flatnonzero(days == day)
            unmet[rows] = ~self._here(day).repeated(requests[rows])
        return unmet

    def _here(self, day: int) -> SeenIds:
        """The requests of a day that are here, exactly: rows may be written again any time."""
        found = self._requests.pop(day, None)
        if found is None:
            found, folder = SeenIds(), self._folder
            date = instant(day * DAY).date()
            for path in folder.store.parquet_files(date, date):
                for batch in pq.ParquetFile(path).iter_batches(ROWS, columns=["request"]):
                    found.repeated(batch["request"].to_numpy())
            for batch in waiting.read(folder.waiting, folder.state.waiting()):
                own = batch["at"].cast(pa.int64()).to_numpy() // DAY == day
                found.repeated(batch["request"].to_numpy()[own])
        self._requests[day] = found
        while len(self._requests) > _DAYS:
            del self._requests[next(iter(self._requests))]
        return found

    def _next_file(self) -> int:
        self._file += 1
        return self._file


def _identity(part: Part) -> str:
    """What never stands for anything else, even in another store."""
    return f"events:{part.path}:{part.sha256.hex()}"


def _begins(path: Path) -> int:
    """The earliest time in a part (µs since 1970): parts of a day are read in that order."""
    times = (batch["at"].cast(pa.int64()).to_numpy() for batch in read_part(path, ["at"]))
    return min((int(some.min()) for some in times if len(some)), default=0)
