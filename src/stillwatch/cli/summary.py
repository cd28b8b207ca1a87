"""What a scan prints at its end: a table of campaigns, and where the report is."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table

from stillwatch.campaigns import ScanReport
from stillwatch.campaigns.report import level_of

__all__ = ["open_console", "print_summary"]


def open_console() -> Console:
    """Standard output: as wide as the terminal, wide enough for a table where there is none."""
    console = Console()
    return console if console.is_terminal else Console(width=120)


def print_summary(report: ScanReport, out: Path, console: Console) -> None:
    """A row a campaign, best first; then what was read and where the report is."""
    source = report.source
    if report.campaigns:
        table = Table(title=None, box=None, pad_edge=False, header_style="bold")
        for name, justify in (
            ("campaign", "left"),
            ("accounts", "right"),
            ("exchanges", "right"),
            ("level", "right"),
            ("score", "right"),
            ("first seen", "left"),
            ("last seen", "left"),
            ("evidence", "left"),
        ):
            table.add_column(name, justify=justify, no_wrap=name != "evidence")  # type: ignore[arg-type]
        for campaign in report.campaigns:
            table.add_row(
                campaign.id,
                f"{len(campaign.members):,}",
                f"{campaign.exchanges:,}",
                level_of(campaign),
                f"{campaign.score:.1f}",
                f"{campaign.first_seen:%Y-%m-%d %H:%M}",
                f"{campaign.last_seen:%Y-%m-%d %H:%M}",
                ", ".join(campaign.families),
            )
        console.print(table)
    else:
        console.print("No campaign found.")
    console.print(
        f"Of the campaigns reported at most {report.alpha:.2%} are expected to be false "
        f"({report.tested:,} groups tested).",
        highlight=False,
    )
    for segment, reason in report.withheld:
        console.print(f"verdicts withheld: {segment}: {reason}", highlight=False, markup=False)
    if report.review:
        accounts = sum(len(each.members) for each in report.review)
        console.print(
            f"{len(report.review):,} more for review, {accounts:,} accounts: suspicious, "
            "but nothing is promised of them.",
            highlight=False,
        )
    console.print(
        f"{source.rows:,} exchanges of {source.accounts:,} accounts read, "
        f"{source.rejected:,} rows rejected, {report.considered:,} groups considered.",
        highlight=False,
    )
    for note in report.notes:
        console.print(f"note: {note}", highlight=False, markup=False)
    for ran in report.detections:
        if ran.abstained:
            console.print(
                f"abstained: {ran.metadata.name}: {ran.abstained}", highlight=False, markup=False
            )
    console.print(f"report: {out / 'report.html'}", highlight=False, markup=False, soft_wrap=True)
