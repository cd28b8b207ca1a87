"""`stillwatch bench detection`."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table as Shown

from stillwatch.cli.progress import open_progress
from stillwatch.cli.summary import open_console
from stillwatch.lab.bench import SIZES, Command, Detector, Own, Plan, choose, grid_table, run_bench
from stillwatch.lab.bench.baselines import BASELINES
from stillwatch.lab.bench.figures import Run
from stillwatch.lab.bench.guard import complaints
from stillwatch.lab.bench.report import write_report
from stillwatch.lab.bench.tables import (
    Table,
    brief_table,
    confounder_table,
    leak_table,
    promise_lines,
    reasons,
    recall_caveat,
)

__all__ = ["command"]

#: how this project's own detector is called with --detector
OWN = "own"


@click.group()
def command() -> None:
    """Measure detectors on simulated traffic with hidden campaigns."""


def _seeds(_: click.Context, __: click.Parameter, text: str) -> tuple[int, ...]:
    """``1000-1019``, ``1,2,5``, or both."""
    found: list[int] = []
    try:
        for part in text.split(","):
            first, dash, last = part.partition("-")
            found += range(int(first), int(last) + 1) if dash else [int(first)]
    except ValueError:
        raise click.BadParameter("write seeds as 1000-1019 or 1,2,5") from None
    if not found:
        raise click.BadParameter("there is no seed in it")
    return tuple(dict.fromkeys(found))


@command.command()
@click.option(
    "--detector",
    "detectors",
    multiple=True,
    metavar="CMD",
    default=(OWN,),
    help="Run as 'CMD LOG --out DIR'; {reference} in it is the log of an earlier period. "
    "'NAME = CMD' names it in tables. May be repeated; "
    f"'{OWN}' is this project's, and the default.",
)
@click.option(
    "--size",
    type=click.Choice(list(SIZES)),
    default="smoke",
    show_default=True,
    help="How many accounts, and which cells; leak is ten days, to time the first report.",
)
@click.option(
    "--seeds",
    callback=_seeds,
    default="1",
    show_default=True,
    metavar="SEEDS",
    help="As 1000-1019 or 1,2,5. Tune below 1000, report from 1000.",
)
@click.option("--cells", default="", metavar="A,B", help="Only these cells; see --list.")
@click.option("--list", "listed", is_flag=True, help="Show the cells of the size and stop.")
@click.option(
    "--out",
    "-o",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("out/bench-detection"),
    show_default=True,
    metavar="DIR",
    help="Folder for results, worlds and the report; results in it are not computed again.",
)
@click.option(
    "--alpha",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.05,
    show_default=True,
    help="The promise that is held against the results.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    default=1_800.0,
    show_default=True,
    metavar="S",
    help="Seconds after which a run of CMD is ended and counts as failed.",
)
@click.option("--processes", type=click.IntRange(1), default=2, show_default=True)
@click.option("--keep-worlds", is_flag=True, help="Leave simulated logs there for the next run.")
@click.option("--baselines", is_flag=True, help="Run six simpler detectors too.")
@click.option("--retry", is_flag=True, help="Run again what gave no result.")
@click.option("--guard", is_flag=True, help="Exit with 1 below the floors of CI (smoke size).")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
def detection(
    detectors: tuple[str, ...],
    size: str,
    seeds: tuple[int, ...],
    cells: str,
    listed: bool,
    out: Path,
    alpha: float,
    timeout: float,
    processes: int,
    keep_worlds: bool,
    baselines: bool,
    retry: bool,
    guard: bool,
    quiet: bool,
) -> int:
    """Hide campaigns in a grid of cells, run detectors, say what they found and whom they accused.

    \b
    Examples:
      stillwatch bench detection
      stillwatch bench detection --size full --seeds 1000-1019
      stillwatch bench detection --detector 'mine = ./mine.py --fdr 0.05' --detector own
    """
    chosen = choose(SIZES[size].cells, [name for name in cells.split(",") if name])
    console = open_console()
    if listed:
        _print(Table(*grid_table(chosen)), console)
        return 0
    plan = Plan(
        size=SIZES[size],
        cells=chosen,
        seeds=seeds,
        detectors=[
            *(_detector(each, timeout) for each in dict.fromkeys(detectors)),
            *(BASELINES if baselines else ()),
        ],
        out=out,
        processes=processes,
        keep=keep_worlds,
        retry=retry,
    )
    with open_progress(quiet=quiet) as progress:
        results = run_bench(plan, progress)
    said = f"stillwatch {shlex.join(sys.argv[1:])}"
    runs = write_report(out, said, plan.size, chosen, results, alpha)
    for run in runs:
        _print_run(run, console)
    leaks = leak_table(results)
    if leaks.rows:
        _print(leaks, console)
    console.print(f"report: {out / 'report.md'}", highlight=False, markup=False, soft_wrap=True)
    below = [line for run in runs for line in complaints(run)] if guard else []
    for line in below:
        console.print(f"below the guard: {line}", highlight=False, markup=False)
    return 1 if below else 0


def _detector(words: str, timeout: float) -> Detector:
    return Own() if words == OWN else Command(words, timeout=timeout)


def _print_run(run: Run, console: Console) -> None:
    console.print(run.detector, style="bold", highlight=False, markup=False)
    _print(brief_table(run), console)
    _print(confounder_table(run), console)
    for line in [*promise_lines(run), recall_caveat(run)]:
        if line:
            console.print(line, highlight=False, markup=False)
    for line in reasons(run):
        console.print(f"no result: {line}", highlight=False, markup=False)
    console.print()


def _print(table: Table, console: Console) -> None:
    shown = Shown(box=None, pad_edge=False, header_style="bold")
    for number, head in enumerate(table.heads):
        shown.add_column(head, justify="left" if number == 0 else "right", no_wrap=True)
    for row in table.rows:
        shown.add_row(*row)
    console.print(shown)
    console.print()
