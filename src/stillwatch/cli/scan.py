"""`stillwatch scan LOG… --out DIR`."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import click

from stillwatch.campaigns import ScanOptions, TrackRecord, read_scan_settings, scan
from stillwatch.campaigns.configured import LEAST_K, LEVELS
from stillwatch.cli.options import (
    CASES,
    COMMUNITY,
    ENGINE,
    FORMAT,
    INDICATORS,
    MEMORY_MB,
    SETTINGS,
)
from stillwatch.cli.progress import open_progress
from stillwatch.cli.summary import open_console, print_summary
from stillwatch.detections import Meeting
from stillwatch.errors import ExitStatus
from stillwatch.sketches import SketchKey

__all__ = ["command"]


@click.command()
@click.argument("logs", nargs=-1, required=True, metavar="LOG...")
@click.option(
    "--out",
    "-o",
    type=click.Path(path_type=Path),
    required=True,
    metavar="DIR",
    help="Folder for the report; made whole or not at all.",
)
@click.option("--force", is_flag=True, help="Replace DIR if it holds something.")
@SETTINGS
@FORMAT
@click.option(
    "--reference",
    multiple=True,
    metavar="LOG",
    help="Log of an earlier period to judge novelty against; never assumed clean.",
)
@click.option(
    "--reference-until",
    type=click.DateTime(),
    metavar="TIME",
    help="Rows before that time (UTC) are the reference period.",
)
@click.option(
    "--key-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Secret that sketches are keyed with. Without it a fresh one is used and "
    "forgotten: results are the same, digests are not. Of a gateway its own is used.",
)
@click.option(
    "--pseudonymous/--no-pseudonymous",
    default=None,
    help="Write keyed digests in place of account names.",
)
@click.option(
    "--k",
    type=click.IntRange(LEAST_K),
    show_default="5",
    help="Fewest accounts that must share a wording before it can be read.",
)
@ENGINE
@MEMORY_MB
@click.option(
    "--fdr",
    type=click.FloatRange(*LEVELS),
    show_default="0.05",
    help="The promise: of the campaigns reported, the expected share of false ones is at most "
    "this. What needs more stands under 'review'.",
)
@CASES
@INDICATORS
@COMMUNITY
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
def command(
    logs: tuple[str, ...],
    out: Path,
    force: bool,
    settings: Path | None,
    format_: str | None,
    reference: tuple[str, ...],
    reference_until: datetime | None,
    key_file: Path | None,
    pseudonymous: bool | None,
    k: int | None,
    engine: str | None,
    memory_mb: int | None,
    fdr: float | None,
    cases: str | None,
    indicators: str | None,
    community: tuple[Path, ...],
    quiet: bool,
) -> int:
    """Find distillation campaigns in logs of requests.

    LOG is a file, a folder or a glob of JSON Lines (also .gz) or Parquet: the native log, LiteLLM
    or OpenTelemetry GenAI spans. No prompt text is kept. It may also be the state folder of one
    gateway, or the event store in it, while the gateway writes it.

    \b
    Exit status: 0 nothing found, 3 campaigns found, 2 unreadable input or settings,
    1 a failure of ours (a full disk included), 130 interrupted.

    \b
    Examples:
      stillwatch scan requests-*.jsonl.gz --out report
      stillwatch scan /var/lib/stillwatch-gateway --out report
      stillwatch scan requests.parquet --out report --indicators state --community forum.key
      stillwatch scan /var/lib/stillwatch-gateway --out report --indicators state \\
          --community forum.key
    """
    given = {
        "format": format_,
        "key_file": key_file,
        "pseudonymous": pseudonymous,
        "k": k,
        "engine": engine,
        "memory_mb": memory_mb,
        "fdr": fdr,
        "cases": cases,
    }
    chosen = read_scan_settings(settings).but(given)
    secret = chosen.key_file
    options = ScanOptions(
        logs=logs,
        out=out,
        format=chosen.format,
        key=None if secret is None else SketchKey.from_file(secret),
        reference=reference,
        reference_until=None if reference_until is None else _micros(reference_until),
        force=force,
        pseudonymous=chosen.pseudonymous,
        engine=chosen.engine,
        k=chosen.k,
        memory_mb=chosen.memory_mb,
        fdr=chosen.fdr,
        track_record=() if chosen.cases is None else _track_record(chosen.cases),
        meeting=None if indicators is None else _meeting(indicators, community),
    )
    with open_progress(quiet=quiet) as progress:
        report = scan(options, progress)
    print_summary(report, out, open_console())
    return ExitStatus.CAMPAIGNS_FOUND if report.campaigns else ExitStatus.NOTHING_FOUND


def _track_record(state: str) -> tuple[TrackRecord, ...]:
    from stillwatch.cases.precision import track_record  # loads SQLAlchemy, which few scans need

    return track_record(state, time.time())


def _meeting(where: str, community: tuple[Path, ...]) -> Meeting:
    """What looks for the indicators of a store or a file; imported where it is asked for."""
    from stillwatch.cli.intel_received import meeting_of

    if not community:
        raise click.UsageError("--indicators needs the key that they are of: --community FILE")
    return meeting_of(where, community)


def _micros(time: datetime) -> int:
    return int(time.replace(tzinfo=UTC).timestamp()) * 1_000_000
