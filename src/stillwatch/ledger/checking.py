"""Reads a whole ledger and finds the first thing that is not as it was recorded or signed.

Every entry is hashed again, every kept hash compared, every head held against the root of as many
entries as it covers. One pass, in the order of entries; memory does not grow with the ledger.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from stillwatch.errors import InputError, StillwatchError, StoreFormatError, TamperedError
from stillwatch.ledger.database import Database
from stillwatch.ledger.head import Head
from stillwatch.ledger.merkle import leaf_hash
from stillwatch.ledger.tree import GROUP, Growing, Row

__all__ = ["Checked", "check_state"]


class Checked(NamedTuple):
    """A ledger that is sound: its entries, their root, and the heads that were held against it."""

    size: int
    root: bytes
    heads: int


class _Held(NamedTuple):
    head: Head
    given: bool  # by whoever checks; the others stand in the ledger itself


class _Heads:
    """The heads to hold against the ledger, shortest first."""

    def __init__(self, heads: list[_Held]) -> None:
        self._left = sorted(heads, key=lambda held: held.head.size, reverse=True)
        # How far heads held: heads of the ledger itself prove nothing against one that was given.
        self._good, self._good_given = 0, 0

    def next_size(self) -> int | None:
        return self._left[-1].head.size if self._left else None

    def meet(self, edge: Growing, place: Database) -> None:
        """Hold the heads of this size against the root."""
        root = edge.root().hex()
        while self._left and self._left[-1].head.size == edge.size:
            held = self._left.pop()
            if held.head.root != root:
                first = self._good_given if held.given else self._good
                raise TamperedError(
                    f"entries {first} to {edge.size - 1} are not those of the head that was signed "
                    f"at {held.head.at}: one of them was changed, or all that follow it",
                    path=place.path, index=first,
                )  # fmt: skip
            self._good = edge.size
            if held.given:
                self._good_given = edge.size

    def end(self, size: int, place: Database) -> None:
        """No head may cover more than there is."""
        if self._left:
            head = self._left[0].head
            raise TamperedError(
                f"it ends after {size:,} entries, and the head that was signed at {head.at} covers "
                f"{head.size:,}: its tail was cut",
                path=place.path, index=size,
            )  # fmt: skip


def check_state(database: Database, given: Sequence[Head], key: str) -> Checked:
    """Check the ledger in `database` against its own heads and those that are `given`.

    Raises:
        TamperedError: the first thing that does not hold.
        StoreFormatError: SQLite cannot read on; says after which entry.
    """
    with database.reading() as db:
        held = _stored(db, database, key)
        for head in given:
            head.check(key)
            if head.ledger != database.ledger:
                raise TamperedError(
                    f"the head is of the ledger {head.ledger}, and this is {database.ledger}",
                    path=database.path,
                )
            held.append(_Held(head, given=True))
        heads, edge = _Heads(held), Growing(0)
        try:
            _walk(db, edge, heads, database)
        except (sqlite3.Error, OverflowError) as error:
            raise StoreFormatError(
                f"the file is damaged, and cannot be read on after {edge.size:,} entries ({error});"
                " restore it from a backup",
                path=database.path,
            ) from error
        heads.end(edge.size, database)
    return Checked(edge.size, edge.root(), len(held))


def _stored(db: sqlite3.Connection, database: Database, key: str) -> list[_Held]:
    found = []
    for number, size, body in db.execute("SELECT number, size, head FROM head ORDER BY number"):
        try:
            head = Head.parse(body)
            head.check(key)
        except (InputError, TamperedError) as error:
            raise _of_head(database, number, error) from error
        if (head.size, head.ledger) != (size, database.ledger):
            raise _of_head(database, number, "it is of another ledger, or of another size")
        found.append(_Held(head, given=False))
    return found


def _of_head(database: Database, number: int, what: StillwatchError | str) -> TamperedError:
    return TamperedError(f"head {number} of the ledger itself: {what}", path=database.path)


def _walk(db: sqlite3.Connection, edge: Growing, heads: _Heads, database: Database) -> None:
    heads.meet(edge, database)
    rows = db.execute("SELECT number, leaf, entry FROM entry ORDER BY number")
    while True:
        # to the end of a group or to the next head, whichever comes first
        until = (edge.size // GROUP + 1) * GROUP
        size = heads.next_size()
        if size is not None:
            until = min(until, size)
        before = edge.size
        leaves: list[bytes] = []
        for number, leaf, entry in rows.fetchmany(until - before):
            expected = before + len(leaves)
            if number != expected:
                raise _bad(database, expected, "it is missing")
            if leaf_hash(entry) != leaf:
                raise _bad(database, expected, "its bytes are not those that were recorded")
            leaves.append(leaf)
        for row in edge.add(leaves):
            _compare(db, row, database)
        if edge.size < until:
            return
        heads.meet(edge, database)


def _compare(db: sqlite3.Connection, row: Row, database: Database) -> None:
    height, number, found = row
    kept = db.execute(
        "SELECT hash FROM subtree WHERE height = ? AND number = ?", (height, number)
    ).fetchone()
    if kept != (found,):
        first, last = number << height, ((number + 1) << height) - 1
        raise TamperedError(
            f"entries {first} to {last} do not have the hash that was kept over them: one of them, "
            "or that hash, was changed",
            path=database.path, index=first,
        )  # fmt: skip


def _bad(database: Database, index: int, what: str) -> TamperedError:
    return TamperedError(f"entry {index}: {what}", path=database.path, index=index)
