"""Exchanges that meet indicators: found in a batch, as the table of hits that a scan reads."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from stillwatch.detections import HITS
from stillwatch.exchange import RawExchange
from stillwatch.intel.identifiers import identifiers
from stillwatch.intel.matching.sets import Entry, IndicatorSet, Ints
from stillwatch.sketches.batch import Engine
from stillwatch.sketches.texts import new_texts

__all__ = ["IndicatorMeeting", "Met"]


class Met(NamedTuple):
    """Which exchange of a batch meets which entry of the set: one of each a pair."""

    exchange: Ints
    entry: Ints


class IndicatorMeeting:
    """Looks for the indicators of some sets in exchanges; one set a community key.

    Implements :class:`stillwatch.detections.Meeting`. Serves one thread at a time.
    """

    def __init__(self, sets: Sequence[IndicatorSet]) -> None:
        self.sets = tuple(sets)
        self._engines = [
            Engine(each.key.sketch_key()) if each.has_wordings else None for each in self.sets
        ]
        self._columns = [_columns(each.entries) for each in self.sets]

    def look(self, rows: Sequence[RawExchange]) -> list[Met]:
        """For each set, which of `rows` meets which of its entries; by exchange and entry."""
        fields = {field for each in self.sets for field in each.fields}
        named = [identifiers(row) for row in rows] if fields else []
        values = {field: [each.get(field) for each in named] for field in fields}
        worded = any(self._engines)
        texts = new_texts(rows) if worded else []
        found = []
        for indicators, engine in zip(self.sets, self._engines, strict=True):
            exchanges, entries = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
            for field in indicators.fields:
                met = indicators.meets(field, values[field])
                exchanges.append(np.flatnonzero(met >= 0))
                entries.append(met[met >= 0])
            if engine is not None and rows:
                made = engine.sketch(texts)
                exchange, entry = indicators.worded(made.cells, made.cell_offsets)
                exchanges.append(exchange)
                entries.append(entry)
            exchange, entry = np.concatenate(exchanges), np.concatenate(entries)
            order = np.lexsort((entry, exchange))
            found.append(Met(exchange[order], entry[order]))
        return found

    def meet(self, rows: Sequence[RawExchange], sketched: pa.RecordBatch) -> pa.Table:
        """The hits of a batch, a table of :data:`stillwatch.detections.HITS`."""
        parts = []
        for met, columns in zip(self.look(rows), self._columns, strict=True):
            if not len(met.entry):
                continue
            # an entry that senders told of several efforts is a hit in each
            times = columns.last[met.entry] - columns.first[met.entry]
            begin = np.repeat(columns.first[met.entry], times)
            efforts = begin + np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
            entry = np.repeat(met.entry, times)
            told = columns.told.take(pa.array(entry))
            taken = sketched.select(["account", "request", "at"]).take(
                pa.array(np.repeat(met.exchange, times))
            )
            by_name = {
                **{name: taken[name] for name in ("account", "request", "at")},
                **{name: told[name] for name in told.column_names},
                "effort": pa.array(columns.efforts[efforts]),
            }
            parts.append(
                pa.table([by_name[field.name].cast(field.type) for field in HITS], schema=HITS)
            )
        return pa.concat_tables([HITS.empty_table(), *parts])


class _Columns(NamedTuple):
    """What the hits say of each entry; its efforts are ``efforts[first:last]``."""

    told: pa.RecordBatch
    efforts: Ints
    first: Ints
    last: Ints


def _columns(entries: Sequence[Entry]) -> _Columns:
    efforts = [
        sorted({_number(f"{each.sender} {each.campaign or each.id}") for each in entry.told})
        for entry in entries
    ]
    sizes = np.array([len(each) for each in efforts], np.int64)
    last = np.cumsum(sizes)
    return _Columns(
        pa.RecordBatch.from_pydict(
            {
                "indicator": pa.array([_number(each.name) for each in entries], pa.int64()),
                "wording": pa.array([each.is_wording for each in entries], pa.bool_()),
                "claimed": pa.array([each.claimed for each in entries], pa.int64()),
                "rate": pa.array([each.rate for each in entries], pa.float64()),
                "senders": pa.array([len(each.senders) for each in entries], pa.int32()),
            }
        ),
        np.array([number for some in efforts for number in some], np.int64),
        last - sizes,
        last,
    )


def _number(name: str) -> int:
    """A signed number of 64 bits for a name, the same everywhere."""
    digest = blake2b(name.encode(), digest_size=8, person=b"intel.hits").digest()
    return int.from_bytes(digest, "little", signed=True)
