"""`stillwatch intel poll --from URL --state DIR`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from stillwatch.cli.intel_options import chosen, remote, token_of
from stillwatch.cli.stored import STATE
from stillwatch.errors import SettingsError
from stillwatch.intel.store import open_store
from stillwatch.intel.taxii import TaxiiClient
from stillwatch.intel.taxii import poll as poll_objects
from stillwatch.intel.taxii.files import POLLED, into_folder

__all__ = ["poll"]


@click.command()
@STATE
@click.option("--from", "url", required=True, metavar="URL",
              help="A TAXII 2.1 server, one of its API roots, or a collection.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Folder for what is new; without it polled/ in the state folder.")  # fmt: skip
@remote
def poll(
    state: str, url: str, out: Path | None, collection: str | None, token_file: Path | None,
    user: str | None, plain: bool,
) -> None:  # fmt: skip
    """Fetch what is new in a collection, from where the last poll ended.

    Each page becomes a bundle in a file of its own, whole or not at all; the state remembers where
    it ended. Killed at any moment, the next poll goes on: nothing is lost, and a page that comes
    again replaces its file. The files of this poll are printed, one a line.

    \b
    Example:
      stillwatch intel poll --from https://taxii.example/intel/ --collection indicators \\
        --state state
    """
    if out is None:
        if "://" in state:
            raise SettingsError("name a folder for what is new, with --out DIR")
        out = Path(state) / POLLED
    token = token_of(token_file)
    folder = into_folder(out)

    async def run() -> str:
        async with TaxiiClient(token, user=user, plain=plain) as client:
            source = await chosen(client, url, collection, write=False)
            with open_store(state, create=True) as store:
                position = await poll_objects(
                    client, source.url, store.positions, lambda batch: click.echo(folder(batch))
                )
        return f"{position.objects:,} objects in all from {source.url}"

    click.echo(asyncio.run(run()), err=True)
