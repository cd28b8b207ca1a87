"""The state folder of a gateway, without the gateway: a store, its key, and keys of accounts."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from stillwatch.access.database import open_database
from stillwatch.access.keys import KeyStore
from stillwatch.events import EventStore
from stillwatch.exchange import RawExchange
from stillwatch.sketches import Sketcher
from tests.campaigns.watching.standin import KEY

__all__ = ["Recording", "register"]


def register(state: Path, accounts: Iterable[str]) -> None:
    """Keys for accounts, as the operator made them before they could ask anything."""
    database = open_database(state, create=True)
    try:
        for account in sorted(accounts):
            KeyStore(database).create(account=account)
    finally:
        database.close()


class Recording:
    """Records what a gateway would record into the state folder `path`."""

    def __init__(self, path: Path, accounts: Iterable[str] = ()) -> None:
        self.path, self.events = path, path / "events"
        path.mkdir()
        KEY.write(path / "sketch.key")
        register(path, accounts)
        self.store = EventStore.create(self.events, key_id=KEY.key_id)
        self._sketcher = Sketcher(KEY)

    def record(self, *rows: RawExchange, at_once: int = 1) -> None:
        for start in range(0, len(rows), at_once):
            self.store.append(self._sketcher.sketch(rows[start : start + at_once]))
