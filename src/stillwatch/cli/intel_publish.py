"""`stillwatch intel publish FILE --to URL`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from stillwatch.cli.intel_options import chosen, remote, token_of
from stillwatch.cli.stored import shown
from stillwatch.errors import ExitStatus
from stillwatch.intel.taxii import Published, TaxiiClient
from stillwatch.intel.taxii import publish as publish_objects
from stillwatch.intel.taxii.files import read_objects

__all__ = ["publish"]


@click.command()
@click.argument("path", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--to", "url", required=True, metavar="URL",
              help="A TAXII 2.1 server, one of its API roots, or a collection.")  # fmt: skip
@remote
def publish(
    path: Path, url: str, collection: str | None, token_file: Path | None, user: str | None,
    plain: bool,
) -> int:  # fmt: skip
    """Publish the objects of FILE (a STIX bundle, or one object a line) into a collection.

    What the server has already is nothing new, so whoever was interrupted runs it again. Objects
    that it does not take are named with its reason.

    \b
    Exit status: 0 the server has all of them, 2 it refused some, 1 it could not be reached.

    \b
    Example:
      stillwatch intel publish bundle.json --to https://taxii.example/intel/ \\
        --collection indicators
    """
    objects = read_objects(path)
    token = token_of(token_file)

    async def run() -> tuple[str, Published]:
        async with TaxiiClient(token, user=user, plain=plain) as client:
            to = await chosen(client, url, collection, write=True)
            return to.url, await publish_objects(client, to, objects)

    to, done = asyncio.run(run())
    for name, why in done.refused:
        click.echo(f"refused: {shown(name)}: {shown(why)}", err=True)
    click.echo(f"{done.taken:,} of {len(objects):,} objects are at {to}", err=True)
    return ExitStatus.UNREADABLE if done.refused else 0
