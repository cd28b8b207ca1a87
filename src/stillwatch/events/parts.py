"""One Parquet file of a day: written aside, hashed on its way to the disk, synced.

Lists of keyed hashes do not compress and have no dictionary worth its name, so they are written
as they are; so are digests that hardly repeat. Other digests get a dictionary, times get zstd,
everything else gets both. Measured by ``benchmarks/events.py``.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from stillwatch.durable import failures
from stillwatch.errors import StoreFormatError
from stillwatch.events.batches import padded
from stillwatch.exchange import COLUMNS, FIRST_COLUMNS, SCHEMA

__all__ = ["GROUP_ROWS", "Moment", "Part", "PartWriter", "read_part"]

#: a multiple of DuckDB's vector size; what one reader thread takes at a time
GROUP_ROWS = 122_880

_UNIQUE = ("request", "content", "conversation", "end_user")
_PLAIN = {f.name for f in SCHEMA if pa.types.is_list(f.type)} | set(_UNIQUE)
_DIGESTS = {c.name for c in COLUMNS if c.source == "digest"}


def _leaves(name: str, type_: pa.DataType) -> Iterator[str]:
    """What Parquet calls the columns in which it keeps a column of ours."""
    if pa.types.is_list(type_):
        yield from _leaves(f"{name}.list.element", type_.value_type)
    elif pa.types.is_struct(type_):
        for field in type_:
            yield from _leaves(f"{name}.{field.name}", field.type)
    else:
        yield name


_PATHS = {f.name: list(_leaves(f.name, f.type)) for f in SCHEMA}
_COMPRESSED = {p for n in SCHEMA.names if n not in _PLAIN | _DIGESTS for p in _PATHS[n]}
#: names of keys, the same in every row
_NAMED = {p for paths in _PATHS.values() for p in paths if p.endswith(".key")}
_ENCODING = {
    "compression": {
        p: "zstd" if p in _COMPRESSED else "NONE" for paths in _PATHS.values() for p in paths
    },
    "compression_level": dict.fromkeys(_COMPRESSED, 1),
    "use_dictionary": [*(n for n in SCHEMA.names if n not in _PLAIN | {"at"}), *_NAMED],
    "write_statistics": [n for n in SCHEMA.names if n not in _PLAIN],
}


@dataclass(frozen=True)
class Part:
    """A finished file: its place relative to the store, its day, rows, bytes, SHA-256."""

    path: str
    day: date
    rows: int
    size: int
    sha256: bytes


@dataclass(frozen=True)
class Moment:
    """What a store lists at one moment, for who follows it.

    Attributes:
        store: the id of the store; another one stands in its place where it differs.
        parts: the Parquet files that count, by day.
        appended: the number of the last batch that was ever appended; 0 for none. Hot batches
            count upwards in the order in which they came to count.
        removals: how often rows were erased or expired.
    """

    store: str
    parts: tuple[Part, ...]
    appended: int
    removals: int


class _HashedFile:
    """A file that knows the hash of what was written to it; it can only grow."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("xb")
        self._hash = hashlib.sha256()
        self.size = 0
        self.closed = False

    def write(self, data: bytes) -> int:
        self._file.write(data)
        self._hash.update(data)
        self.size += len(data)
        return len(data)

    def tell(self) -> int:
        return self.size

    def flush(self) -> None:
        self._file.flush()

    def sync(self) -> bytes:
        """Wait until everything is on the disk; the digest of it."""
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._hash.digest()

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._file.close()


class PartWriter:
    """Writes one part aside; `place` is where the store will move it."""

    def __init__(self, aside: Path, place: str, day: date) -> None:
        self.aside, self.place, self.day = aside, place, day
        self.rows = self.groups = 0
        with failures(aside):
            self._file = _HashedFile(aside)
        self._writer = pq.ParquetWriter(self._file, SCHEMA, **_ENCODING)

    def write(self, batches: list[pa.RecordBatch]) -> None:
        """Write `batches` as one row group."""
        table = pa.Table.from_batches(batches, SCHEMA).unify_dictionaries()
        with failures(self.aside):
            self._writer.write_table(table, row_group_size=len(table))
        self.rows += len(table)
        self.groups += 1

    def finish(self) -> Part:
        """Complete the file and wait until it is on the disk."""
        with failures(self.aside):
            self._writer.close()
            digest = self._file.sync()
            self._file.close()
        return Part(self.place, self.day, self.rows, self._file.size, digest)

    def abandon(self) -> None:
        """Let go of the file; what was written of it is worthless."""
        with contextlib.suppress(OSError, pa.ArrowException):
            self._writer.close()
        with contextlib.suppress(OSError):
            self._file.close()


def read_part(path: Path, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
    """The rows of a part, at most :data:`GROUP_ROWS` at a time; all columns, or those of `columns`
    that the part has.

    Raises:
        StoreFormatError: the file is gone, damaged, or of another schema.
    """
    try:
        with pq.ParquetFile(path) as file:
            known = file.schema_arrow.names
            if len(known) < FIRST_COLUMNS or list(file.schema_arrow) != list(SCHEMA)[: len(known)]:
                raise StoreFormatError("the columns are not those of an exchange", path=path)
            if columns is None:
                for batch in file.iter_batches(GROUP_ROWS):
                    yield padded(batch, SCHEMA)
            else:
                wanted = [name for name in columns if name in known]
                yield from file.iter_batches(GROUP_ROWS, columns=wanted)
    except FileNotFoundError as error:
        raise StoreFormatError("the file is gone; restore it from a backup", path=path) from error
    except (pa.ArrowException, OSError) as error:
        raise StoreFormatError(
            f"the file is damaged ({error}); restore it from a backup", path=path
        ) from error
