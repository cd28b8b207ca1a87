"""Opens the store of collections: a SQLite file in a state folder, or a PostgreSQL server."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from stillwatch.access.database import Database, open_database
from stillwatch.intel.store.adding import Adder
from stillwatch.intel.store.collections import CollectionBook
from stillwatch.intel.store.expiry import Swept, sweep
from stillwatch.intel.store.members import MemberBook
from stillwatch.intel.store.positions import PositionBook
from stillwatch.intel.store.reading import Reader
from stillwatch.intel.store.schema import LAYOUT

__all__ = ["Store", "open_store"]


class Store:
    """Everything about collections, over one database. May be used from any thread.

    Attributes:
        collections: makes and lists them.
        members: who may do what, and the tokens that speak for them.
        adder: adds objects, and says what became of requests.
        reader: pages of objects; deletes.
        positions: how far collections of other servers were fetched.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self.database = database
        self.clock = clock
        self.collections = CollectionBook(database, clock)
        self.members = MemberBook(database, clock)
        self.adder = Adder(database, clock)
        self.reader = Reader(database)
        self.positions = PositionBook(database)

    def sweep(self) -> Swept:
        """Delete what has outlived its period."""
        return sweep(self.database, self.clock)

    def close(self) -> None:
        self.database.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_store(
    state: str | Path, *, create: bool = False, clock: Callable[[], float] = time.time
) -> Store:
    """Open the collections in a state folder, or at an address such as ``postgresql://host/name``.

    `create` makes what is missing.

    Raises:
        SettingsError: the address is none, or its driver is not installed.
        StoreFormatError: there is no store, or it is damaged or of another version.
        StorageError: it cannot be reached.
    """
    return Store(open_database(state, create=create, layout=LAYOUT), clock)
