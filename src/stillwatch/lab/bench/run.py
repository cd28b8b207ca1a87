"""Runs detectors on the cells of a size, seed by seed; see ``docs/bench.md``."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from stillwatch.campaigns.progress import Progress, Silent
from stillwatch.lab.bench.adaptive import played
from stillwatch.lab.bench.cell import Cell
from stillwatch.lab.bench.detector import Detector, DetectorError, Periods
from stillwatch.lab.bench.leak import Leaked, leaked_before
from stillwatch.lab.bench.results import Result, Results, design_of
from stillwatch.lab.bench.scored import named_accounts, score_run
from stillwatch.lab.bench.sizes import Size
from stillwatch.lab.bench.view import View
from stillwatch.lab.bench.workers import Tell, spread

__all__ = ["Plan", "results_file", "run_bench", "run_cell"]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to be run.

    Attributes:
        cells: some of those of `size`.
        out: where results, worlds and reports go.
        keep: leave worlds on the disk, for the next run over the same seeds.
        retry: run again what gave no result.
    """

    size: Size
    cells: Sequence[Cell]
    seeds: Sequence[int]
    detectors: Sequence[Detector]
    out: Path
    processes: int = 2
    keep: bool = False
    retry: bool = False


@dataclass(frozen=True)
class _Task:
    """What has no result yet for one seed: its cells share worlds."""

    plan: Plan
    work: Path
    seed: int
    pairs: tuple[tuple[Detector, Cell], ...]


def results_file(out: Path) -> Path:
    """Where the results of a benchmark in `out` are."""
    return out / "results.jsonl"


def run_bench(plan: Plan, progress: Progress) -> list[Result]:
    """Run what has no result yet; all results of the plan, in its order.

    Raises:
        StillwatchError: a world could not be made; what was found before is kept.
    """
    results = Results(results_file(plan.out))
    known = {result.key for result in results.read() if result.scored is not None or not plan.retry}
    plan.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=plan.out, prefix="runs-") as work:
        tasks = list(_tasks(plan, Path(work), known))
        runs = sum(len(task.pairs) for task in tasks)
        there = len(plan.cells) * len(plan.seeds) * len(plan.detectors) - runs
        if there:
            progress.note(f"{there:,} results are there already")
        progress.step("runs", runs)
        if plan.processes == 1 or len(tasks) <= 1:
            for task in tasks:
                _run_task(task, lambda told: _show(told, progress))
        else:
            for told in spread(_run_task, tasks, plan.processes):
                _show(told, progress)
    wanted = [_key(plan, each, cell, seed)
              for each in plan.detectors for cell in plan.cells for seed in plan.seeds]  # fmt: skip
    found = {result.key: result for result in results.read()}
    return [found[key] for key in wanted if key in found]


def _show(told: object, progress: Progress) -> None:
    """Pass on what a worker tells: a result, or a note."""
    if isinstance(told, Result):
        _tell(told, progress)
    else:
        progress.note(str(told))


def _tasks(plan: Plan, work: Path, known: set[tuple[str, str, str, int, str]]) -> Iterator[_Task]:
    for seed in plan.seeds:
        pairs = tuple(
            (detector, cell)
            for cell in sorted(plan.cells, key=lambda cell: cell.period)
            for detector in plan.detectors
            if _key(plan, detector, cell, seed) not in known
        )
        if pairs:
            yield _Task(plan, work, seed, pairs)


def _key(plan: Plan, detector: Detector, cell: Cell, seed: int) -> tuple[str, str, str, int, str]:
    size = plan.size
    design = design_of(cell, size.name, size.accounts, size.days)
    return detector.name, size.name, cell.name, seed, design


class _Notes(Silent):
    """Passes notes on, and leaves steps to whoever counts the runs."""

    def __init__(self, tell: Tell) -> None:
        self._told = tell

    def note(self, text: str) -> None:
        self._told(text)


def _run_task(task: _Task, tell: Tell) -> None:
    """Every result is on the disk before it is told."""
    plan = task.plan
    results = Results(results_file(plan.out))
    periods = Periods(plan.out / "worlds", plan.size, task.seed, _Notes(tell))
    for detector, cell in task.pairs:
        result = run_cell(detector, cell, periods, task.work)
        results.append(result)
        tell(result)
    if not plan.keep:
        periods.remove()


def run_cell(detector: Detector, cell: Cell, periods: Periods, work: Path) -> Result:
    """Run `detector` on `cell`. Whatever goes wrong with it is a result too.

    Args:
        work: a folder for what is only needed meanwhile.

    Raises:
        StillwatchError: a period could not be made, or the disk is full.
    """
    size, world = periods.size, periods.world(cell.period)
    design = design_of(cell, size.name, size.accounts, size.days)
    about = {
        "detector": detector.name,
        "size": size.name,
        "cell": cell.name,
        "seed": world.seed,
        "design": design,
    }
    rounds: tuple[int, ...] = ()
    leaked: Leaked | None = None
    try:
        with tempfile.TemporaryDirectory(dir=work) as place:
            looks = _Looks(detector, Path(place), periods)
            if cell.active is not None:
                leaked = leaked_before(cell, world, looks.reports)
            if cell.adaptive:
                view, rounds = played(cell, world, looks.named)
            elif cell.tier is None:
                view = View(world)
            else:
                view = View(world, {cell.name: range(world.parts)})
            out = Path(place) / "out"
            spent = detector.run(view, out, periods)
            truth = view.truth()
            scored = score_run(out, truth)
    except DetectorError as error:
        return Result(**about, reason=str(error) or type(error).__name__)  # type: ignore[arg-type]
    return Result(
        **about,  # type: ignore[arg-type]
        scored=scored,
        rounds=rounds,
        leaked=None if leaked is None else leaked.exchanges,
        hours=None if leaked is None else leaked.hours,
        exchanges=view.rows(),
        accounts=len(truth.guilty) + len(truth.innocents),
        days=world.scenario.days,
        seconds=spent.seconds,
        processor=spent.processor,
        state=spent.state,
    )


class _Looks:
    """Runs the detector on the log so far."""

    def __init__(self, detector: Detector, place: Path, periods: Periods) -> None:
        self._detector, self._place, self._periods = detector, place, periods
        self._looks = 0

    def named(self, view: View) -> frozenset[str]:
        """Everybody who is a member of a reported campaign."""
        return named_accounts(self._look(view))

    def reports(self, view: View) -> bool:
        """Whether the hidden campaign is reported."""
        return bool(score_run(self._look(view), view.truth()).found)

    def _look(self, view: View) -> Path:
        self._looks += 1
        out = self._place / f"look-{self._looks}"
        self._detector.run(view, out, self._periods)
        return out


def _tell(result: Result, progress: Progress) -> None:
    progress.advance(1)
    head = f"{result.detector}, {result.cell}, seed {result.seed}: "
    scored = result.scored
    if scored is None:
        progress.note(f"{head}no result: {result.reason}")
        return
    words = [f"{scored.reported} reported"]
    if scored.found is not None:
        words.append("found" if scored.found else "missed")
        words.append(f"{scored.named:,} of {scored.attackers:,} accounts")
    if result.leaked is not None:
        words.append(f"{result.leaked:,} leaked")
    words.append(f"{scored.wrong:,} innocents, {scored.false} false")
    progress.note(f"{head}{', '.join(words)} ({result.seconds:.0f} s)")
