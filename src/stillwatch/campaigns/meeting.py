"""Exchanges that were recorded, held against what others told since, or before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from stillwatch.detections import Meeting, joined_hits
from stillwatch.events.parts import read_part
from stillwatch.sketches.compared import COLUMN, kept_under

__all__ = ["Looked", "look_in"]

_COLUMNS = ["at", "request", "account", COLUMN]


@dataclass(frozen=True)
class Looked:
    """What was met.

    Attributes:
        hits: a table of :data:`stillwatch.detections.HITS`.
        compared: exchanges that could be held against indicators, of `rows` in all: the others
            were recorded while none of the keys was in use.
    """

    hits: pa.Table
    compared: int
    rows: int

    def remark(self) -> str:
        """What a reader must know of it; nothing where all exchanges could be compared."""
        if self.compared == self.rows:
            return ""
        return (
            f"{self.rows - self.compared:,} of {self.rows:,} exchanges were recorded without a key "
            "of this community: indicators were not looked for in them"
        )


def look_in(files: Iterable[Path], meeting: Meeting) -> Looked:
    """Hold all exchanges in some Parquet files of an event store against indicators.

    Raises:
        StoreFormatError: a file is gone, or damaged.
    """
    numbers = [key.number for key in meeting.keys]
    hits, compared, rows = [], 0, 0
    for file in files:
        for batch in read_part(file, _COLUMNS):
            rows += len(batch)
            if COLUMN in batch.schema.names:  # files of an earlier version have none
                compared += kept_under(batch[COLUMN], numbers)
                hits.append(meeting.meet(batch))
    return Looked(joined_hits(hits), compared, rows)
