"""Named stages of Ibis tables: date-partitioned, resumable, each inspectable as a Parquet file.

A stage is a function from the tables it reads to the table it makes. A daily stage runs once a
day and reads the day's part of daily inputs; any other stage runs once and reads all days. The
result of a stage is kept under a fingerprint of its expression and of its inputs' fingerprints,
so a second run computes only what is new: a killed run goes on where it stopped.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import ibis
from ibis.expr.types import Table

from stillwatch.engines.engine import Engine

__all__ = ["Stage", "StageRun", "run_stages"]

Days = Mapping[dt.date, Sequence[Path]]
Build = Callable[[Mapping[str, Table]], Table]


@dataclass(frozen=True)
class Stage:
    """One named table. `build` gets the tables named in `reads` and returns the stage's own."""

    name: str
    build: Build
    reads: tuple[str, ...] = ("exchanges",)
    daily: bool = False


@dataclass
class StageRun:
    """What :func:`run_stages` did: the tables by name, and what each stage cost.

    ``seconds`` counts only what was computed in this run; ``reused`` the files that were not.
    """

    tables: dict[str, Table] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    reused: int = 0


@dataclass(frozen=True)
class _Made:
    """The files of one stage, or of an input: one a day, or one for all days."""

    files: Mapping[dt.date | None, Sequence[Path]]
    prints: Mapping[dt.date | None, str]

    @property
    def daily(self) -> bool:
        return None not in self.files


def run_stages(
    engine: Engine,
    stages: Iterable[Stage],
    days: Days,
    work: Path,
    *,
    constants: Mapping[str, Path] | None = None,
    report: Callable[[str], None] | None = None,
    tidy: bool = False,
) -> StageRun:
    """Run `stages` in order over the exchanges of `days`.

    Args:
        days: the Parquet files of exchanges, by UTC day; the input called ``exchanges``.
        work: where results are kept, ``<stage>/<day or all>.<fingerprint>.parquet``.
        constants: further inputs, each one Parquet file that holds for all days.
        report: called with the name of each stage before it runs.
        tidy: results in `work` that this run has no use for are removed: those of days that are
            gone, and of inputs and expressions that have changed.

    Raises:
        KeyError: a stage reads a table that no earlier stage makes.
        StorageError: a result could not be written.
    """
    made = {"exchanges": _input(days.items())}
    for name, file in (constants or {}).items():
        made[name] = _input([(None, [file])])
    run = StageRun()
    for stage in stages:
        if report is not None:
            report(stage.name)
        started = time.perf_counter()
        inputs = {name: made[name] for name in stage.reads}
        spans: Iterable[dt.date | None] = sorted(days) if stage.daily else [None]
        files: dict[dt.date | None, Sequence[Path]] = {}
        prints: dict[dt.date | None, str] = {}
        for span in spans:
            file, print_, fresh = _run(engine, stage, span, inputs, work)
            files[span], prints[span] = [file], print_
            run.reused += not fresh
        made[stage.name] = _Made(files, prints)
        run.seconds[stage.name] = time.perf_counter() - started
    for stage in stages:
        run.tables[stage.name] = engine.read(_all(made[stage.name].files.values()))
    if tidy:
        used = {file for each in made.values() for file in _all(each.files.values())}
        for file in work.glob("*/*"):
            if file not in used:
                file.unlink()
    return run


def _input(parts: Iterable[tuple[dt.date | None, Sequence[Path]]]) -> _Made:
    files = dict(parts)
    return _Made(files, {part: _print_files(some) for part, some in files.items()})


def _run(
    engine: Engine, stage: Stage, span: dt.date | None, inputs: Mapping[str, _Made], work: Path
) -> tuple[Path, str, bool]:
    tables: dict[str, Table] = {}
    hashed = hashlib.sha256()
    for name, made in inputs.items():
        part = span if span is not None and made.daily else None
        chosen = [made.files[part]] if part is not None else list(made.files.values())
        prints = [made.prints[part]] if part is not None else sorted(made.prints.values())
        tables[name] = engine.read(_all(chosen))
        hashed.update(f"{name}={','.join(prints)};".encode())
    unbound = {name: ibis.table(table.schema(), name=name) for name, table in tables.items()}
    hashed.update(repr(stage.build(unbound)).encode())
    print_ = hashed.hexdigest()[:24]
    file = work / stage.name / f"{span or 'all'}.{print_}.parquet"
    if file.exists():
        return file, print_, False
    engine.write(stage.build(tables), file)
    return file, print_, True


def _all(parts: Iterable[Sequence[Path]]) -> list[Path]:
    return [file for part in parts for file in part]


def _print_files(files: Sequence[Path]) -> str:
    """A fingerprint of files that never change once written: names, sizes, times of writing."""
    stats = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return hashlib.sha256(repr(stats).encode()).hexdigest()[:24]
