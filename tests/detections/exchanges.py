"""Hand-made exchanges: rows of the schema, stages run over them, and groups made of them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.expr.types import Table

from stillwatch.detections import (
    HITS,
    ROW_COLUMNS,
    Detection,
    Evidence,
    Findings,
    Group,
    Rows,
    joined_hits,
)
from stillwatch.engines import Engine, Stage, run_stages
from stillwatch.exchange import SCHEMA

HOUR = 3_600_000_000  # µs
DAY = 24 * HOUR
START = 1_772_409_600_000_000  # Monday, 2026-03-02

_REQUIRED = {
    "words": 20, "turns": 1, "chars": 120, "script": 1, "topic": -1, "code_share": 0.0,
    "shape": 0, "asks": 0, "cells": [], "shingles": [],
}  # fmt: skip
_requests = count(1)

Row = dict[str, Any]


def exchange(account: int, at: int = START, **columns: Any) -> Row:
    """One row; what is not given is null, and text that is not described is like no other."""
    request = next(_requests) * 2
    return {"account": account, "at": at, "request": request, "content": request} | (
        _REQUIRED | columns
    )


def arrow(rows: Iterable[Row]) -> pa.Table:
    """The rows as a table of the schema."""
    rows = list(rows)
    return pa.Table.from_arrays(
        [pa.array([row.get(f.name) for row in rows], f.type) for f in SCHEMA], schema=SCHEMA
    )


class Log:
    """A log on disk, by day, and the stages of some detections run over it (`Tables`)."""

    def __init__(
        self, rows: Sequence[Row], folder: Path, *, engine: str = "duckdb", sampling: int = 1,
        hits: pa.Table | None = None,
    ) -> None:  # fmt: skip
        self.engine = Engine(engine, folder)
        self.sampling = sampling
        self.exchanges = len(rows)
        self.population = len({row["account"] for row in rows})
        self.reference_until = None
        self.hits = hits
        self._folder = folder
        folder.mkdir(exist_ok=True)
        by_day: dict[dt.date, list[Row]] = defaultdict(list)
        for row in rows:
            by_day[dt.date(1970, 1, 1) + dt.timedelta(microseconds=row["at"])].append(row)
        self._days = {}
        for day, some in sorted(by_day.items()) or [(dt.date(2026, 3, 2), [])]:
            self._days[day] = [folder / f"{day}.parquet"]
            pq.write_table(arrow(some), self._days[day][0])
        files = [file for files in self._days.values() for file in files]
        self._tables = {"exchanges": self.engine.read(files)}

    def __getitem__(self, name: str) -> Table:
        return self._tables[name]

    def run(self, stages: Iterable[Stage]) -> None:
        """Run the stages and keep their tables; those that have run before stay as they are."""
        wanted = {stage.name: stage for stage in stages}
        if not wanted.keys() <= self._tables.keys():
            made = run_stages(self.engine, list(wanted.values()), self._days, self._folder)
            self._tables |= made.tables

    def find(self, detection: Detection) -> Findings:
        """What `detection` finds in the log. Raises Abstained."""
        self.run(detection.stages(self.sampling))
        return detection.find(self)

    def rows(self, name: str) -> list[tuple[Any, ...]]:
        """A stage's rows in an order of their own, to compare engines."""
        table = self.engine.collect(self._tables[name])
        columns = [table[column].to_pylist() for column in sorted(table.column_names)]
        return sorted(zip(*columns, strict=True), key=repr)


def hit(row: Row, indicator: int = 1, **columns: Any) -> Row:
    """That an exchange meets an indicator of one sender; what is not given is usual."""
    usual = {
        "effort": 7, "wording": False, "claimed": 99, "rate": None, "senders": 1,
        "account": row["account"], "request": row["request"], "at": row["at"],
        "indicator": indicator,
    }  # fmt: skip
    return usual | columns


def hits_of(rows: Iterable[Row]) -> pa.Table:
    """Hits as the table that a run may have."""
    rows = list(rows)
    columns = [pa.array([row[f.name] for row in rows], f.type) for f in HITS]
    return joined_hits([pa.Table.from_arrays(columns, schema=HITS)])


def group(
    rows: Sequence[Row], members: Iterable[int], styled: Callable[[Row], bool] = lambda row: False
) -> Group:
    """The accounts `members` beside all others; `styled` says which rows carry the shared style."""
    members = set(members)
    carrying = np.array([row["request"] for row in rows if styled(row)], dtype=np.int64)

    def part(inside: bool) -> Rows:
        chosen = [row for row in rows if (row["account"] in members) == inside]
        return Rows(arrow(chosen).select(ROW_COLUMNS))

    ours, theirs = part(inside=True), part(inside=False)
    marked = np.isin(ours.ints("request"), carrying)
    return Group(
        rows=ours,
        styled=marked,
        style=np.where(marked, 0, -1).astype(np.int64),
        others=theirs,
        others_styled=np.isin(theirs.ints("request"), carrying),
        population=len({row["account"] for row in rows}),
        links={},
    )


def judged(
    detection: Detection,
    rows: Sequence[Row],
    folder: Path,
    members: Iterable[int],
    styled: Callable[[Row], bool] = lambda row: False,
) -> list[Evidence]:
    """Find in the log, then judge the group of `members` in it."""
    Log(rows, folder).find(detection)
    return list(detection.judge(group(rows, members, styled)))
