"""Rows in any order → Parquet parts by UTC day, written aside, with bounded memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pyarrow as pa

from stillwatch.events.batches import by_day, checked
from stillwatch.events.parts import GROUP_ROWS, Part, PartWriter, read_part

__all__ = ["DayWriter"]

#: rows that wait in memory over all days, about 600 bytes each
_WAITING_ROWS = 2 * GROUP_ROWS
#: files that may be open at once; a log in disorder over more days than this closes some early
_OPEN_FILES = 64
_PART_GROUPS = 16
#: a day in more fragments than this, each smaller than that, is written once more at the end
_FRAGMENTS, _FRAGMENT_ROWS = 8, GROUP_ROWS // 4


@dataclass
class _Day:
    waiting: list[pa.RecordBatch] = field(default_factory=list)
    rows: int = 0  # that wait
    groups: int = 0  # row groups written, in all parts
    written: int = 0  # rows in them
    open: PartWriter | None = None
    parts: list[Part] = field(default_factory=list)
    named: int = 0


class DayWriter:
    """Splits batches by UTC day into parts under `aside`; :meth:`finish` completes them.

    The store moves finished parts into sight; until then they do not count. `number` is the
    store's number of this operation, which makes the names of its parts unique.
    """

    def __init__(self, aside: Path, number: int) -> None:
        self._aside, self._number = aside, number
        self._days: dict[date, _Day] = {}
        self._waiting = 0

    def write(self, batch: pa.RecordBatch) -> None:
        """Add the rows of `batch`, in any order of time.

        Raises:
            ValueError: the columns are not those of an exchange.
            StorageError: the disk is full, or otherwise failed us.
        """
        for when, rows in by_day(checked(batch)):
            day = self._days.setdefault(when, _Day())
            day.waiting.append(rows)
            day.rows += len(rows)
            self._waiting += len(rows)
            while day.rows >= GROUP_ROWS:
                self._flush(when, day)
        while self._waiting > _WAITING_ROWS:
            self._flush(*max(self._days.items(), key=lambda item: item[1].rows))

    def finish(self) -> list[Part]:
        """Complete every part and wait until it is on the disk.

        Raises:
            StorageError: the disk is full, or otherwise failed us.
        """
        for when, day in sorted(self._days.items()):
            while day.rows:
                self._flush(when, day)
            self._close(day)
            if day.groups > _FRAGMENTS and day.written < day.groups * _FRAGMENT_ROWS:
                self._defragment(when, day)
        return [part for _, day in sorted(self._days.items()) for part in day.parts]

    def abandon(self) -> None:
        """Let go of every file; the store clears them away."""
        for day in self._days.values():
            if day.open is not None:
                day.open.abandon()

    def where(self, part: Part) -> Path:
        """The file of a part that is not in its place yet."""
        return self._aside / Path(part.path).name.replace("part-", f"{part.day}-")

    def _flush(self, when: date, day: _Day) -> None:
        """Write one row group of what waits for a day."""
        group: list[pa.RecordBatch] = []
        size = 0
        while day.waiting and size < GROUP_ROWS:
            batch = day.waiting.pop(0)
            room = GROUP_ROWS - size
            if len(batch) > room:
                day.waiting.insert(0, batch.slice(room))
                batch = batch.slice(0, room)
            group.append(batch)
            size += len(batch)
        if day.open is None:
            self._make_room()
            day.open = self._part(when, day)
        day.open.write(group)
        day.rows -= size
        self._waiting -= size
        day.groups += 1
        day.written += size
        if day.open.groups >= _PART_GROUPS:
            self._close(day)

    def _part(self, when: date, day: _Day) -> PartWriter:
        name = f"part-{self._number:08d}-{day.named:04d}.parquet"
        day.named += 1
        part = Part(f"days/day={when}/{name}", when, 0, 0, b"")
        return PartWriter(self.where(part), part.path, when)

    def _make_room(self) -> None:
        still_open = [day for day in self._days.values() if day.open is not None]
        if len(still_open) >= _OPEN_FILES:
            self._close(max(still_open, key=lambda day: day.open.rows if day.open else 0))

    def _close(self, day: _Day) -> None:
        if day.open is not None:
            day.parts.append(day.open.finish())
            day.open = None

    def _defragment(self, when: date, day: _Day) -> None:
        fragments = day.parts
        day.parts, day.groups, day.written = [], 0, 0
        for part in fragments:
            for batch in read_part(self.where(part)):
                day.waiting.append(batch)
                day.rows += len(batch)
                self._waiting += len(batch)
                while day.rows >= GROUP_ROWS:
                    self._flush(when, day)
            self.where(part).unlink()
        while day.rows:
            self._flush(when, day)
        self._close(day)
