"""What waits in a store is told to the ledger when a command has done its work."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import click

from stillwatch.errors import StillwatchError
from stillwatch.ledger import Ledger

__all__ = ["tell"]


class Waiting(Protocol):
    """A store that keeps what the ledger is still to be told."""

    def unrecorded(self) -> int: ...

    def deliver(self, ledger: Ledger, /) -> object: ...


def tell(store: Waiting, state: str, ledger: Path | None, *, done: str) -> None:
    """Deliver what waits to the ledger that was named, or to that of a state folder.

    Where the ledger fails, what was done holds, waits in the store, and is told with the next one.

    Args:
        state: the state folder, or the address of a database, which has no ledger.
        done: what was done, in one word, for the message.
    """
    waits = store.unrecorded()
    folder = ledger or (Path(state) if "://" not in state else None)
    if not waits:
        return
    if folder is None:
        click.echo(f"{waits:,} entries wait for a ledger; name one with --ledger", err=True)
        return
    try:
        with Ledger.open(folder, create=True) as book:
            store.deliver(book)
    except StillwatchError as error:
        click.echo(f"{done}, but not yet in the ledger: {error} [{error.code}]", err=True)
