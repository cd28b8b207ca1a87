"""`stillwatch demo`: two simulated days with hidden campaigns, scanned."""

from __future__ import annotations

import time
from pathlib import Path

import click
from rich.table import Table

from stillwatch.cli.progress import open_progress
from stillwatch.cli.summary import open_console, print_summary
from stillwatch.lab.demo import demonstrate

__all__ = ["command"]


@click.command()
@click.option(
    "--out",
    "-o",
    type=click.Path(path_type=Path),
    default=Path("demo-out"),
    show_default=True,
    metavar="DIR",
    help="Folder for log, labels and report.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=1,
    show_default=True,
    help="Makes everything: texts, accounts, times, campaigns.",
)
@click.option("--force", is_flag=True, help="Replace DIR if it holds something.")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
def command(out: Path, seed: int, force: bool, quiet: bool) -> int:
    """Hide two campaigns in two days of simulated traffic and look for them.

    Some prompts are real, others composed; arrival times follow production traces; accounts and
    their infrastructure are simulated. Prints what was hidden beside what was found. Exits with 0
    when every hidden campaign was found, with 1 otherwise.
    """
    console = open_console()
    started = time.monotonic()
    with open_progress(quiet=quiet) as progress:
        shown = demonstrate(out, seed=seed, force=force, progress=progress)
    score = shown.score
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("hidden (simulated)", "accounts", "exchanges", "of traffic", "found as"):
        table.add_column(name, no_wrap=True)
    table.add_column("accounts named", justify="right")
    table.add_column("innocents named", justify="right")
    for each in score.hidden:
        table.add_row(
            each.campaign,
            f"{each.accounts:,}",
            f"{each.exchanges:,}",
            f"{each.share:.2%}",
            each.found or "missed",
            f"{each.named:,} ({each.recall:.0%})",
            f"{each.accused:,}",
        )
    console.print(table)
    for name in score.false_campaigns:
        console.print(f"{name} matches nothing that was hidden: a false alarm")
    console.print()
    print_summary(shown.report, out / "report", console)
    console.print(f"{time.monotonic() - started:.0f} s in all", highlight=False)
    return 0 if all(each.found for each in score.hidden) else 1
