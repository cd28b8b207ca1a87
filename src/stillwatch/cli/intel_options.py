"""What commands of `stillwatch intel` that speak TAXII share: where a server is, and the token."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from stillwatch.errors import InputError, TaxiiError
from stillwatch.intel.taxii.client import Remote, TaxiiClient

__all__ = ["ROOT", "TOKEN", "chosen", "remote", "token_of"]

F = TypeVar("F", bound=Callable[..., Any])

#: the variable that a token is read from
TOKEN = "STILLWATCH_TAXII_TOKEN"
ROOT = click.option(
    "--root", default="intel", show_default=True, metavar="NAME", help="API root (trust group)."
)


def remote(function: F) -> F:
    """The options that say who asks, and which collection is meant where a URL leads to several:
    ``collection``, ``token_file``, ``user`` and ``plain`` of the function."""
    for option in (
        click.option("--plain-http", "plain", is_flag=True,
                     help="Send the token without TLS, to other machines too."),
        click.option("--user", metavar="NAME", help="For HTTP Basic; the token is its password."),
        click.option("--token-file", type=click.Path(path_type=Path, dir_okay=False),
                     metavar="FILE", help=f"Holds the token; without it from {TOKEN}."),
        click.option("--collection", metavar="NAME",
                     help="Alias, title or id, where URL leads to several."),
    ):  # fmt: skip
        function = option(function)
    return function


def token_of(file: Path | None) -> str:
    """The token, which is never given on the command line: other users see that."""
    if file is not None:
        try:
            token = file.read_text("ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"the token cannot be read: {error}", path=file) from error
    else:
        token = os.environ.get(TOKEN, "").strip()
    if not token:
        raise InputError(f"give the token that the server made for you, in {TOKEN} or --token-file")
    return token


async def chosen(client: TaxiiClient, url: str, name: str | None, *, write: bool) -> Remote:
    """The one collection that is meant."""
    found = [
        each
        for each in await client.collections(url)
        if (each.can_write if write else each.can_read)
        and name in (None, each.alias, each.title, each.id)
    ]
    if len(found) == 1:
        return found[0]
    what = "written to" if write else "read"
    if not found:
        raise TaxiiError(f"there is no such collection that may be {what}", path=url)
    names = ", ".join(sorted(each.alias or each.title or each.id for each in found))
    raise TaxiiError(f"name one of the collections with --collection: {names}", path=url)
