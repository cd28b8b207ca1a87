"""`stillwatch privacy export|erase`."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from stillwatch.gateway.privacy import erase as erase_all
from stillwatch.gateway.privacy import held

__all__ = ["command"]

_STATE = click.option(
    "--state",
    required=True,
    envvar="STILLWATCH_STATE",
    show_envvar=True,
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="The state folder of the gateway.",
)
_KEYS = click.option(
    "--keys", metavar="ADDRESS", help="Where keys are kept, if not there: postgresql://host/name."
)


@click.group()
def command() -> None:
    """What is held about an account: show it, or erase it.

    Reaches the keys, links and actions of the account, every exchange of it, and the salt of its
    commitment in the ledger, in the gateway's state folder. A watch that follows the folder
    erases its copy at its next look.
    """


@command.command()
@click.argument("account")
@_STATE
@_KEYS
def export(account: str, state: Path, keys: str | None) -> None:
    """Print everything that is held about ACCOUNT, one JSON object a line.

    \b
    Example:
      stillwatch privacy export acme --state /var/lib/stillwatch > acme.jsonl
    """
    found = 0
    for kind, fields in held(state, account, keys):
        click.echo(msgspec.json.encode({"kind": kind, "held": fields}))
        found += 1
    click.echo(f"{found:,} records about {account}", err=True)


@command.command()
@click.argument("account")
@_STATE
@_KEYS
def erase(account: str, state: Path, keys: str | None) -> None:
    """Erase everything that is held about ACCOUNT. It cannot be brought back.

    Its keys end first; a stream that still runs is recorded when it ends, so run this again then.

    \b
    Example:
      stillwatch privacy erase acme --state /var/lib/stillwatch
    """
    gone = erase_all(state, account, keys)
    click.echo(
        f"erased {gone.access:,} keys, links and actions, {gone.exchanges:,} exchanges, and"
        f" {gone.salts} salts of the ledger"
    )
