"""What of an exchange may be compared with what others told, under keys that they hold, too.

:mod:`stillwatch.intel` knows whose keys those are, and which identifiers may be digested; this room
makes the column, and reads it again. Forms are kept with the exchange, so that what is told next
week meets what was recorded today.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from stillwatch.exchange import SCHEMA, RawExchange
from stillwatch.sketches.batch import Cells
from stillwatch.sketches.key import SketchKey

__all__ = [
    "COLUMN",
    "Comparable",
    "Forms",
    "compared",
    "forms_under",
    "kept_under",
]

Ints: TypeAlias = NDArray[np.int64]
Offsets: TypeAlias = NDArray[np.int32]

COLUMN = "compared"
_TYPE = SCHEMA.field(COLUMN).type
_FORM = _TYPE.value_type


class Comparable(Protocol):
    """A key of others, as this room needs it."""

    @property
    def number(self) -> int:
        """The 64 bits that name the key: never the secret."""
        ...

    @property
    def cells(self) -> SketchKey:
        """The key of style cells that others can compare."""
        ...

    def digests(self, rows: Sequence[RawExchange]) -> tuple[Ints, Offsets]:
        """Digests of identifiers, 64 bits each, ascending in each row: flat, and where each row
        begins. Values that a holder of the key could find by trying have none."""
        ...


class Forms(NamedTuple):
    """Forms of exchanges under one key; lists are flat values with offsets.

    Attributes:
        rows: the exchanges that have any, by their place in the batch, ascending.
    """

    rows: Ints
    digests: Ints
    digest_offsets: Offsets
    cells: Ints
    cell_offsets: Offsets


def compared(
    keys: Sequence[Comparable], rows: Sequence[RawExchange], cells: Sequence[Cells]
) -> pa.Array:
    """The column of `rows`: an entry for each key, also where there is nothing to compare.

    Args:
        cells: their style cells under each key.
    """
    if not keys:
        return pa.nulls(len(rows), _TYPE)
    entries = [
        pa.StructArray.from_arrays(
            [
                pa.array(np.full(len(rows), key.number, np.int64)),
                *(
                    pa.ListArray.from_arrays(pa.array(ends), pa.array(flat))
                    for flat, ends in (key.digests(rows), made)
                ),
            ],
            fields=list(_FORM),
        )
        for key, made in zip(keys, cells, strict=True)
    ]
    flat = entries[0]
    if len(keys) > 1:  # those of a row stand side by side
        order = np.arange(len(keys) * len(rows)).reshape(len(keys), len(rows)).T.ravel()
        flat = pa.concat_arrays(entries).take(pa.array(order))
    ends = np.arange(0, len(flat) + 1, len(keys), dtype=np.int32)
    return pa.ListArray.from_arrays(pa.array(ends), flat, type=_TYPE)


def forms_under(column: pa.Array, number: int) -> Forms:
    """The forms in a column that were made under the key of that number."""
    owners = pc.list_parent_indices(column).to_numpy()
    entries = column.flatten()
    own = np.flatnonzero(entries.field("key").to_numpy() == number)
    lists = [entries.field(name).take(pa.array(own)) for name in ("digests", "cells")]
    (digests, digest_ends), (cells, cell_ends) = (
        (each.values.to_numpy(), each.offsets.to_numpy()) for each in lists
    )
    return Forms(owners[own], digests, digest_ends, cells, cell_ends)


def kept_under(column: pa.Array, numbers: Sequence[int]) -> int:
    """How many rows have forms under any of the keys of those numbers."""
    owners = pc.list_parent_indices(column).to_numpy()
    named = pc.is_in(column.flatten().field("key"), value_set=pa.array(numbers, pa.int64()))
    return len(np.unique(owners[named.to_numpy(zero_copy_only=False)]))
