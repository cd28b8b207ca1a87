"""`stillwatch access replay RULES --log LOG…`."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from stillwatch.cli.progress import open_progress
from stillwatch.errors import ExitStatus

__all__ = ["FORMAT_NAMES", "command"]

#: As `scan` has them; said again here, so that checking a rule does not wait for the engines.
FORMAT_NAMES = ("auto", "otel", "litellm", "native")


@click.command("replay")
@click.argument("rules", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--log",
    "logs",
    multiple=True,
    required=True,
    metavar="LOG",
    help="File, folder or glob of a log as `scan` reads it, or one event store of a gateway. May "
    "be given several times.",
)
@click.option(
    "--against",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="OLD",
    help="The rules before: show only what changes.",
)
@click.option(
    "--state",
    metavar="DIR",
    help="Folder of the gateway, or the address of its database: who has which key, and the "
    "actions that were in force.",
)
@click.option("--level", metavar="NAME", help="The level of accounts that have no key in there.")
@click.option("--tier", metavar="NAME", help="The tier of accounts that have no key in there.")
@click.option(
    "--blanks",
    type=click.Choice(["default", "unknown"]),
    default="default",
    show_default=True,
    help="What a parameter means that a row leaves blank and other rows fill: it was not asked "
    "for, or nobody knows.",
)
@click.option(
    "--format",
    "format_",
    default="auto",
    show_default=True,
    type=click.Choice(FORMAT_NAMES),
    help="Format of the logs; auto recognises it.",
)
@click.option(
    "--out",
    "-o",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder for replay.json, accounts.parquet and rejects.jsonl; made whole or not at all.",
)
@click.option("--force", is_flag=True, help="Replace DIR if it holds something.")
@click.option("--json", "as_json", is_flag=True, help="The report as one JSON object.")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
def command(
    rules: Path,
    logs: tuple[str, ...],
    against: Path | None,
    state: str | None,
    level: str | None,
    tier: str | None,
    blanks: str,
    format_: str,
    out: Path | None,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Show what the file RULES would have done to the requests of a log, and to whom.

    Rules, levels, tiers with their limits, backends and places count where the file defines them.
    What a rule reads and the log does not say is not judged, and counted as that. Nothing is
    changed, and nobody is asked.

    \b
    Examples:
      stillwatch access replay new.yaml --log state/events --state state --against stillwatch.yaml
      stillwatch access replay rules.yaml --log 'requests-*.jsonl.gz' --out changed
    """
    from stillwatch.cli.replayed import print_replay
    from stillwatch.gateway.replaying import ReplayOptions, replay, write_replay

    options = ReplayOptions(
        rules=rules,
        logs=logs,
        against=against,
        state=state,
        format=format_,
        level=level,
        tier=tier,
        blanks_unknown=blanks == "unknown",
    )
    if out is None:
        with open_progress(quiet=quiet) as progress:
            found = replay(options, progress)
    else:
        from stillwatch.campaigns.outputs import output_folder

        with output_folder(out, force=force) as folder:
            with open_progress(quiet=quiet) as progress:
                found = replay(options, progress)
            write_replay(found, folder)
    if as_json:
        click.echo(msgspec.json.encode(found.report))
    else:
        print_replay(found.report, out)
    return ExitStatus.NOTHING_FOUND
