"""`stillwatch intel forget STATE`: remove what was kept for the members of a community."""

from __future__ import annotations

import re
from pathlib import Path

import click

from stillwatch.errors import InputError

__all__ = ["forget"]

_NAME = re.compile(r"[0-9a-f]{16}")


@click.command()
@click.argument("state", type=click.Path(path_type=Path), metavar="STATE")
@click.option(
    "--community",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Key of the community and epoch.",
)
@click.option(
    "--key-id",
    multiple=True,
    metavar="HEX",
    help="The name of the key, where its file is gone: the last part of its scheme.",
)
def forget(state: Path, community: tuple[Path, ...], key_id: tuple[str, ...]) -> None:
    """Remove from a gateway's store what its exchanges were compared by under a key.

    For the end of an epoch, or of a membership: take the key out of what the gateway is started
    with, start it again, and run this. Exchanges stay. Interrupted, it is to be run again. A
    watch that follows the gateway keeps its copy until its window has passed.

    \b
    Example:
      stillwatch intel forget state --community forum-2026-q4.json
    """
    from stillwatch.campaigns.registered import find_store
    from stillwatch.cli.intel_received import keys_of
    from stillwatch.events import EventStore
    from stillwatch.intel.compared import number_of

    if not community and not key_id:
        raise click.UsageError("name the key: --community FILE, or --key-id HEX")
    for name in key_id:
        if not _NAME.fullmatch(name):
            raise click.UsageError(f"--key-id: 16 hexadecimal digits are needed, not {name!r}")
    path = find_store(state)
    if path is None:
        raise InputError("there is no event store here", path=state)
    numbers = [key.number for key in keys_of(community)] + [number_of(name) for name in key_id]
    with EventStore.open(path) as store:
        store.erase(numbers, by="compared")
    click.echo(
        f"nothing is kept under {len(numbers)} key{'s' if len(numbers) > 1 else ''} here now"
    )
