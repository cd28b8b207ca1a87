"""`stillwatch intel apply|blocks`: what hits cause, and until when."""

from __future__ import annotations

from pathlib import Path

import click

from stillwatch.cli.clock import spoken
from stillwatch.cli.intel_received import received_at, stored
from stillwatch.cli.stored import JSON, print_lines, print_rows

__all__ = ["apply", "blocks"]


@click.command()
@stored
@click.option(
    "--settings",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="YAML file with the rules, section intel.blocking; without it blocks only end.",
)
@click.option("--json", "as_json", is_flag=True, help="What was done, as JSON.")
def apply(state: str, ledger: Path | None, settings: Path | None, as_json: bool) -> None:
    """Act on hits as the operator's rules say, and end what nothing carries any more.

    Run it as a job. It slows and narrows, nothing else; two independent senders must tell the
    same, or cases of ours confirm it. Whoever people cleared, is on the allow-list or registered
    is left alone; so is a crowd.

    \b
    Example:
      stillwatch intel apply --settings stillwatch.yaml --state state
    """
    from stillwatch.intel.received import read_block_rules

    rules = read_block_rules(settings)
    with received_at(state, ledger) as received:
        done = received.apply(rules)
    if as_json:
        print_lines([done])
        return
    click.echo(f"{len(done.made):,} actions made, {len(done.ended):,} ended")
    if rules.measure is None:
        click.echo("hits cause nothing: no 'measure' in section intel.blocking (--settings FILE)",
                   err=True)  # fmt: skip
    for why, count in sorted(done.held_back.items(), key=lambda pair: -pair[1]):
        click.echo(f"  left alone {count:,}: {why}", err=True)


@click.command()
@stored
@JSON
def blocks(state: str, ledger: Path | None, as_json: bool) -> None:
    """Show what hits caused: the action, the account, its end, and why it ended before."""
    with received_at(state, ledger) as received:
        found = received.blocks()
    if as_json:
        print_lines(found)
        return
    print_rows(
        ("ACTION", "ACCOUNT", "INDICATORS", "UNTIL", "ENDED", "WHY"),
        (
            (
                each.action, each.account, ", ".join(each.indicators), spoken(each.expires_at),
                spoken(each.ended_at) if each.ended_at is not None else "-",
                each.ended_why or "-",
            )
            for each in found
        ),
    )  # fmt: skip
