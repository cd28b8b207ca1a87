"""The event store: one folder, one writer of files at a time, any number of readers."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
from array import array
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from types import TracebackType

import pyarrow as pa

from stillwatch.durable import failures
from stillwatch.errors import StorageError, StoreFormatError
from stillwatch.events.batches import NAMING, holds, integers, without
from stillwatch.events.days import DayWriter
from stillwatch.events.disk import Lock, whole
from stillwatch.events.hot import HotLog
from stillwatch.events.parts import GROUP_ROWS, Moment, Part, read_part

__all__ = ["EventStore"]

_HOT, _DAYS, _ASIDE, _LOCK = "hot.sqlite", "days", "aside", "lock"
_PATIENCE = 30.0  # seconds to wait for another process
#: a day in as many small parts is written together when it is rolled again
_SMALL_PARTS = 8
_JOINED_ROWS = 8_192


class EventStore:
    """Exchanges on disk. Made by :meth:`create` or :meth:`open`; a context manager.

    :meth:`append` may be called from any thread, and from several processes at once. The methods
    that add or remove files (:meth:`roll`, :meth:`bulk`, :meth:`erase`, :meth:`expire`) wait for
    each other, half a minute at most. Every method may raise
    :class:`~stillwatch.errors.StorageError` where the machine fails (a full disk), and
    :class:`~stillwatch.errors.StoreFormatError` where a file is damaged; both name the file, and
    nothing half-written is ever visible.
    """

    def __init__(self, path: Path, hot: HotLog) -> None:
        self.path = path
        self._hot = hot
        self._lock = Lock(path / _LOCK)

    @classmethod
    def create(cls, path: Path | str, *, key_id: str) -> EventStore:
        """A new, empty store in the folder `path`, for digests made with the key `key_id`.

        A folder that is made for it is readable by its owner only.

        Raises:
            StorageError: there is something in that folder already, or it cannot be made.
        """
        path = Path(path).absolute()
        with failures(path):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if (path / _HOT).exists():
                raise StorageError("there is an event store here already; open it", path=path)
            others = {p.name for p in path.iterdir()} - {_DAYS, _ASIDE, f"{Path(_HOT).stem}.new"}
            if others:
                raise StorageError(
                    f"the folder is not empty ('{min(others)}'); name another", path=path
                )
            for folder in (_DAYS, _ASIDE):
                (path / folder).mkdir(exist_ok=True)
        HotLog.create(path / _HOT, key_id)
        return cls(path, HotLog(path / _HOT))

    @classmethod
    def open(cls, path: Path | str, *, tidy: bool = True) -> EventStore:
        """The store in the folder `path`; what a crash left half-written is cleared away.

        Args:
            tidy: without it nothing is touched; for readers of a store that another process keeps.

        Raises:
            StoreFormatError: there is none, or another version wrote it.
        """
        path = Path(path).absolute()
        store = cls(path, HotLog(path / _HOT))
        if tidy:
            with contextlib.suppress(StorageError), store._lock.held(patience=0):
                store._sweep()
        return store

    @property
    def key_id(self) -> str:
        """The name of the key that the digests were made with, as given to :meth:`create`."""
        return self._hot.key_id

    def append(
        self, batch: pa.RecordBatch, *, source: str | None = None, sequence: int | None = None
    ) -> None:
        """Keep the rows of `batch`, all or none; they are on the disk when this returns.

        Args:
            source: who appends, so that it may send again what was not acknowledged.
            sequence: the number of this batch, larger than those of the source before. A batch is
                skipped if this number, or a larger one, is kept already.

        Raises:
            ValueError: the columns are not those of :data:`stillwatch.exchange.SCHEMA`, or only
                one of `source` and `sequence` is given.
        """
        if (source is None) != (sequence is None):
            raise ValueError("a source and its sequence go together")
        self._hot.append(batch, source, sequence)

    def applied(self, source: str) -> int | None:
        """The largest sequence that `source` appended; None if it never did."""
        return self._hot.applied(source)

    @contextlib.contextmanager
    def bulk(self, label: str | None = None) -> Iterator[DayWriter]:
        """A writer for a whole log: ``writer.write(batch)``, in any order of time.

        Rows go to Parquet directly and count when the block ends, all at once; if it ends with an
        exception, none does. Memory is bounded, whatever the log. `label` becomes :attr:`label`
        in that same moment, so that whoever was killed here can tell whether the rows count.
        """
        with self._changing():
            writer, number = self._writer()
            with self._aside(number, writer):
                yield writer
                self._hot.exchange(listed=self._placed(writer), label=label)

    @property
    def label(self) -> str | None:
        """The label of the last :meth:`bulk` that counts and had one."""
        return self._hot.label()

    def join(self) -> None:
        """Write the small parts of each day together, where there are eight or more."""
        with self._changing():
            for day in self._hot.days():
                small = [p for p in self._hot.parts(day, day) if p.rows < GROUP_ROWS]
                if len(small) >= _SMALL_PARTS:
                    self._roll(day)

    def roll(self, until: date | None = None) -> int:
        """Move hot rows of the days before `until` (all days without it) into Parquet.

        Rows that are appended meanwhile stay hot. Small parts that pile up on a day, because it
        is rolled often, are written together.

        Returns:
            The number of rows that were moved.
        """
        moved = 0
        with self._changing():
            for day in self._hot.hot_days():
                if until is None or day < until:
                    moved += self._roll(day)
        return moved

    def days(self) -> list[date]:
        """The UTC days with rows, ascending."""
        return self._hot.days()

    def rows(self) -> int:
        """The number of rows, hot ones included."""
        return self._hot.rows()

    def parquet_files(self, first: date | None = None, last: date | None = None) -> list[Path]:
        """The files an engine has to scan for the days from `first` to `last`, both included.

        Only these count: never scan the folder by a pattern. Hot rows are not in them; call
        :meth:`roll` first. A file of this list may go when rows are erased or rolled; then list
        again.
        """
        return [self.path / part.path for part in self._hot.parts(first, last)]

    def hot(self) -> Iterator[pa.RecordBatch]:
        """The rows that were not rolled yet, oldest append first."""
        for _, batch in self._hot.batches():
            yield batch

    def moment(self) -> Moment:
        """What the store lists now: what an earlier moment did not list has come since.

        Rows leave the hot log, or a part, only for a part that was not listed before, or for good.
        """
        return self._hot.moment()

    def hot_after(
        self, number: int, *, rows: int, day: date | None = None
    ) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Hot rows that were appended after the batch of that number, oldest append first.

        Batches are joined until they have `rows` rows; each comes with the number of its last one.
        """
        yield from self._hot.batches(day, rows=rows, after=number)

    def erase(self, digests: Iterable[int], *, by: str = "account") -> int:
        """Remove every row of some accounts, here and in what SQLite keeps of freed pages.

        Files that hold none of them are not touched. If it is interrupted, run it again. Rows that
        are appended while it runs may stay: suspend the account first.

        Rows of others that name one of the accounts stay, and name nobody any more.

        Args:
            digests: of the accounts. By ``request`` those of single requests, by
                ``replayed_from`` of accounts that others shall name no more, and that is all; by
                ``compared`` the numbers of keys, and what was made under these goes, no row.

        Returns:
            The number of rows removed.
        """
        gone = integers(array("q", digests))
        erased = 0
        with self._changing():
            for seq, batch in self._hot.batches():
                if holds(batch, gone, by):
                    kept = without(batch, gone, by)
                    self._hot.replace(seq, kept)
                    erased += len(batch) - len(kept)
            for part in self._hot.parts():
                column = read_part(self.path / part.path, list(NAMING) if by == "account" else [by])
                if any(holds(batch, gone, by) for batch in column):
                    erased += self._erase(part, gone, by)
            self._hot.removed()  # even if nothing was: an interrupted one may have done it all
            self._hot.purge()
        return erased

    def rows_before(self, before: date) -> int:
        """How many rows :meth:`expire` would remove; nothing is touched."""
        return self._hot.rows(before)

    def expire(self, before: date) -> int:
        """Remove every row of the UTC days before `before` (retention).

        Returns:
            The number of rows removed.
        """
        with self._changing():
            rows = self._hot.rows()
            parts = self._hot.expire(before)
            rows -= self._hot.rows()
            self._remove(parts)
            self._hot.purge()
        return rows

    def check(self) -> None:
        """Read every byte of the store once, and compare it with what was written.

        Raises:
            StoreFormatError: names the first file that is damaged or gone.
        """
        self._hot.check()
        for part in self._hot.parts():
            path = self.path / part.path
            try:
                with path.open("rb") as file:
                    digest = hashlib.file_digest(file, "sha256").digest()
            except FileNotFoundError as error:
                raise StoreFormatError(
                    "the file is gone; restore it from a backup", path=path
                ) from error
            if digest != part.sha256:
                raise StoreFormatError(
                    "the file is not what was written; restore it from a backup", path=path
                )

    def close(self) -> None:
        """Let go of the files; nothing is lost without it."""
        self._hot.close()

    def __enter__(self) -> EventStore:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        with self._lock.held(patience=_PATIENCE):
            self._sweep()
            yield

    def _sweep(self) -> None:
        """Remove files that do not count: left by a crash before, or after, the transaction."""
        with failures(self.path):
            for left in (self.path / _ASIDE).iterdir():
                shutil.rmtree(left)
            counted = {part.path for part in self._hot.parts()}
            for file in (self.path / _DAYS).glob("day=*/*.parquet"):
                if str(file.relative_to(self.path)) not in counted:
                    file.unlink()

    def _writer(self) -> tuple[DayWriter, int]:
        number = self._hot.operation()
        aside = self.path / _ASIDE / f"{number:08d}"
        with failures(aside):
            aside.mkdir()
        return DayWriter(aside, number), number

    @contextlib.contextmanager
    def _aside(self, number: int, writer: DayWriter) -> Iterator[None]:
        try:
            yield
        except BaseException:
            writer.abandon()
            raise
        finally:
            shutil.rmtree(self.path / _ASIDE / f"{number:08d}", ignore_errors=True)

    def _placed(self, writer: DayWriter) -> list[Part]:
        """Finish the parts of `writer` and move them to their places; they do not count yet."""
        parts = writer.finish()
        with failures(self.path / _DAYS):
            for part in parts:
                whole(writer.where(part), self.path / part.path)
        return parts

    def _roll(self, day: date) -> int:
        small = [p for p in self._hot.parts(day, day) if p.rows < GROUP_ROWS]
        together = small if len(small) >= _SMALL_PARTS else []
        writer, number = self._writer()
        with self._aside(number, writer):
            for part in together:
                for batch in read_part(self.path / part.path):
                    writer.write(batch)
            last = moved = 0
            for seq, batch in self._hot.batches(day, rows=_JOINED_ROWS):
                writer.write(batch)
                last = seq
                moved += len(batch)
            self._hot.exchange(listed=self._placed(writer), dropped=together, rolled=(day, last))
        self._remove(together)
        return moved

    def _erase(self, part: Part, gone: pa.Array, by: str) -> int:
        writer, number = self._writer()
        with self._aside(number, writer):
            for batch in read_part(self.path / part.path):
                writer.write(without(batch, gone, by))
            kept = self._placed(writer)
            self._hot.exchange(listed=kept, dropped=[part])
        self._remove([part])
        return part.rows - sum(p.rows for p in kept)

    def _remove(self, parts: list[Part]) -> None:
        for part in parts:
            path = self.path / part.path
            with failures(path):
                path.unlink(missing_ok=True)
                with contextlib.suppress(OSError):
                    path.parent.rmdir()
