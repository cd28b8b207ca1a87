"""`stillwatch intel keygen`: the key of a community, for one epoch."""

from __future__ import annotations

from pathlib import Path

import click

from stillwatch.intel import CommunityKey

__all__: list[str] = []


@click.command()
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE")
@click.option("--community", required=True, metavar="NAME", help="The providers that share it.")
@click.option("--epoch", required=True, metavar="NAME", help="How long it is used, e.g. 2026-q4.")
def keygen(path: Path, community: str, epoch: str) -> None:
    """Make the key that the members of a community compare digests under, and write it to FILE.

    One member makes it and gives it to the others on a secure way; everybody who has it can try
    guesses, and nobody who has not can read anything. A new epoch gets a new key: digests of two
    epochs cannot be compared, so whoever leaves the community learns nothing of the next one.

    \b
    Example:
      stillwatch intel keygen community.json --community fmf --epoch 2026-q4
    """
    key = CommunityKey.generate(community, epoch)
    key.write(path)
    click.echo(key.scheme)
