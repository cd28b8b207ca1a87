"""Raw exchanges → rows of the exchange schema. After this, no text is left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from msgspec.structs import astuple
from numpy.typing import NDArray

from stillwatch.exchange import SCHEMA, RawExchange
from stillwatch.sketches.batch import Engine, SketchColumns, prepare_and_pack
from stillwatch.sketches.compared import Comparable, compared
from stillwatch.sketches.identifiers import (
    IDENTIFIERS,
    Identifiers,
    normalised_system,
    request_digests,
)
from stillwatch.sketches.key import SketchKey
from stillwatch.sketches.texts import new_texts
from stillwatch.sketches.topics import TopicModel

__all__ = ["Sketcher"]

_Column = Sequence[Any]


class Sketcher:
    """Sketches batches of exchanges under one key; batches of some thousand rows are fastest.

    A sketcher remembers digests of identifiers, up to a bound, and serves one thread at a time.
    `topics` replaces the topic model that ships. What others can compare is made under the keys
    `compared`.
    """

    def __init__(
        self,
        key: SketchKey,
        topics: TopicModel | None = None,
        *,
        compared: Sequence[Comparable] = (),
    ) -> None:
        self.key = key
        self._compared = tuple(compared)
        self._engine = Engine(key, topics)
        self._identifiers = Identifiers(key)

    def sketch(self, rows: Sequence[RawExchange]) -> pa.RecordBatch:
        """One row an exchange, in the same order, with :data:`stillwatch.exchange.SCHEMA`."""
        if not rows:
            return pa.RecordBatch.from_pylist([], schema=SCHEMA)
        fields = zip(*map(astuple, rows), strict=True)
        raw: dict[str, _Column] = dict(zip(RawExchange.__struct_fields__, fields, strict=True))
        texts = new_texts(rows)
        packed = prepare_and_pack(texts)
        made = self._engine.sketch(packed, [key.cells for key in self._compared])
        columns = _sketched(made, texts)
        columns |= {name: self._identifiers.digest(name, raw[name]) for name in IDENTIFIERS}
        columns |= {
            "request": request_digests(
                self.key, raw["request_id"], raw["account"], raw["at"],
                columns["content"],
            ),
            "system": self._identifiers.digest("system", texts[::2], normalised_system),
            "toolset": self._toolsets(raw["tools"]),
            "tools": _unless_none(raw["tools"], pa.int32(), len),
            "prefill": _unless_none(raw["prefill"], pa.bool_(), bool),
            "turns": pa.array([1 if m is None else len(m) for m in raw["messages"]], pa.int32()),
            "prefixes": self._prefixes(raw["messages"], raw["system"]),
            "output_shingles": self._output_shingles(raw["completion"]),
            "compared": compared(self._compared, rows, made.others),
        }  # fmt: skip
        arrays = [
            columns[field.name] if field.name in columns else _logged(raw[field.name], field.type)
            for field in SCHEMA
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)

    def _toolsets(self, toolsets: _Column) -> pa.Array:
        if not any(toolsets):
            return pa.nulls(len(toolsets), pa.int64())
        names = [None if tools is None else "\n".join(tools) for tools in toolsets]
        return self._identifiers.digest("toolset", names)

    def _prefixes(self, conversations: _Column, systems: _Column) -> pa.Array:
        """The chain over role and text of each message; the ``system`` field seeds it."""
        if _all_none(conversations):
            return pa.nulls(len(conversations), SCHEMA.field("prefixes").type)
        messages = [m for conversation in conversations for m in conversation or ()]
        roles = self._identifiers.digest_each("role", [m.role for m in messages])
        seeds = self._identifiers.digest_each("seed", systems)
        links, offsets = self._engine.chain(
            [m.content for m in messages],
            np.cumsum([0, *(len(c or ()) for c in conversations)], dtype=np.int64),
            np.array([role or 0 for role in roles], np.int64),
            np.array([seed or 0 for seed in seeds], np.int64).view(np.uint64),
        )
        return _lists(links, offsets, conversations)

    def _output_shingles(self, completions: _Column) -> pa.Array:
        if _all_none(completions):
            return pa.nulls(len(completions), SCHEMA.field("output_shingles").type)
        values, offsets = self._engine.shingle([text or "" for text in completions])
        return _lists(values, offsets, completions)


def _sketched(made: SketchColumns, texts: Sequence[str]) -> dict[str, pa.Array]:
    lengths = np.fromiter(map(len, texts), np.int32, len(texts))
    return {
        "content": pa.array(made.content),
        "cells": pa.ListArray.from_arrays(made.cell_offsets, made.cells),
        "shingles": pa.ListArray.from_arrays(made.shingle_offsets, made.shingles),
        "topic": pa.array(made.topic),
        "words": pa.array(made.words),
        "chars": pa.array(lengths[::2] + lengths[1::2]),
        "script": pa.array(made.script),
        "shape": pa.array(made.shape),
        "asks": pa.array(made.asks),
        "code_share": pa.array(made.code_share),
    }


def _all_none(values: _Column) -> bool:
    return values.count(None) == len(values)


def _lists(values: NDArray[np.int64], offsets: NDArray[np.int32], source: _Column) -> pa.Array:
    """Lists, null where `source` is None."""
    mask = pa.array([value is None for value in source]) if None in source else None
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values), mask=mask)


def _unless_none(values: _Column, kind: pa.DataType, make: Callable[[Any], Any]) -> pa.Array:
    if _all_none(values):
        return pa.nulls(len(values), kind)
    return pa.array([None if value is None else make(value) for value in values], kind)


def _logged(values: _Column, kind: pa.DataType) -> pa.Array:
    """A column that is taken over from the log."""
    if _all_none(values):
        return pa.nulls(len(values), kind)
    if pa.types.is_dictionary(kind):
        return _names(values)
    if pa.types.is_integer(kind):
        return _numbers(values, kind)
    return pa.array(values, kind)


def _names(values: _Column) -> pa.Array:
    try:
        return pa.array(values, pa.string()).dictionary_encode()
    except UnicodeEncodeError:  # lone surrogates, which JSON can smuggle in
        clean = [v if v is None else v.encode("utf-8", "replace").decode() for v in values]
        return pa.array(clean, pa.string()).dictionary_encode()


def _numbers(values: _Column, kind: pa.DataType) -> pa.Array:
    """Counts, held within their bits: what is larger is as large as can be."""
    try:
        return pa.array(values, kind)
    except (OverflowError, pa.ArrowInvalid):
        most = 2 ** (kind.bit_width - 1) - 1
        return pa.array([v if v is None else max(-most, min(most, v)) for v in values], kind)
