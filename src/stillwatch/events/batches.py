"""Record batches: checked against the schema, cut at midnight UTC, packed for the hot log.

Numpy meets Arrow here by DLPack and buffers: the usual conversions import pandas, for a second.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stillwatch.exchange import FIRST_COLUMNS, SCHEMA

__all__ = [
    "NAMING",
    "by_day",
    "checked",
    "holds",
    "integers",
    "joined",
    "pack",
    "padded",
    "unpack",
    "without",
]

_DAY = 86_400_000_000  # microseconds
_EPOCH = date(1970, 1, 1).toordinal()

#: a packed batch has to stand alone, so dictionaries are written out as the strings they mean
_PACKED = pa.schema(
    [
        f.with_type(f.type.value_type) if pa.types.is_dictionary(f.type) else f
        for f in SCHEMA.remove_metadata()
    ]
)
#: what batches of this version and of earlier ones were packed with, ours first
_PACKINGS = tuple(
    pa.schema(list(_PACKED)[:columns]) for columns in range(len(_PACKED), FIRST_COLUMNS - 1, -1)
)
#: the columns that name accounts
NAMING: Final = ("account", "replayed_from")
#: the column of what was made under keys of others
_COMPARED: Final = "compared"


def checked(batch: pa.RecordBatch) -> pa.RecordBatch:
    """`batch` with exactly our schema.

    Raises:
        ValueError: a column is missing, out of order, of another type, or null where it must not.
    """
    if batch.schema.names != SCHEMA.names:
        odd = sorted(set(batch.schema.names) ^ set(SCHEMA.names)) or "their order"
        raise ValueError(f"a batch must have the columns of an exchange; what differs: {odd}")
    for field, column in zip(SCHEMA, batch.columns, strict=True):
        if column.type != field.type:
            raise ValueError(f"column '{field.name}' must be {field.type}, not {column.type}")
        if not field.nullable and column.null_count:
            raise ValueError(f"column '{field.name}' must not be null")
    return pa.RecordBatch.from_arrays(batch.columns, schema=SCHEMA)


def by_day(batch: pa.RecordBatch) -> Iterator[tuple[date, pa.RecordBatch]]:
    """The rows of each UTC day, in the order of the batch; days ascend."""
    if not len(batch):
        return
    at = np.from_dlpack(batch.column("at").cast(pa.int64()))
    days = np.floor_divide(at, _DAY)
    if (days[1:] < days[:-1]).any():
        order = np.argsort(days, kind="stable")
        batch, days = batch.take(integers(order)), days[order]
    starts = [0, *(np.flatnonzero(np.diff(days)) + 1).tolist(), len(days)]
    for start, end in pairwise(starts):
        yield _date(int(days[start])), batch.slice(start, end - start)


def _date(day: int) -> date:
    try:
        return date.fromordinal(_EPOCH + day)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"column 'at' holds a day ({day} since 1970) outside of years") from error


def integers(values: array[int] | np.ndarray[Any, Any]) -> pa.Array:
    """An Arrow array over the 64-bit integers in a buffer."""
    return pa.Array.from_buffers(pa.int64(), len(values), [None, pa.py_buffer(values)])


def pack(batch: pa.RecordBatch) -> memoryview:
    """`batch` as bytes (Arrow IPC, no schema) that hold its own rows and nothing else."""
    return memoryview(_decoded(batch).serialize())


def unpack(body: bytes) -> pa.RecordBatch:
    """The rows that :func:`pack` packed, for :func:`joined`.

    A batch says how many columns it has by running out of them: one that an earlier version packed
    is read with its schema, and padded.

    Raises:
        pyarrow.ArrowException: the bytes are damaged.
    """
    packed = _read(pa.py_buffer(body))
    packed.validate(full=True)
    return padded(packed, _PACKED)


def _read(body: pa.Buffer) -> pa.RecordBatch:
    for schema in _PACKINGS[:-1]:
        try:
            return pa.ipc.read_record_batch(body, schema)
        except pa.ArrowInvalid:  # fewer columns, or damage, which the last attempt reports
            continue
    return pa.ipc.read_record_batch(body, _PACKINGS[-1])


def padded(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """`batch` with the columns of `schema` that its writer did not know, null in every row."""
    if batch.num_columns == len(schema):
        return batch
    missing = [pa.nulls(len(batch), f.type) for f in list(schema)[batch.num_columns :]]
    return pa.RecordBatch.from_arrays([*batch.columns, *missing], schema=schema)


def joined(unpacked: list[pa.RecordBatch]) -> pa.RecordBatch:
    """Unpacked rows, in one batch of our schema; dearer a batch than a row, so join many."""
    return _encoded(pa.concat_batches(unpacked))


def holds(batch: pa.RecordBatch, digests: pa.Array, by: str = "account") -> bool:
    """Whether a row of `batch` has one of `digests` in the column `by`; of an account also whether
    it names one; by `compared` whether it has anything under keys of these numbers."""
    if by == _COMPARED:
        if by not in batch.schema.names:
            return False
        return bool(pc.any(pc.is_in(batch[by].flatten().field("key"), value_set=digests)).as_py())
    columns = NAMING if by == "account" else (by,)
    return any(
        pc.any(pc.is_in(batch.column(name), value_set=digests)).as_py()
        for name in columns
        if name in batch.schema.names
    )


def without(batch: pa.RecordBatch, digests: pa.Array, by: str = "account") -> pa.RecordBatch:
    """The rows that have none of `digests` in the column `by`, in dictionaries that hold nothing of
    the rows left out. Where rows of others name one of those accounts, they name nobody any more;
    by `replayed_from` that is all that is done, and by `compared` what was made under keys of these
    numbers goes, and no row."""
    if by == _COMPARED:
        return _encoded(_decoded(_uncompared(batch, digests)))
    if by == "replayed_from":
        return _encoded(_decoded(_unnamed(batch, digests)))
    kept = batch.filter(pc.invert(pc.is_in(batch.column(by), value_set=digests)))
    return _encoded(_decoded(_unnamed(kept, digests) if by == "account" else kept))


def _unnamed(batch: pa.RecordBatch, accounts: pa.Array) -> pa.RecordBatch:
    place = batch.schema.get_field_index("replayed_from")
    named = batch.column(place)
    erased = pc.is_in(named, value_set=accounts)
    named = pc.replace_with_mask(named, erased, pa.scalar(None, named.type))  # zeroes what is null
    return batch.set_column(place, batch.schema.field(place), named)


def _uncompared(batch: pa.RecordBatch, keys: pa.Array) -> pa.RecordBatch:
    place = batch.schema.get_field_index(_COMPARED)
    field, column = batch.schema.field(place), batch.column(place)
    entries = column.flatten()
    left = pc.invert(pc.is_in(entries.field("key"), value_set=keys))
    owners = np.from_dlpack(pc.list_parent_indices(column).filter(left))
    counts = np.bincount(owners, minlength=len(batch))
    ends = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    made = pa.ListArray.from_arrays(
        pa.array(ends), entries.filter(left), type=field.type, mask=pa.array(counts == 0)
    )
    return batch.set_column(place, field, made)


def _decoded(batch: pa.RecordBatch) -> pa.RecordBatch:
    columns = [
        c.dictionary_decode() if pa.types.is_dictionary(c.type) else c for c in batch.columns
    ]
    return pa.RecordBatch.from_arrays(columns, schema=_PACKED)


def _encoded(batch: pa.RecordBatch) -> pa.RecordBatch:
    columns = [
        c.dictionary_encode() if pa.types.is_dictionary(f.type) else c
        for f, c in zip(SCHEMA, batch.columns, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)
