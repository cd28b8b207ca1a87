"""`stillwatch simulate PRESET --out FILE --labels FILE`."""

from __future__ import annotations

import dataclasses
import os
from datetime import UTC, datetime
from pathlib import Path

import click
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from stillwatch.cli.progress import open_progress
from stillwatch.lab.corpus import load
from stillwatch.lab.traffic import PERIODS, PRESETS, Scenario, Traffic, preset, simulate
from stillwatch.sources import NativeWriter

__all__ = ["command"]


def _show_presets(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for name in ("preset", "days", "accounts", "hides"):
            table.add_column(name, justify="right" if name in ("days", "accounts") else "left")
        for name, scenario in PRESETS.items():
            table.add_row(name, f"{scenario.days:g}", f"{scenario.accounts:,}", scenario.about)
        Console().print(table)
        context.exit()


@click.command()
@click.argument("name", metavar="PRESET")
@click.option(
    "--list",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_presets,
    help="Show the presets and stop.",
)
@click.option(
    "--out",
    "-o",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help="The log: .parquet, .jsonl or .jsonl.gz.",
)
@click.option(
    "--labels",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help="The labels, Parquet: request_id, account, kind, campaign, attack.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=1,
    show_default=True,
    help="Makes everything. Tune below 1000, report from 1000.",
)
@click.option("--accounts", type=click.IntRange(1), metavar="N", help="Innocent accounts.")
@click.option("--days", type=click.FloatRange(0, min_open=True), metavar="D", help="Length.")
@click.option(
    "--start", type=click.DateTime(), metavar="DATE", help="First moment (UTC); a Monday if unset."
)
@click.option(
    "--period",
    type=click.IntRange(0, PERIODS - 1),
    default=0,
    show_default=True,
    help="Texts of two periods are disjoint; accounts stay. For reference periods.",
)
@click.option(
    "--scale",
    type=click.FloatRange(0, min_open=True),
    default=1.0,
    show_default=True,
    help="So many times as many accounts, members of campaigns included.",
)
@click.option(
    "--prompts",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="More text of your own; docs/corpus.md says in what form.",
)
@click.option("--no-campaign", is_flag=True, help="The same innocent accounts, nothing hidden.")
@click.option(
    "--without-infrastructure",
    is_flag=True,
    help="Leave addresses, devices, payment and registration unknown.",
)
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
def command(
    name: str,
    out: Path,
    labels: Path,
    seed: int,
    accounts: int | None,
    days: float | None,
    start: datetime | None,
    period: int,
    scale: float,
    prompts: Path | None,
    no_campaign: bool,
    without_infrastructure: bool,
    quiet: bool,
) -> None:
    """Write labelled traffic of a PRESET, with hidden campaigns.

    Prompts are real or counted as composed, arrival times follow production traces; accounts and
    their infrastructure are simulated. One seed makes everything.

    \b
    Examples:
      stillwatch simulate --list
      stillwatch simulate demo --out traffic.parquet --labels labels.parquet
      stillwatch simulate hot-spare --accounts 10000 --seed 7 --out log.jsonl.gz --labels l.parquet
    """
    scenario = _adjusted(
        preset(name), accounts, days, start, period, scale, no_campaign, without_infrastructure
    )
    with open_progress(quiet=quiet) as progress:
        progress.step("planning who sends when")
        traffic = simulate(scenario, seed, corpus=load(prompts))
        progress.step("writing the log", traffic.rows)
        with NativeWriter(out) as writer:
            for batch in traffic.batches():
                writer.write(batch)
                progress.advance(len(batch))
        aside = labels.with_name(f".{labels.name}.{os.getpid()}.part")
        pq.write_table(traffic.labels(), aside, compression="zstd")
        aside.replace(labels)
    _print(traffic, out, labels)


def _adjusted(
    scenario: Scenario,
    accounts: int | None,
    days: float | None,
    start: datetime | None,
    period: int,
    scale: float,
    no_campaign: bool,
    without_infrastructure: bool,
) -> Scenario:
    scenario = scenario.scaled(scale)
    return dataclasses.replace(
        scenario,
        accounts=scenario.accounts if accounts is None else accounts,
        days=scenario.days if days is None else days,
        start=None if start is None else start.replace(tzinfo=UTC),
        period=period,
        campaigns=() if no_campaign else scenario.campaigns,
        infrastructure=not without_infrastructure,
    )


def _print(traffic: Traffic, out: Path, labels: Path) -> None:
    console = Console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("kind", "accounts", "exchanges", "composed", "distinct", "texts shared"):
        table.add_column(column, justify="left" if column in ("kind", "texts shared") else "right")
    for kind in traffic.summary.table():
        table.add_row(
            kind.kind,
            f"{kind.accounts:,}",
            f"{kind.exchanges:,}",
            f"{kind.composed:.0%}",
            f"{kind.distinct:.1%}",
            kind.repeats or "",
        )
    console.print(table)
    for planted in traffic.planted():
        console.print(
            f"hidden: {planted.campaign.name} ({planted.campaign.family}, {planted.campaign.tier}),"
            f" {len(planted.accounts):,} accounts, {planted.exchanges:,} exchanges = "
            f"{planted.exchanges / traffic.rows:.2%} of all, {planted.cover:,} more as cover",
            highlight=False,
        )
    console.print(
        f"{traffic.rows:,} exchanges in {out}, labels in {labels}. "
        "Accounts and their infrastructure are simulated.",
        highlight=False,
    )
