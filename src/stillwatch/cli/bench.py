"""`stillwatch bench detection`."""

from __future__ import annotations

from pathlib import Path

import click
from rich.table import Table

from stillwatch.cli.progress import open_progress
from stillwatch.cli.summary import open_console
from stillwatch.lab.bench import SIZES, Own, Plan, Result, choose, grid_table, run_bench

__all__ = ["command"]


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
    "--size",
    type=click.Choice(list(SIZES)),
    default="smoke",
    show_default=True,
    help="How many accounts, and which cells.",
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
    help="Folder for results, worlds and reports; results in it are not computed again.",
)
@click.option("--processes", type=click.IntRange(1), default=2, show_default=True)
@click.option("--keep-worlds", is_flag=True, help="Leave simulated logs there for the next run.")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
def detection(
    size: str,
    seeds: tuple[int, ...],
    cells: str,
    listed: bool,
    out: Path,
    processes: int,
    keep_worlds: bool,
    quiet: bool,
) -> None:
    """Find hidden campaigns in a grid of cells, and say how well that went."""
    chosen = choose(SIZES[size].cells, [name for name in cells.split(",") if name])
    if listed:
        heads, rows = grid_table(chosen)
        _print(heads, rows)
        return
    plan = Plan(
        size=SIZES[size],
        cells=chosen,
        seeds=seeds,
        detectors=(Own(),),
        out=out,
        processes=processes,
        keep=keep_worlds,
    )
    with open_progress(quiet=quiet) as progress:
        results = run_bench(plan, progress)
    _print(*_by_cell(plan, results))


def _by_cell(plan: Plan, results: list[Result]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    heads = "cell runs found accounts at_1_% at_0.1_% member_FDP campaign_FDP wrong failed".split()
    rows: list[tuple[str, ...]] = []
    for cell in plan.cells:
        ours = [each for each in results if each.cell == cell.name]
        done = [each.scored for each in ours if each.scored is not None]
        runs, hidden = len(done), cell.tier is not None and bool(done)

        def mean(values: list[float]) -> str:
            return f"{sum(values) / len(values):.1%}" if values else ""

        rows.append(
            (
                cell.name,
                f"{runs}",
                f"{sum(bool(s.found) for s in done)}/{runs}" if hidden else "",
                mean([s.named / max(1, s.attackers) for s in done]) if hidden else "",
                mean([s.above_1 / max(1, s.attackers) for s in done]) if hidden else "",
                mean([s.above_01 / max(1, s.attackers) for s in done]) if hidden else "",
                mean([s.wrong / max(1, s.members) for s in done]),
                mean([s.false / max(1, s.reported) for s in done]),
                f"{sum(s.wrong for s in done):,}",
                f"{len(ours) - runs}" if len(ours) > runs else "",
            )
        )
    return tuple(each.replace("_", " ") for each in heads), rows


def _print(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, head in enumerate(heads):
        table.add_column(head, justify="left" if number == 0 else "right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    open_console().print(table)
