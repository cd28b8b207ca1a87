"""`stillwatch watch --source PATH… --state DIR`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from stillwatch.campaigns import TrackRecord, read_scan_settings
from stillwatch.campaigns.configured import LEVELS
from stillwatch.campaigns.watching import WatchOptions, watch
from stillwatch.campaigns.watching.look import Asked
from stillwatch.campaigns.watching.watch import SECOND
from stillwatch.cli.clock import DURATION
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
from stillwatch.detections import Meeting
from stillwatch.errors import ExitStatus
from stillwatch.sketches import SketchKey
from stillwatch.sketches.compared import Comparable

__all__ = ["command"]


@click.command()
@click.option(
    "--source",
    "-s",
    "sources",
    multiple=True,
    required=True,
    metavar="PATH",
    help="Log to follow: a file that grows, a folder in which files appear, or a glob in quotes; "
    "may be given several times. Or the state folder of one gateway.",
)
@click.option(
    "--state",
    type=click.Path(path_type=Path),
    required=True,
    metavar="DIR",
    help="Folder for what is remembered and what is found; made if it is not there.",
)
@click.option(
    "--every",
    type=DURATION,
    default="1h",
    show_default=True,
    help="Step between looks, in the time of the exchanges; looks close at its multiples (UTC).",
)
@click.option(
    "--window",
    type=DURATION,
    default="14d",
    show_default=True,
    help="How far back a look reaches, in whole days; what is older is deleted.",
)
@click.option(
    "--grace",
    type=DURATION,
    default="5m",
    show_default=True,
    help="How long a look waits for rows that come late; later ones count in the next look.",
)
@click.option(
    "--once",
    is_flag=True,
    help="Read what is there, make the looks that are complete, and end: for cron, and to replay "
    "an old log.",
)
@SETTINGS
@FORMAT
@click.option(
    "--key-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Secret that sketches are keyed with. Without it one is made, and kept in DIR; of a "
    "gateway its own is used.",
)
@click.option(
    "--pseudonymous/--no-pseudonymous",
    default=None,
    help="Keep and write keyed digests in place of account names.",
)
@ENGINE
@MEMORY_MB
@click.option(
    "--fdr",
    type=click.FloatRange(*LEVELS),
    show_default="0.05",
    help="The promise: of the campaigns reported within one window, the expected share of false "
    "ones is at most this, over all of its looks.",
)
@CASES
@INDICATORS
@COMMUNITY
@click.option("--quiet", "-q", is_flag=True, help="Say nothing about single looks.")
def command(
    sources: tuple[str, ...],
    state: Path,
    every: int,
    window: int,
    grace: int,
    once: bool,
    settings: Path | None,
    format_: str | None,
    key_file: Path | None,
    pseudonymous: bool | None,
    engine: str | None,
    memory_mb: int | None,
    fdr: float | None,
    cases: str | None,
    indicators: str | None,
    community: tuple[Path, ...],
    quiet: bool,
) -> int:
    """Watch growing logs of requests for distillation campaigns.

    Reads what `scan` reads, logs or what a gateway records, as it is written, and looks at the
    last days of it in steps. Findings are appended to DIR/findings.jsonl, one line for a campaign
    that is new, has grown, or is withdrawn; DIR/report.html shows the latest look. Stop it at any
    time, even with kill -9, and start it again: nothing is lost or said twice. No prompt text is
    kept. Indicators of others are read anew at each look, and looked for in all that it covers.

    \b
    Exit status: with --once 0 nothing found, 3 findings.jsonl holds findings;
    2 unreadable input or settings, or DIR is in use; 1 a failure of ours (a full
    disk included), 130 interrupted, which is how a watch without --once ends.

    \b
    Examples:
      stillwatch watch --source /var/log/llm --state /var/lib/stillwatch
      stillwatch watch --source requests.jsonl --state replay --once
      stillwatch watch --source /var/lib/stillwatch-gateway --state /var/lib/stillwatch
      stillwatch watch --source requests.jsonl --state watched --indicators state \\
          --community forum.key
    """
    given = {
        "format": format_,
        "key_file": key_file,
        "pseudonymous": pseudonymous,
        "engine": engine,
        "memory_mb": memory_mb,
        "fdr": fdr,
        "cases": cases,
    }
    chosen = read_scan_settings(settings).but(given)
    secret = chosen.key_file
    keys, meeting = _compared(indicators, community)
    options = WatchOptions(
        sources=sources,
        state=state,
        every=every * SECOND,
        window=window * SECOND,
        grace=grace * SECOND,
        once=once,
        key=None if secret is None else SketchKey.from_file(secret),
        format=chosen.format,
        engine=chosen.engine,
        pseudonymous=chosen.pseudonymous,
        memory_mb=chosen.memory_mb,
        fdr=chosen.fdr,
        asked=Asked(meeting, _track_record(chosen.cases)),
        compared=keys,
    )
    with open_progress(quiet=quiet) as progress:
        findings = watch(options, progress)
    click.echo(f"{findings:,} findings: {state / 'findings.jsonl'}")
    return ExitStatus.CAMPAIGNS_FOUND if findings else ExitStatus.NOTHING_FOUND


def _compared(
    where: str | None, community: tuple[Path, ...]
) -> tuple[Sequence[Comparable], Callable[[], Meeting] | None]:
    """Keys of communities, and what looks for indicators under them; imported where there are."""
    if not community:
        if where is not None:
            raise click.UsageError("--indicators needs the key that they are of: --community FILE")
        return (), None
    from stillwatch.cli.intel_received import keys_of, meetings_of

    keys = keys_of(community)
    return keys, None if where is None else meetings_of(where, keys)


def _track_record(state: str | None) -> Callable[[], Sequence[TrackRecord]]:
    """What analysts found, whenever it is asked."""
    if state is None:
        return tuple
    from stillwatch.cases.precision import track_record

    return lambda: track_record(state, time.time())
