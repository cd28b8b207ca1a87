"""What `stillwatch keys` and `stillwatch actions` share: where the store is, and how rows look."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click
import msgspec

__all__ = ["JSON", "STATE", "print_lines", "print_rows", "visible"]

STATE = click.option(
    "--state",
    required=True,
    envvar="STILLWATCH_STATE",
    show_envvar=True,
    metavar="DIR",
    help="Folder of the store, or the address of a PostgreSQL database (postgresql://host/name).",
)
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")


def print_lines(objects: Iterable[msgspec.Struct]) -> None:
    """A JSON object a line."""
    for each in objects:
        click.echo(msgspec.json.encode(each))


def visible(text: str) -> str:
    """What strangers wrote, as it may stand on a terminal: without codes that would steer it."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def print_rows(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Columns as wide as their widest cell: ids are there to be copied, so none is cut off."""
    table = [tuple(heads), *(tuple(map(visible, row)) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())
