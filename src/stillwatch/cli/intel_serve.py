"""`stillwatch intel serve --state DIR`."""

from __future__ import annotations

import logging

import click

from stillwatch.cli.stored import STATE
from stillwatch.intel.store import open_store
from stillwatch.intel.taxii import Bounds, serve_taxii

__all__ = ["serve"]

_USUAL = Bounds()


@click.command()
@STATE
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8082, show_default=True,
              help="Port to listen on; 0 for any that is free.")  # fmt: skip
@click.option("--title", default="Stillwatch", show_default=True, help="As discovery names it.")
@click.option("--max-content-length", "largest", type=click.IntRange(1_024, 60 * 2**20),
              default=_USUAL.largest_body, show_default=True,
              help="Bytes of one request's body.")  # fmt: skip
@click.option("--requests-per-minute", "rate", type=click.IntRange(1), show_default=True,
              default=_USUAL.requests_per_minute, help="Of each member.")  # fmt: skip
@click.option("--objects-per-day", "objects", type=click.IntRange(1), show_default=True,
              default=_USUAL.objects_per_day, help="That each member may add.")  # fmt: skip
@click.option("--bytes-per-day", "size", type=click.IntRange(1_024), show_default=True,
              default=_USUAL.bytes_per_day, help="That each member may add.")  # fmt: skip
def serve(
    state: str, host: str, port: int, title: str, largest: int, rate: int, objects: int, size: int
) -> int:
    """Serve the collections of a store over TAXII 2.1 until told to end. Put TLS in front.

    Collections, who may use them, and tokens are made by `stillwatch intel collection` and
    `stillwatch intel token`, at any time. What has outlived its collection's period is deleted
    once an hour.

    \b
    Exit status: 0 when told to end, 2 a store that cannot be read, 1 a failure of ours.

    \b
    Example:
      stillwatch intel serve --state state --port 8082
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    bounds = Bounds(
        requests_per_minute=rate, objects_per_day=objects, bytes_per_day=size, largest_body=largest
    )

    def started(bound: int) -> None:
        click.echo(f"TAXII 2.1 at http://{host}:{bound}/taxii2/", err=True)

    with open_store(state, create=True) as store:
        serve_taxii(store, host=host, port=port, bounds=bounds, title=title, started=started)
    return 0
