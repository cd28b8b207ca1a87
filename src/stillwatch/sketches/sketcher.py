"""Raw exchanges → rows of the exchange schema. After this, no text is left."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from msgspec.structs import astuple
from numpy.typing import NDArray

from stillwatch.exchange import SCHEMA, RawExchange
from stillwatch.sketches.batch import Engine
from stillwatch.sketches.characters import prepare
from stillwatch.sketches.key import SketchKey
from stillwatch.sketches.texts import new_text
from stillwatch.sketches.topics import TopicModel

__all__ = ["Sketcher"]

_MOST_REMEMBERED = 1 << 18
_INT32_MOST = 2**31 - 1
_DIGESTED = (
    "account", "org", "key", "end_user", "conversation", "ip", "ja4", "user_agent",
    "accept_language", "payment", "device", "email_domain",
)  # fmt: skip

_Column = Sequence[Any]


class Sketcher:
    """Sketches batches of exchanges under one key.

    A sketcher remembers the digests of identifiers that it has seen, up to a bound, and may be
    used from one thread at a time. `topics` replaces the topic model that ships.
    """

    def __init__(self, key: SketchKey, topics: TopicModel | None = None) -> None:
        self.key = key
        self._engine = Engine(key, topics)
        self._remembered: dict[str, dict[str, int]] = {}

    def sketch(self, rows: Sequence[RawExchange]) -> pa.RecordBatch:
        """One row an exchange, in the same order, with :data:`stillwatch.exchange.SCHEMA`."""
        if not rows:
            return pa.RecordBatch.from_pylist([], schema=SCHEMA)
        raw = dict(
            zip(RawExchange.__struct_fields__, zip(*map(astuple, rows), strict=True), strict=True)
        )
        texts = [text for row in rows for text in new_text(row)]
        columns: dict[str, pa.Array] = {name: self._digests(name, raw[name]) for name in _DIGESTED}
        columns |= {
            "toolset": self._digests("toolset", [_joined(tools) for tools in raw["tools"]]),
            "system": self._digests("system", texts[::2], _normalised),
            "tools": _numbers([None if t is None else len(t) for t in raw["tools"]], pa.int32()),
            "prefill": pa.array([None if p is None else p != "" for p in raw["prefill"]]),
            "turns": pa.array([1 if m is None else len(m) for m in raw["messages"]], pa.int32()),
            "chars": pa.array(
                [len(s) + len(u) for s, u in zip(texts[::2], texts[1::2], strict=True)], pa.int32()
            ),
        }
        columns |= self._sketched(texts)
        columns["request"] = self._requests(raw, columns["content"])
        columns["prefixes"] = self._prefixes(raw["messages"], raw["system"])
        columns["output_shingles"] = self._output_shingles(raw["completion"])
        return pa.RecordBatch.from_arrays(
            [
                columns[field.name] if field.name in columns else _logged(raw[field.name], field)
                for field in SCHEMA
            ],
            schema=SCHEMA,
        )

    def _sketched(self, texts: Sequence[str]) -> dict[str, pa.Array]:
        made = self._engine.sketch([prepare(text) for text in texts])
        return {
            "content": pa.array(made.content),
            "cells": pa.ListArray.from_arrays(made.cell_offsets, made.cells),
            "shingles": pa.ListArray.from_arrays(made.shingle_offsets, made.shingles),
            "topic": pa.array(made.topic),
            "words": pa.array(made.words),
            "script": pa.array(made.script),
            "shape": pa.array(made.shape),
            "asks": pa.array(made.asks),
            "code_share": pa.array(made.code_share),
        }

    def _digests(
        self, purpose: str, values: _Column, normalise: Callable[[str], str] | None = None
    ) -> pa.Array:
        """Keyed digests of identifiers; None and the empty string are unknown."""
        if not any(values):
            return pa.nulls(len(values), pa.int64())
        known = self._remembered.setdefault(purpose, {})
        if len(known) > _MOST_REMEMBERED:
            known.clear()
        digests: list[int | None] = []
        for value in values:
            if not value:
                digests.append(None)
                continue
            digest = known.get(value)
            if digest is None:
                clear = normalise(value) if normalise else value
                digest = known[value] = self.key.digest(purpose, clear)
            digests.append(digest)
        return pa.array(digests, pa.int64())

    def _requests(self, raw: Mapping[str, _Column], content: pa.Array) -> pa.Array:
        """Digests of the request ids, which are not remembered: they hardly ever repeat."""
        digest = self.key.digest
        return pa.array(
            [
                digest("request", name or f"{account}\x00{at}\x00{made}")
                for name, account, at, made in zip(
                    raw["request_id"], raw["account"], raw["at"], content.to_pylist(), strict=True
                )
            ],
            pa.int64(),
        )

    def _prefixes(self, conversations: _Column, systems: _Column) -> pa.Array:
        """The chain over role and text of each message; the ``system`` field seeds it."""
        if not any(conversations):
            return pa.nulls(len(conversations), SCHEMA.field("prefixes").type)
        texts: list[str] = []
        roles: list[int] = []
        known = self._remembered.setdefault("role", {})
        for messages in conversations:
            for message in messages or ():
                texts.append(message.content)
                role = known.get(message.role)
                if role is None:
                    role = known[message.role] = self.key.digest("role", message.role)
                roles.append(role)
        seeds = self._digests("seed", systems).fill_null(0).to_numpy().view(np.uint64)
        links, offsets = self._engine.chain(
            texts, _offsets(conversations), np.array(roles, np.int64), seeds
        )
        return _list_array(links, offsets, [messages is None for messages in conversations])

    def _output_shingles(self, completions: _Column) -> pa.Array:
        if completions.count(None) == len(completions):
            return pa.nulls(len(completions), SCHEMA.field("output_shingles").type)
        values, offsets = self._engine.shingle([prepare(text or "") for text in completions])
        return _list_array(values, offsets, [text is None for text in completions])


def _normalised(text: str) -> str:
    return " ".join(prepare(text).casefold().split())


def _joined(tools: tuple[str, ...] | None) -> str | None:
    return None if tools is None else "\n".join(tools)


def _offsets(conversations: _Column) -> NDArray[np.int64]:
    lengths = [0 if messages is None else len(messages) for messages in conversations]
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def _list_array(
    values: NDArray[np.int64], offsets: NDArray[np.int32], unknown: list[bool]
) -> pa.Array:
    mask = pa.array(unknown) if any(unknown) else None
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values), mask=mask)


def _logged(values: _Column, field: pa.Field) -> pa.Array:
    """A column that is taken over from the log."""
    if values.count(None) == len(values):
        return pa.nulls(len(values), field.type)
    if pa.types.is_dictionary(field.type):
        return _names(values)
    if pa.types.is_int32(field.type):
        return _numbers(values, field.type)
    return pa.array(values, field.type)


def _names(values: _Column) -> pa.Array:
    try:
        return pa.array(values, pa.string()).dictionary_encode()
    except UnicodeEncodeError:  # lone surrogates, which JSON can smuggle in
        clean = [v if v is None else v.encode("utf-8", "replace").decode() for v in values]
        return pa.array(clean, pa.string()).dictionary_encode()


def _numbers(values: _Column, kind: pa.DataType) -> pa.Array:
    """Counts, held within 32 bits: what is larger is as large as can be."""
    try:
        return pa.array(values, kind)
    except (OverflowError, pa.ArrowInvalid):
        clipped = [v if v is None else max(-_INT32_MOST, min(_INT32_MOST, v)) for v in values]
        return pa.array(clipped, kind)
