"""A log of one or many files → batches of exchanges and rejects, as often as one likes."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from stillwatch.exchange import RawExchange
from stillwatch.sources.duplicates import SeenIds
from stillwatch.sources.remarks import Remarks
from stillwatch.sources.rows import Context

__all__ = ["Batch", "Chunk", "Log", "Reject", "Source"]

_TEXT_MAX = 64 << 20
_FORGOT = "more than 25 million request ids: duplicates far apart may not have been seen"
_DUPLICATE = "the request id was met before; the first row with it is kept"


class Reject(NamedTuple):
    """A row that was not read: the file, its line (Parquet: row) counted from 1, and why.

    The reason never holds text of the row.
    """

    path: str
    line: int
    reason: str


class Batch(NamedTuple):
    """Exchanges in the order of the files, what was refused among them, and the bytes of the files
    on disk that were read for it (for a progress bar; they add up to ``Log.bytes_total``)."""

    rows: list[RawExchange]
    rejects: list[Reject]
    bytes_read: int


class Chunk(NamedTuple):
    """What a source reads at a time: at most a few thousand rows of one file.

    ``lines`` gives the line of each row; ``read`` the bytes of the file that were read so far;
    ``size`` about how many bytes of text the rows hold.
    """

    rows: list[RawExchange]
    lines: list[int]
    faults: list[tuple[int, str]]
    read: int
    size: int


class Source(Protocol):
    """One file in a format that is known."""

    @property
    def path(self) -> Path:
        """Where the file is."""
        ...

    def chunks(self, context: Context) -> Iterator[Chunk]:
        """Read the file from its start."""
        ...


class Log:
    """What :func:`stillwatch.sources.open_log` returns. Each call of :meth:`batches` is a new pass.

    ``files`` in the order in which they are read, ``format`` ("native", "litellm", "otel", or
    "empty" where no file holds a row), ``bytes_total`` of the files on disk.
    """

    def __init__(self, files: Sequence[Path], format: str, sources: Sequence[Source]) -> None:  # noqa: A002
        self.files = tuple(files)
        self.format = format
        self._sizes = {path: path.stat().st_size for path in files}
        self.bytes_total = sum(self._sizes.values())
        self._sources = tuple(sources)
        holding = {source.path for source in sources}
        self._empty = [path for path in files if path not in holding]
        self._remarks = Remarks()

    @property
    def unknown_columns(self) -> tuple[str, ...]:
        """Columns that nobody knows and that are ignored, of what the last pass has read."""
        return self._remarks.unknown_columns

    @property
    def notes(self) -> tuple[str, ...]:
        """What the last pass noticed so far: clocks in other units, replaced text, empty files…"""
        return self._remarks.sentences

    def batches(self, rows: int = 8192) -> Iterator[Batch]:
        """All rows of all files, `rows` at a time; fewer where their texts add up to 64 MB.

        The first row with a request id is kept and later ones are rejected; at least the last
        25 million ids are remembered, in 512 MB at most.

        Raises:
            InputError: a file is gone, or its storage fails.
        """
        remarks = self._remarks = Remarks()
        context = Context(remarks, now=time.time_ns() // 1000)
        for path in self._empty:
            remarks.path, remarks.line = _readable(path), 0
            remarks.note("the file is empty")
        seen = SeenIds()
        gathered = _Gathered(sum(self._sizes[path] for path in self._empty))
        for source in self._sources:
            name = remarks.path = _readable(source.path)
            read = 0
            for chunk in source.chunks(context):
                gathered.add(chunk, name, read)
                read = max(read, chunk.read)
                while len(gathered.rows) >= rows:
                    yield gathered.batch(rows, seen)
                if gathered.size >= _TEXT_MAX:
                    yield gathered.batch(rows, seen)
            gathered.bytes_read += max(self._sizes[source.path] - read, 0)
        if gathered.rows or gathered.rejects or gathered.bytes_read:
            yield gathered.batch(rows, seen)
        if seen.forgot:
            remarks.note(_FORGOT)


def _readable(path: Path) -> str:
    """The name of a file as text that every encoding takes: names may be any bytes."""
    return os.fsencode(path).decode("utf-8", "replace")


class _Gathered:
    """Rows on their way into a batch."""

    def __init__(self, bytes_read: int) -> None:
        self.rows: list[RawExchange] = []
        self.places: list[tuple[str, int]] = []
        self.rejects: list[Reject] = []
        self.bytes_read = bytes_read
        self.size = 0

    def add(self, chunk: Chunk, path: str, read_before: int) -> None:
        self.rows += chunk.rows
        self.places += [(path, line) for line in chunk.lines]
        self.rejects += [Reject(path, line, reason) for line, reason in chunk.faults]
        self.bytes_read += max(chunk.read - read_before, 0)
        self.size += chunk.size

    def batch(self, rows: int, seen: SeenIds) -> Batch:
        taken, self.rows = self.rows[:rows], self.rows[rows:]
        places, self.places = self.places[:rows], self.places[rows:]
        rejects, self.rejects = self.rejects, []
        bytes_read, self.bytes_read = self.bytes_read, 0
        self.size = 0
        repeats = seen.repeats([row.request_id for row in taken])
        if repeats.any():
            twice = repeats.tolist()
            rejects += [Reject(*places[i], _DUPLICATE) for i, again in enumerate(twice) if again]
            taken = [row for row, again in zip(taken, twice, strict=True) if not again]
        return Batch(taken, rejects, bytes_read)
