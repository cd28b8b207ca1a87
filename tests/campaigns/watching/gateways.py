"""The state folder of a gateway, without the gateway: a store, its key, and keys of accounts."""

from __future__ import annotations

import contextlib
import json
import secrets
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
    listed = state.with_suffix(".keys.jsonl")
    listed.write_text(
        "".join(
            json.dumps({"sha256": secrets.token_hex(32), "account": account}) + "\n"
            for account in sorted(accounts)
        )
    )
    with contextlib.closing(open_database(state, create=True)) as database:
        KeyStore(database).import_file(listed)


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
