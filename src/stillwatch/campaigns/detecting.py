"""Event store → judged candidates: stages, findings, candidates, judgements."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from ibis.expr.types import Table

from stillwatch.campaigns.campaign import Ran
from stillwatch.campaigns.candidates import LEAST_ACCOUNTS, Candidate, find_candidates
from stillwatch.campaigns.gathering import gather, gathered_stages
from stillwatch.campaigns.judging import COUNTS, Judgement, judge
from stillwatch.campaigns.marks import union
from stillwatch.campaigns.novelty import Reference
from stillwatch.campaigns.progress import Progress
from stillwatch.campaigns.testing import GroupTests
from stillwatch.detections import (
    Abstained,
    Detection,
    Findings,
    Group,
    Infrastructure,
    Problems,
    read_accounts,
)
from stillwatch.engines import Engine, StageRun, run_stages

__all__ = ["Detected", "Sketched", "StageTables", "detect", "run_all_stages"]

Ints = npt.NDArray[np.int64]
T = TypeVar("T")

#: candidates that are judged, those with most linked accounts first
JUDGED = 400


class Sketched(Protocol):
    """Sketched exchanges by UTC day: an event store, or a part of one."""

    def rows(self) -> int: ...

    def days(self) -> Sequence[dt.date]: ...

    def parquet_files(
        self, first: dt.date | None = None, last: dt.date | None = None
    ) -> Sequence[Path]: ...


class StageTables:
    """The stage tables of one run; see :class:`stillwatch.detections.Tables`."""

    def __init__(
        self,
        engine: Engine,
        run: StageRun,
        exchanges: Table,
        *,
        sampling: int,
        reference_until: int | None = None,
        hits: pa.Table | None = None,
    ) -> None:
        self.engine = engine
        self.hits = hits
        self.seconds = dict(run.seconds)
        self.sampling = sampling
        self.reference_until = reference_until
        self._tables = {**run.tables, "exchanges": exchanges}
        days = run.tables["account_days"]
        totals = engine.collect(
            days.agg(accounts=days.account.nunique(), exchanges=days.exchanges.sum())
        ).to_pylist()[0]
        self.population = int(totals["accounts"] or 0)
        self.exchanges = int(totals["exchanges"] or 0)

    def __getitem__(self, name: str) -> Table:
        return self._tables[name]


@dataclass(frozen=True)
class Detected:
    """Findings by detection, and every candidate with its judgement, best first."""

    findings: Mapping[str, Findings]
    judged: Sequence[tuple[Candidate, Judgement]]
    ran: Sequence[Ran]
    styles: Mapping[int, Ints]
    """cells of every style, by object"""
    seconds: Mapping[str, float]
    """what each stage and step took"""
    tests: GroupTests | None = None
    """those with a promise; None where there was nothing to test"""

    def cells(self, candidate: Candidate) -> Ints:
        """The cells of all styles that `candidate` shares, ascending."""
        return _cells(candidate, self.styles)


def run_all_stages(
    engine: Engine,
    store: Sketched,
    detections: Sequence[Detection],
    work: Path,
    progress: Progress,
    *,
    sampling: int,
    reference_until: int | None = None,
    tidy: bool = False,
    hits: pa.Table | None = None,
) -> StageTables:
    """Run the stages of all `detections` over the store, each stage once."""
    stages = {stage.name: stage for stage in gathered_stages(sampling)}
    for detection in detections:
        stages |= {stage.name: stage for stage in detection.stages(sampling)}
    days: dict[dt.date, list[Path]] = {
        day: list(store.parquet_files(day, day)) for day in store.days()
    }
    progress.step("stages", len(stages))
    run = run_stages(
        engine,
        list(stages.values()),
        days,
        work,
        report=lambda _: progress.advance(1),
        tidy=tidy,
    )
    exchanges = engine.read([file for files in days.values() for file in files])
    return StageTables(
        engine, run, exchanges, sampling=sampling, reference_until=reference_until, hits=hits
    )


def detect(
    tables: StageTables,
    detections: Sequence[Detection],
    progress: Progress,
    models: Mapping[str, int],
    reference: Reference | None = None,
) -> Detected:
    """Findings → candidates → judgements; `reference` adds its word where there is one.

    `models` are those that were released while the log ran, and when.
    """
    findings: dict[str, Findings] = {}
    ran: list[Ran] = []
    progress.step("detections", len(detections))
    for detection in detections:
        started, abstained = time.perf_counter(), None
        try:
            findings[detection.metadata.name] = detection.find(tables)
        except Abstained as reason:
            abstained = str(reason)
        spent = time.perf_counter() - started
        tables.seconds[f"find {detection.metadata.name}"] = spent
        ran.append(Ran(detection.metadata, abstained, spent))
        progress.advance(1)
    began = time.perf_counter()
    candidates = find_candidates(findings, tables.population)[:JUDGED]
    styles = {each: cells for found in findings.values() for each, cells in found.styles.items()}
    if not candidates:
        return Detected(findings, [], ran, styles, tables.seconds)
    progress.step("candidates", len(candidates))
    gathered = gather(tables, candidates, styles)
    active = {each.metadata.name: each for each in detections if each.metadata.name in findings}
    tests = GroupTests(
        read_accounts(tables), _one(detections, Infrastructure), _one(detections, Problems)
    )
    judged = []
    for candidate in candidates:
        progress.advance(1)
        group = gathered.group(candidate)
        if len(group.accounts) < LEAST_ACCOUNTS or not _confirmed(candidate, group, active):
            continue
        further = (
            []
            if reference is None
            else reference.judge(_cells(candidate, styles), candidate.accounts)
        )
        parts = [(candidate, group)]
        if (part := gathered.filled(candidate, group)) is not None:
            parts.append((replace(candidate, filled=True), part))
        for whole, of_it in parts:
            judgement = judge(of_it, list(active.values()), models, further)
            judgement = replace(judgement, accounts=gathered.carrying(whole, of_it))
            if not judgement.vetoed:
                judgement = replace(judgement, e_values=tests.test(of_it))
            judged.append((whole, judgement))
    judged.sort(key=lambda pair: (-pair[1].score, pair[0].accounts.tolist()))
    tables.seconds["judging"] = time.perf_counter() - began
    return Detected(findings, judged, ran, styles, tables.seconds, tests)


def _one(detections: Sequence[Detection], kind: type[T]) -> T | None:
    return next((each for each in detections if isinstance(each, kind)), None)


def _cells(candidate: Candidate, styles: Mapping[int, Ints]) -> Ints:
    return union([styles[each] for each in candidate.links.get("echo", {}) if each in styles])


def _confirmed(candidate: Candidate, group: Group, active: Mapping[str, Detection]) -> bool:
    """Whether a detection that linked the candidate stands by it, seen as a group.

    Most links are chance; this spares the others the judgement.
    """
    return any(
        each.speaks_for and each.weight >= COUNTS
        for name in candidate.links
        for each in active[name].judge(group)
    )
