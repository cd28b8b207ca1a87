"""Opens the store of cases: in the database of keys and actions, in tables of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from sqlalchemy import Connection, insert, inspect, select

from stillwatch.access.breakage import failures
from stillwatch.access.database import Database, open_database
from stillwatch.cases.automation import RuleBook
from stillwatch.cases.deciding import Bench
from stillwatch.cases.emergency import Emergencies
from stillwatch.cases.opening import Intake
from stillwatch.cases.outbox import Recorder, deliver, waiting
from stillwatch.cases.schema import ABOUT, EARLIER, FORMAT, METADATA
from stillwatch.cases.standing import Registry
from stillwatch.cases.tokens import TokenBook
from stillwatch.cases.upgrade import upgrade
from stillwatch.cases.working import Desk
from stillwatch.errors import StoreFormatError

__all__ = ["Cases", "find_cases", "open_cases"]


class Cases:
    """Everything about cases, over one store. May be used from any thread.

    Attributes:
        intake: findings become cases.
        desk: lists, one case, the work on it.
        bench: proposals, approvals, undoing.
        emergencies: what one person may do at once.
        rules: what may act by itself.
        registry: the allow-list, and the clauses of the terms.
        tokens: who may use the API, and who acts on the command line.
        database: the store of `access` that all of it stands in.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self.database = database
        self.clock = clock
        self.intake = Intake(database, clock)
        self.desk = Desk(database, clock)
        self.bench = Bench(database, clock)
        self.emergencies = Emergencies(database, clock)
        self.rules = RuleBook(database, clock)
        self.registry = Registry(database, clock)
        self.tokens = TokenBook(database, clock)

    def unrecorded(self) -> int:
        """How many entries the ledger was not told yet."""
        with self.database.reading() as (connection, _):
            return sum(1 for _ in waiting(connection))

    def deliver(self, recorder: Recorder) -> int:
        """Tell the ledger what waits, each entry once; how many there were."""
        return deliver(self.database, recorder)

    def close(self) -> None:
        self.database.close()

    def __enter__(self) -> Cases:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_cases(
    state: str | Path, *, create: bool = False, clock: Callable[[], float] = time.time
) -> Cases:
    """Open the cases in a state folder, or at an address such as ``postgresql://host/name``.

    `create` makes what is missing, the store of keys and actions included.

    Raises:
        SettingsError: the address is none, or its driver is not installed.
        StoreFormatError: there is no store, or it is damaged or of another version.
        StorageError: it cannot be reached.
    """
    database = open_database(state, create=create)
    try:
        _prepare(database, create=create)
    except BaseException:
        database.close()
        raise
    return Cases(database, clock)


def find_cases(state: str | Path) -> Cases | None:
    """As :func:`open_cases`; None where there is a store of keys in which nobody opened a case."""
    database = open_database(state)
    try:
        with failures(database.name), database.reading() as (connection, _):
            there = inspect(connection).has_table(ABOUT.name)
    finally:
        database.close()
    return open_cases(state) if there else None


def _prepare(database: Database, *, create: bool) -> None:
    with failures(database.name):
        with database.reading() as (connection, _):
            there = inspect(connection).has_table(ABOUT.name)
            found = _format(connection) if there else None
        if found is None and create:
            with database.writing() as (connection, _):
                METADATA.create_all(connection)
                if _format(connection) is None:
                    connection.execute(insert(ABOUT).values(one=1, format=FORMAT))
            return
        if found == EARLIER:
            with database.writing() as (connection, _):
                upgrade(connection)
            return
    if found is None:
        raise StoreFormatError(
            "there are no cases here; `stillwatch cases open` makes a store", path=database.name
        )
    if found != FORMAT:
        raise StoreFormatError(
            f"the cases are of the format {found}, and this version reads {FORMAT}; "
            "use the version of stillwatch that wrote them",
            path=database.name,
        )


def _format(connection: Connection) -> str | None:
    return connection.execute(select(ABOUT.c.format)).scalar_one_or_none()
