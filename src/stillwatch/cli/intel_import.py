"""`stillwatch intel import|members`: what others told, and who may tell us something."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from stillwatch.cli.clock import spoken
from stillwatch.cli.intel_received import received_at, stored
from stillwatch.cli.stored import JSON, print_lines, print_rows, shown
from stillwatch.errors import ExitStatus, IndicatorError

if TYPE_CHECKING:
    from stillwatch.intel.received import Imported

__all__ = ["import_", "members", "print_import"]

_SHOWN = 20
_BY = click.option(
    "--by",
    required=True,
    envvar="STILLWATCH_BY",
    show_envvar=True,
    metavar="NAME",
    help="Who does this.",
)


@click.command("import")
@stored
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE..."
)
@click.option("--by", default="import", show_default=True, metavar="NAME", help="Who does this.")
@click.option("--json", "as_json", is_flag=True, help="What became of each file, as JSON.")
def import_(
    state: str, ledger: Path | None, files: tuple[Path, ...], by: str, as_json: bool
) -> int:
    """Take in what members told: bundles of STIX 2.1, or envelopes of TAXII 2.1.

    FILE may be a folder, such as the one of `intel poll`: then all of its .json files.

    Seals are checked against the keys of `intel members`. What a stranger sent is kept apart and
    does nothing; what cannot be taken is named with its reason; the same file again changes
    nothing. What is taken back here ends what it caused.

    \b
    Exit status: 0 every file was read, 2 one could not be; the others were taken in.

    \b
    Example:
      stillwatch intel import from-a.json --state state
    """
    from stillwatch.intel.received import read_objects

    unread = 0
    with received_at(state, ledger) as received:
        for file in _files(files):
            try:
                objects = read_objects(file.read_bytes())
            except (OSError, IndicatorError) as error:
                why = error.strerror if isinstance(error, OSError) else error
                click.echo(f"{file}: not read: {why}", err=True)
                unread += 1
                continue
            told = received.take_in(objects, source=file.name, by=by)
            if as_json:
                print_lines([told])
            else:
                print_import(told)
    return ExitStatus.UNREADABLE if unread else 0


def _files(named: tuple[Path, ...]) -> list[Path]:
    files = []
    for each in named:
        found = sorted(each.glob("*.json")) if each.is_dir() else [each]
        if not found:
            click.echo(f"{each}: no .json file in it; there is nothing to take in", err=True)
        files += found
    return files


def print_import(told: Imported) -> None:
    """What became of a batch, for people."""
    click.echo(
        f"import {told.number}: {told.objects:,} objects, {told.fresh:,} new, "
        f"{told.known:,} known, {told.apart:,} of strangers, {len(told.refused):,} refused; "
        f"{told.revoked:,} took something back, {told.ended:,} actions ended"
    )
    for each in told.refused[:_SHOWN]:
        click.echo(f"  {each.place}  {shown(each.id or '-')}  {shown(each.reason)}", err=True)
    if len(told.refused) > _SHOWN:
        click.echo(f"  … and {len(told.refused) - _SHOWN:,} more (--json shows all)", err=True)


@click.group()
def members() -> None:
    """Who may tell us something, each with the key that it seals with.

    Check the key by another way than the one that it came by. A member who is removed is believed
    no more, and what its indicators caused is undone.
    """


@members.command()
@stored
@click.argument("name")
@click.option("--identity", required=True, metavar="ID", help="Its STIX id: identity--UUID.")
@click.option("--key", required=True, metavar="HEX", help="Its public key, 64 hex digits.")
@_BY
def add(state: str, ledger: Path | None, name: str, identity: str, key: str, by: str) -> None:
    """Pin the key of a member.

    \b
    Example:
      stillwatch intel members add acme --identity identity--8c6d… --key 5f3a… \\
        --state state --by ana
    """
    with received_at(state, ledger, create=True) as received:
        before = received.add_member(identity, name, key, by)
    click.echo(f"{name} may tell us something; key {key.strip().lower()[:16]}…", err=True)
    if before is not None:
        click.echo("what it sent before, and was kept apart:")
        print_import(before)


@members.command()
@stored
@click.argument("identity")
@_BY
def remove(state: str, ledger: Path | None, identity: str, by: str) -> None:
    """Believe a member no more, and end what its indicators caused."""
    with received_at(state, ledger) as received:
        ended = received.remove_member(identity, by)
    click.echo(f"removed; {len(ended):,} actions ended", err=True)


@members.command("list")
@stored
@JSON
def list_(state: str, ledger: Path | None, as_json: bool) -> None:
    """Show the members, and how often each was right."""
    with received_at(state, ledger) as received:
        everybody, reputations = received.members(), received.reputations()
    if as_json:
        print_lines([*everybody, *reputations])
        return
    known = {each.sender: each for each in reputations}
    rows = []
    for each in everybody:
        standing = known.get(each.identity)
        rows.append(
            (
                each.name, each.identity, each.key[:16],
                spoken(each.removed_at) if each.removed_at is not None else "-",
                "-" if standing is None else f"{standing.indicators:,}",
                "-" if standing is None else f"{standing.confirmed:,}",
                "-" if standing is None else f"{standing.refuted:,}",
                "-" if standing is None else f"{standing.least:.0%} to {standing.most:.0%}",
            )
        )  # fmt: skip
    print_rows(
        ("NAME", "IDENTITY", "KEY", "REMOVED", "LIVE", "CONFIRMED", "REFUTED", "RIGHT"), rows
    )
