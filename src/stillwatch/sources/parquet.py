"""The native log as Parquet: types checked against the footer, known columns read by row groups.

Columns of the plain type of their kind are taken whole; the others (numbers as text, JSON as text,
dictionaries of tools…) value by value, by the same rules as JSON. Rows come 4,096 at a time, fewer
where they are long, so memory does not grow with the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from stillwatch.errors import InputError
from stillwatch.exchange import RawExchange
from stillwatch.sources.arrow_columns import accepts, described, plain, values_of
from stillwatch.sources.columns import COLUMNS, SPELLINGS
from stillwatch.sources.log import Chunk
from stillwatch.sources.rows import Context, coerce, complete
from stillwatch.sources.values import UnfitError

__all__ = ["NativeParquet", "is_parquet"]

_ROWS = 4096
_TEXT_MAX = 64 << 20
_KIND = {column.name: column.kind for column in COLUMNS}


def is_parquet(head: bytes) -> bool:
    """Whether a file that begins with `head` is Parquet."""
    return head.startswith(b"PAR1")


class NativeParquet:
    """A native log in one Parquet file.

    Raises:
        InputError: no footer (the file is truncated or still being written), a column of a type
            that it cannot have, a column that is required and missing, or one that is there twice.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._size = path.stat().st_size
        with self._opened() as file:
            schema = file.schema_arrow
        twice = {name for name in schema.names if schema.names.count(name) > 1}
        if twice & SPELLINGS.keys():
            raise InputError(f"has the column '{min(twice & SPELLINGS.keys())}' twice", path=path)
        self._names = _known(schema)
        self._unknown = [name for name in schema.names if name not in self._names.values()]
        for column, name in self._names.items():
            kind = schema.field(name).type
            if not accepts(_KIND[column], kind):
                wanted = described(_KIND[column])
                raise InputError(f"column '{name}' is {kind}, not {wanted}", path=path)
        self._require()

    def chunks(self, context: Context, start: int = 0) -> Iterator[Chunk]:
        """A chunk for every few thousand rows of a row group.

        Row groups that lie within the first `start` rows are passed over. A row group that is
        damaged becomes one fault for all of its rows that are left.
        """
        for name in self._unknown:
            context.remarks.unknown(name)
        for column, name in self._names.items():
            if column != name:
                context.remarks.note(f"'{name}' is read as '{column}'", times=0)
        first = 1
        with self._opened() as file:
            total = file.metadata.num_rows
            for group in range(file.num_row_groups):
                facts = file.metadata.row_group(group)
                after = first + facts.num_rows
                if after <= start + 1:
                    first = after
                    continue
                long = facts.total_byte_size // max(facts.num_rows, 1) + 1
                batches = file.iter_batches(
                    batch_size=max(1, min(_ROWS, _TEXT_MAX // long)),
                    row_groups=[group],
                    columns=list(self._names.values()),
                )
                while first < after:
                    try:
                        batch = next(batches)
                    except (pa.ArrowException, OSError, StopIteration) as error:
                        reason = (
                            f"rows {first:,} to {after - 1:,} cannot be read: row group "
                            f"{group + 1} is damaged ({type(error).__name__})"
                        )
                        yield Chunk([], [], [(first, reason)], 0, 0)
                        break
                    read = self._size * (first + batch.num_rows - 1) // total
                    yield self._chunk(batch, first, read, context)
                    first += batch.num_rows
                first = after

    def _chunk(self, batch: pa.RecordBatch, first: int, read: int, context: Context) -> Chunk:
        """The rows of a record batch, the first of which is row number `first` of the file."""
        context.remarks.line = first
        whole: dict[str, Sequence[Any]] = {}
        single: dict[str, Sequence[Any]] = {}
        for column, name in self._names.items():
            array = batch.column(name)
            if array.null_count == len(array):
                continue
            values = plain(column, _KIND[column], array, context.remarks)
            if values is not None:
                whole[column] = values
            else:
                single[column] = values_of(array, context.remarks)
        rows: list[RawExchange] = []
        lines: list[int] = []
        faults: list[tuple[int, str]] = []
        names = [*whole, *single]
        numbers = range(first, first + batch.num_rows)
        for number, *values in zip(numbers, *whole.values(), *single.values(), strict=True):
            fields = dict(zip(names, values, strict=True))
            try:
                for column in single:
                    if fields[column] is not None:
                        fields[column] = coerce(column, fields[column], context)
                rows.append(complete(fields, context))
                lines.append(number)
            except UnfitError as unfit:
                faults.append((number, unfit.reason))
        return Chunk(rows, lines, faults, read, batch.nbytes)

    def _opened(self) -> pq.ParquetFile:
        try:
            return pq.ParquetFile(self.path, pre_buffer=False)
        except pa.ArrowInvalid as error:
            raise InputError(
                "is Parquet without a footer that can be read: the file is truncated, damaged, or "
                "still being written",
                path=self.path,
            ) from error
        except OSError as error:
            raise InputError(
                f"cannot be read: {error.strerror or error}", path=self.path
            ) from error
        except UnicodeEncodeError as error:
            raise InputError("has a name that is not UTF-8: rename it", path=self.path) from error

    def _require(self) -> None:
        missing = [name for name in ("at", "account") if name not in self._names]
        if not {"prompt", "messages"} & self._names.keys():
            missing.append("prompt' or 'messages")
        if missing:
            raise InputError(
                f"has no column '{missing[0]}': a native log needs 'at', 'account' and 'prompt' or "
                "'messages' (docs/logs.md says which other names are known)",
                path=self.path,
            )


def _known(schema: pa.Schema) -> dict[str, str]:
    """Column → its name in the file: its own name, or the first of its aliases that is there."""
    found: dict[str, str] = {}
    for column in COLUMNS:
        for name in (column.name, *column.aliases):
            if name in schema.names:
                found[column.name] = name
                break
    return found
