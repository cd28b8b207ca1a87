"""`stillwatch places`: get a file of countries, and ask where an address is."""

from __future__ import annotations

from pathlib import Path

import click

from stillwatch.access.facts import UNKNOWN
from stillwatch.access.fetching import PACKAGE, fetch_countries
from stillwatch.access.places import Places

__all__ = ["command"]

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group()
def command() -> None:
    """Where addresses are, from files that you point to."""


@command.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    metavar="DIR",
    help="The folder for country.mmdb; an older one is replaced.",
)
@click.option("--version", default="latest", show_default=True, help="The version of the package.")
def fetch(out: Path, version: str) -> None:
    """Get a file of countries that is in the public domain, with the npm client of this machine."""
    fetched = fetch_countries(out, version=version)
    click.echo(f"{fetched.path}: {PACKAGE} {fetched.version}, licence {fetched.licence}")


@command.command("look-up")
@click.argument("addresses", nargs=-1, required=True)
@click.option("--country", type=_FILE, metavar="MMDB", help="A file of countries.")
@click.option("--asn", type=_FILE, metavar="MMDB", help="A file of autonomous systems.")
def look_up(addresses: tuple[str, ...], country: Path | None, asn: Path | None) -> None:
    """Say what rules see of ADDRESSES: country, autonomous system, class of the network."""
    places = Places(country, asn)
    for address in addresses:
        place = places.look_up(address)
        system = f"AS{place.asn}" if place.asn else UNKNOWN
        click.echo(f"{address}  {place.country}  {system}  {place.asn_class}")
