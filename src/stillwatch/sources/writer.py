"""Writes the native log: .jsonl, .jsonl.gz or .parquet, by the ending of the name.

The file is written aside and renamed when it is whole, so that nobody reads half of it. Parquet
has every column, typed as :data:`PARQUET` says, in row groups of 65,536 rows at most.
"""

from __future__ import annotations

import contextlib
import gzip
import os
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Protocol, Self, cast

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from stillwatch.errors import InputError, StorageError
from stillwatch.exchange import RawExchange
from stillwatch.sources.columns import COLUMNS

__all__ = ["PARQUET", "NativeWriter"]

_TIME = pa.timestamp("us", tz="UTC")
_TYPES = {
    "time": _TIME,
    "messages": pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())])),
    "asn": pa.int64(),
    "flag": pa.bool_(),
    "logprobs": pa.bool_(),
    "number": pa.float64(),
    "count": pa.int32(),
    "max_tokens": pa.int32(),
    "duration": pa.int32(),
    "logit_bias": pa.int32(),
    "tools": pa.list_(pa.string()),
}
#: rows in a row group of Parquet, at most
GROUP_ROWS = 1 << 16
_TIMES = tuple(column.name for column in COLUMNS if column.kind == "time")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

#: the columns of a Parquet log that we write
PARQUET = pa.schema(
    [pa.field(c.name, _TYPES.get(c.kind, pa.string()), nullable=not c.required) for c in COLUMNS]
)


class _Rows(Protocol):
    def write(self, rows: list[RawExchange]) -> None: ...

    def close(self) -> None: ...


class NativeWriter:
    """A native log being written; used as a context manager, it is whole or not there.

    Leaving the block without an exception renames the file into place; with one, what was
    written aside is removed.

    Raises:
        InputError: the name ends in none of .jsonl, .jsonl.gz and .parquet.
        StorageError: the disk is full, or the folder cannot be written.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.rows = 0
        self._aside = self.path.with_name(f".{self.path.name}.{os.getpid()}.part")
        name = self.path.name.lower()
        try:
            if name.endswith(".parquet"):
                self._sink: _Rows = _Parquet(self._aside)
            elif name.endswith((".jsonl", ".jsonl.gz")):
                self._sink = _Json(self._aside, packed=name.endswith(".gz"))
            else:
                raise InputError("name a log .jsonl, .jsonl.gz or .parquet", path=path)
        except OSError as error:
            raise self._failed(error) from error

    def write(self, rows: Iterable[RawExchange]) -> None:
        """Append rows, in their order."""
        batch = list(rows)
        try:
            self._sink.write(batch)
        except OSError as error:
            raise self._failed(error) from error
        self.rows += len(batch)

    def close(self) -> None:
        """Finish the file and put it in its place."""
        try:
            self._sink.close()
            with self._aside.open("rb") as file:
                os.fsync(file.fileno())
            self._aside.replace(self.path)
        except OSError as error:
            self.discard()
            raise self._failed(error) from error

    def discard(self) -> None:
        """Give up: remove what was written aside."""
        with contextlib.suppress(OSError, ValueError):
            self._sink.close()  # what it still wants to write goes the way of the rest
        self._aside.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def _failed(self, error: OSError) -> StorageError:
        return StorageError(f"cannot be written: {error.strerror or error}", path=self.path)


class _Json:
    def __init__(self, path: Path, *, packed: bool) -> None:
        self._file = path.open("wb")
        # no name and no time in the header: the same rows make the same bytes
        packer = gzip.GzipFile("", "wb", 6, self._file, mtime=0) if packed else None
        self._packer = packer
        self._out = cast(BinaryIO, packer or self._file)
        self._encode = msgspec.json.Encoder().encode

    def write(self, rows: list[RawExchange]) -> None:
        self._out.write(b"".join(self._encode(_row(row)) + b"\n" for row in rows))

    def close(self) -> None:
        try:
            if self._packer is not None:
                self._packer.close()
        finally:
            self._file.close()


class _Parquet:
    def __init__(self, path: Path) -> None:
        self._out = pq.ParquetWriter(path, PARQUET, compression="zstd")
        self._waiting: list[RawExchange] = []

    def write(self, rows: list[RawExchange]) -> None:
        self._waiting += rows
        while len(self._waiting) >= GROUP_ROWS:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._out.close()

    def _flush(self) -> None:
        group, self._waiting = self._waiting[:GROUP_ROWS], self._waiting[GROUP_ROWS:]
        if not group:
            return
        values = zip(*map(msgspec.structs.astuple, group), strict=True)
        columns = dict(zip(RawExchange.__struct_fields__, values, strict=True))
        arrays = [_array(columns[field.name], field) for field in PARQUET]
        self._out.write_table(pa.Table.from_arrays(arrays, schema=PARQUET))


def _array(values: tuple[Any, ...], field: pa.Field) -> pa.Array:
    if values.count(None) == len(values):
        return pa.nulls(len(values), field.type)
    if field.name != "messages":
        return pa.array(values, field.type)
    turns = [turn for turns in values for turn in turns or ()]
    offsets = [0, *accumulate(len(turns or ()) for turns in values)]
    starts: list[int | None] = [
        None if turns is None else start for turns, start in zip(values, offsets, strict=False)
    ]
    flat = pa.StructArray.from_arrays(
        [
            pa.array([turn.role for turn in turns], pa.string()),
            pa.array([turn.content for turn in turns], pa.string()),
        ],
        ["role", "content"],
    )
    return pa.ListArray.from_arrays(pa.array([*starts, offsets[-1]], pa.int32()), flat)


def _row(row: RawExchange) -> dict[str, Any]:
    """What stands in a line: the columns that are known, times in RFC 3339."""
    line = {name: value for name, value in msgspec.structs.asdict(row).items() if value is not None}
    for name in _TIMES:
        if name in line:
            line[name] = _EPOCH + timedelta(microseconds=line[name])
    return line
