"""Opens the store of what was received: in the database of keys, actions and cases."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection, delete, insert, inspect, select

from stillwatch.access.breakage import failures
from stillwatch.access.database import FILE as KEYS_FILE
from stillwatch.access.database import Database
from stillwatch.cases import Cases, open_cases
from stillwatch.cases.outbox import Recorder, deliver, put_entry, waiting
from stillwatch.errors import StoreFormatError
from stillwatch.intel.matching.indicators import Indicator
from stillwatch.intel.profile import Author
from stillwatch.intel.received.blocking import (
    Applied,
    Block,
    apply_blocks,
    end_unsupported,
    read_blocks,
)
from stillwatch.intel.received.bundles import Unread
from stillwatch.intel.received.importing import (
    Batch,
    Imported,
    look_at,
    record_import,
    take_apart,
    take_in,
)
from stillwatch.intel.received.live import live_indicators, supports
from stillwatch.intel.received.members import Member, add_member, read_members, remove_member
from stillwatch.intel.received.outcomes import read_verdicts
from stillwatch.intel.received.reputation import Reputation, read_reputations
from stillwatch.intel.received.rules import BlockRules
from stillwatch.intel.received.schema import ABOUT, FORMAT, HITS, METADATA, OBJECTS
from stillwatch.intel.received.sightings import Seen, kept_sightings, make_sightings, read_seen

if TYPE_CHECKING:
    from stillwatch.intel.matching.logs import Matched

__all__ = ["Received", "open_received"]

_AT_ONCE = 500
_NOTHING = "nothing was received here yet; `stillwatch intel members add` makes a store"


class Received:
    """Everything that others told us, over one store. May be used from any thread.

    `clock` gives seconds since the epoch.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self.database = database
        self.clock = clock

    def add_member(self, identity: str, name: str, key: str, by: str) -> Imported | None:
        """Pin the key of a member, and take in what it sent before: a retraction too, that came
        while nobody believed it. What became of that; None where there is nothing.

        Raises:
            IndicatorError: as :func:`~stillwatch.intel.received.members.add_member`.
        """
        with self.database.writing() as (connection, version):
            now = int(self.clock())
            member = add_member(connection, identity, name, key, by, now)
            said = {"member": identity, "key": member.key, "outcome": "added"}
            put_entry(connection, kind="indicator", at=now, by=by, body=said)
            before = take_apart(connection, member.identity)
            if not before:
                return None
            batch = look_at(before, read_members(connection), now)
            return self._taken(connection, version, batch, source="kept apart", by=by, now=now)

    def remove_member(self, identity: str, by: str) -> list[str]:
        """Believe a member no more; the actions that ended with it.

        Raises:
            IndicatorError: there is none, or it was removed before.
        """
        with self.database.writing() as (connection, version):
            now = int(self.clock())
            remove_member(connection, identity, by, now)
            ended = end_unsupported(connection, version, now)
            said = {"member": identity, "outcome": "removed", "ended": len(ended)}
            put_entry(connection, kind="indicator", at=now, by=by, body=said)
            return ended

    def members(self) -> list[Member]:
        """All members, also those that were removed."""
        with self.database.reading() as (connection, _):
            return list(read_members(connection).values())

    def take_in(
        self, objects: Sequence[dict[str, Any] | Unread], *, source: str, by: str
    ) -> Imported:
        """Take a batch in, all of it or nothing, and end what it takes back."""
        now = int(self.clock())
        with self.database.reading() as (connection, _):
            members = read_members(connection)
        batch = look_at(objects, members, now)  # while nobody waits for it
        with self.database.writing() as (connection, version):
            if (members := read_members(connection)) != batch.members:
                batch = look_at(objects, members, now)
            return self._taken(connection, version, batch, source=source, by=by, now=now)

    def _taken(
        self, connection: Connection, version: int, batch: Batch, *, source: str, by: str, now: int
    ) -> Imported:
        told, fresh = take_in(connection, batch, source=source, by=by, now=now)
        if fresh:
            ended = end_unsupported(connection, version, now)
            told = msgspec.structs.replace(told, ended=len(ended))
        record_import(connection, told, source=source, by=by, now=now)
        return told

    def indicators(self) -> list[Indicator]:
        """Those that may be looked for now."""
        with self.database.reading() as (connection, _):
            return live_indicators(connection, int(self.clock()))

    def patterns(self) -> frozenset[str]:
        """Everything that was told of and is still kept, live or not."""
        with self.database.reading() as (connection, _):
            wanted = select(OBJECTS.c.pattern).where(OBJECTS.c.pattern.is_not(None)).distinct()
            return frozenset(connection.execute(wanted).scalars())

    def keep_hits(self, matched: Matched) -> None:
        """Keep what a log met, in place of what was known of those accounts and patterns."""
        spread, now = matched.spread(), int(self.clock())
        rows = [
            {
                "pattern": hit.pattern, "account": hit.account, "kind": hit.kind,
                "exchanges": hit.exchanges, "first_at": hit.first_at, "last_at": hit.last_at,
                "accounts": spread[hit.pattern], "of": matched.accounts, "matched_at": now,
            }
            for hit in matched.hits
        ]  # fmt: skip
        with self.database.writing() as (connection, _):
            for row in rows:
                connection.execute(
                    delete(HITS).where(
                        HITS.c.pattern == row["pattern"], HITS.c.account == row["account"]
                    )
                )
            for start in range(0, len(rows), _AT_ONCE):
                connection.execute(insert(HITS), rows[start : start + _AT_ONCE])

    def apply(self, rules: BlockRules) -> Applied:
        """End what nothing carries any more, and act on hits as `rules` say."""
        with self.database.writing() as (connection, version):
            return apply_blocks(connection, version, rules, int(self.clock()))

    def blocks(self) -> list[Block]:
        """What hits have caused so far, oldest first."""
        with self.database.reading() as (connection, _):
            return read_blocks(connection)

    def reputations(self) -> list[Reputation]:
        """How often each member was right."""
        with self.database.reading() as (connection, _):
            told = supports(connection, int(self.clock()))
            return read_reputations(connection, told, read_verdicts(connection))

    def seen(self) -> list[Seen]:
        """What members say became of indicators there, those of ours among them."""
        with self.database.reading() as (connection, _):
            return read_seen(connection)

    def sightings(self, author: Author, *, every: bool = False) -> list[dict[str, Any]]:
        """Sightings of others' indicators that are new or changed, sealed; each is made once.

        `every` gives those that were made before, too: what was to be sent may be lost."""
        with self.database.writing() as (connection, _):
            now = int(self.clock())
            made = make_sightings(connection, author, now)
            if made:
                said = {"sightings": len(made), "outcome": "told"}
                put_entry(connection, kind="export", at=now, by=author.identity, body=said)
            return kept_sightings(connection) if every else made

    def unrecorded(self) -> int:
        """How many entries the ledger was not told yet, those of cases included."""
        with self.database.reading() as (connection, _):
            return sum(1 for _ in waiting(connection))

    def deliver(self, recorder: Recorder) -> int:
        """Tell the ledger what waits, each entry once; how many there were."""
        return deliver(self.database, recorder)

    def close(self) -> None:
        self.database.close()

    def __enter__(self) -> Received:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_received(
    state: str | Path, *, create: bool = False, clock: Callable[[], float] = time.time
) -> Received:
    """Open what was received in a state folder, or at an address (``postgresql://host/name``).

    `create` makes what is missing, the store of cases included.

    Raises:
        SettingsError: the address is none, or its driver is not installed.
        StoreFormatError: there is no store, or it is damaged or of another version.
        StorageError: it cannot be reached.
    """
    if not create and "://" not in str(state) and not (Path(state) / KEYS_FILE).is_file():
        raise StoreFormatError(_NOTHING, path=str(state))
    cases = open_cases(state, create=create, clock=clock)
    try:
        _prepare(cases, create=create)
    except BaseException:
        cases.close()
        raise
    return Received(cases.database, clock)


def _prepare(cases: Cases, *, create: bool) -> None:
    database = cases.database
    with failures(database.name):
        with database.reading() as (connection, _):
            there = inspect(connection).has_table(ABOUT.name)
            found = connection.execute(select(ABOUT.c.format)).scalar() if there else None
        if found is None and create:
            with database.writing() as (connection, _):
                METADATA.create_all(connection)
                if connection.execute(select(ABOUT.c.format)).scalar() is None:
                    connection.execute(insert(ABOUT).values(one=1, format=FORMAT))
            return
    if found is None:
        raise StoreFormatError(_NOTHING, path=database.name)
    if found != FORMAT:
        raise StoreFormatError(
            f"what was received is of the format {found}, and this version reads {FORMAT}; "
            "use the version of stillwatch that wrote it",
            path=database.name,
        )
