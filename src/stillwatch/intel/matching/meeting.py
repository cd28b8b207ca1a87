"""Exchanges that meet indicators: found in a batch, as the table of hits that a scan reads."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from stillwatch.detections import HITS
from stillwatch.exchange import RawExchange
from stillwatch.intel.compared import ComparedKey, is_guessable
from stillwatch.intel.identifiers import identifiers
from stillwatch.intel.matching.sets import Entry, IndicatorSet, Ints
from stillwatch.intel.profile.patterns import DigestPattern
from stillwatch.sketches.batch import cells_under, prepare_and_pack
from stillwatch.sketches.compared import COLUMN, Forms, forms_under
from stillwatch.sketches.texts import new_texts

__all__ = ["IndicatorMeeting", "Met"]


_NONE = np.zeros(0, np.int64)


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
        self._columns = [_columns(each.entries) for each in self.sets]

    @property
    def keys(self) -> Sequence[ComparedKey]:
        """The keys under which exchanges are compared."""
        return [each.key for each in self.sets]

    def look(self, rows: Sequence[RawExchange]) -> list[Met]:
        """For each set, which of `rows` meets which of its entries; by exchange and entry."""
        worded = [each for each in self.sets if each.has_wordings]
        cells = dict.fromkeys(self.sets, (_NONE, np.zeros(len(rows) + 1, np.int32)))
        if worded and rows:
            texts = prepare_and_pack(new_texts(rows))
            made = cells_under([each.key.cells for each in worded], texts)
            cells |= zip(worded, made, strict=True)
        every = np.arange(len(rows))
        found = []
        for each in self.sets:
            forms = Forms(every, *each.key.passing.digests(rows), *cells[each])
            found.append(_unguessable(each, _met(each, forms), rows))
        return found

    def look_at(self, column: pa.Array) -> list[Met]:
        """The same of rows that were recorded, by their column of what can be compared."""
        return [_met(each, forms_under(column, each.key.number)) for each in self.sets]

    def meet(self, recorded: pa.RecordBatch) -> pa.Table:
        """The hits of a batch, a table of :data:`stillwatch.detections.HITS`."""
        parts = []
        for met, columns in zip(self.look_at(recorded[COLUMN]), self._columns, strict=True):
            if not len(met.entry):
                continue
            # an entry that senders told of several efforts is a hit in each
            times = columns.last[met.entry] - columns.first[met.entry]
            begin = np.repeat(columns.first[met.entry], times)
            efforts = begin + np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
            entry = np.repeat(met.entry, times)
            told = columns.told.take(pa.array(entry))
            taken = recorded.select(["account", "request", "at"]).take(
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


def _unguessable(indicators: IndicatorSet, met: Met, rows: Sequence[RawExchange]) -> Met:
    """Without what is met by a value that nobody may digest; few are met, so few are checked."""
    kept = np.ones(len(met.entry), bool)
    checked: dict[tuple[int, str], bool] = {}
    for at, (row, entry) in enumerate(zip(met.exchange.tolist(), met.entry.tolist(), strict=True)):
        what = indicators.entries[entry].told[0].pattern.what
        if isinstance(what, DigestPattern):
            value = identifiers(rows[row])[what.field]
            if (entry, value) not in checked:
                checked[entry, value] = not is_guessable(what.field, value)
            kept[at] = checked[entry, value]
    return Met(met.exchange[kept], met.entry[kept])


def _met(indicators: IndicatorSet, forms: Forms) -> Met:
    found = (
        indicators.identified(forms.digests, forms.digest_offsets),
        indicators.worded(forms.cells, forms.cell_offsets),
    )
    exchange, entry = (np.concatenate(some) for some in zip(*found, strict=True))
    order = np.lexsort((entry, exchange))
    return Met(forms.rows[exchange[order]], entry[order])


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
