"""The table of actions: written, undone, imported, and kept as history when they have ended."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, insert, select, update

from stillwatch.access.actions import SHORTEST_GRACE, Action, check_action, shuts_out
from stillwatch.access.database import Database
from stillwatch.access.lists import read_list
from stillwatch.access.registration import check_name
from stillwatch.access.schema import ACTIONS
from stillwatch.errors import InputError

__all__ = ["ActionStore", "end_action", "put_action", "read_actions"]

#: with this begin the ids of what `cases` puts in force
_OF_CASES = "case-"
_FIELDS = Action.__struct_fields__
_COLUMNS = tuple(ACTIONS.c[name] for name in _FIELDS)


class ActionStore:
    """Writes and reads actions. Every write is durable when the method returns.

    Nothing that shuts an account out is written here, for that takes two people, and this room
    knows of one: `cases` decides it, and writes it with :func:`put_action` in its own transaction.

    `clock` gives seconds since the epoch. Besides what they say, all methods raise StorageError
    and StoreFormatError as :class:`~stillwatch.access.Database` does.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def put(self, action: Action) -> Action:
        """Write an action; an empty id and a `created_at` of 0 are filled in.

        The same action under the same id again changes nothing, so that it may be sent twice.

        Raises:
            InputError: it must not be written as it is, it shuts out, or its id is that of another
                one.
        """
        _check_direct(action)
        now = int(self._clock())
        with self._database.writing() as (connection, version):
            return put_action(connection, version, action, now)[0]

    def undo(self, id: str, by: str) -> Action:  # noqa: A002
        """End an action now; it stays in the history, with who undid it.

        Raises:
            InputError: there is no such action, or it was undone before.
        """
        with self._database.writing() as (connection, version):
            return end_action(connection, version, id, by, int(self._clock()))

    def in_force(self, at: float | None = None) -> list[Action]:
        """The actions in force now, or at another time, in the order in which they were made."""
        when = self._clock() if at is None else at
        with self._database.reading() as (connection, _):
            lasting = read_actions(connection, ACTIONS.c.expires_at > when)
            return [action for _, action in lasting if action.in_force(when)]

    def history(self) -> Iterator[Action]:
        """All actions, also those that have ended, in the order in which they were made."""
        with self._database.reading() as (connection, _):
            for _, action in read_actions(connection):
                yield action

    def import_file(self, path: Path) -> list[Action]:
        """Write a list from a file, one JSON object a line, all or none; those that were new.

        Raises:
            InputError: a line is no action, or must not be written; it is named.
        """
        now = int(self._clock())
        lines = read_list(path, Action)
        fresh = []
        with self._database.writing() as (connection, version):
            for number, action in lines:
                try:
                    _check_direct(action)
                    written, new = put_action(connection, version, action, now)
                except InputError as error:
                    raise InputError(
                        f"{error}; nothing of the file was written", path=path, line=number
                    ) from error
                if new:
                    fresh.append(written)
        return fresh


def _check_direct(action: Action) -> None:
    if shuts_out(action.kind, action.seconds):
        what = "a suspension"
        if action.kind == "verify":
            what = f"to verify with a grace below {SHORTEST_GRACE // 3_600} hours"
        raise InputError(
            f"{what} takes two people: propose it on a case (`stillwatch cases propose`); what "
            "cannot wait, one may suspend for a day (`stillwatch cases emergency`)"
        )
    if action.id.startswith(_OF_CASES):
        raise InputError(f"id: {action.id!r} would be that of a case; choose another one")


def read_actions(
    connection: Connection, *conditions: ColumnElement[bool]
) -> Iterator[tuple[int, Action]]:
    """The version and the content of each action under some conditions, oldest first."""
    wanted = (
        select(ACTIONS.c.version, *_COLUMNS)
        .where(*conditions)
        .order_by(ACTIONS.c.created_at, ACTIONS.c.id)
    )
    with connection.execute(wanted, execution_options={"yield_per": 1_000}) as rows:
        for version, *values in rows:
            fields: dict[str, Any] = dict(zip(_FIELDS, values, strict=True))
            if fields["surface"] is not None:
                fields["surface"] = msgspec.json.decode(fields["surface"])
            yield version, Action(**fields)


def put_action(
    connection: Connection, version: int, action: Action, now: int
) -> tuple[Action, bool]:
    """Write an action within a transaction; as it stands now, and whether it is new.

    Raises:
        InputError: as :meth:`ActionStore.put` does.
    """
    if action.id and (known := _one(connection, action.id)):
        if _same(known, action):
            return known, False
        raise InputError(f"id: {action.id} is that of another action; choose a new one")
    action = msgspec.structs.replace(
        action, id=action.id or f"act-{secrets.token_hex(8)}", created_at=action.created_at or now
    )
    check_action(action, now)
    values = msgspec.structs.asdict(action) | {"version": version}
    if action.surface is not None:
        values["surface"] = msgspec.json.encode(action.surface).decode()
    connection.execute(insert(ACTIONS).values(values))
    return action, True


def end_action(connection: Connection, version: int, id: str, by: str, now: int) -> Action:  # noqa: A002
    """End an action within a transaction.

    Raises:
        InputError: as :meth:`ActionStore.undo` does.
    """
    check_name("by", by)
    action = _one(connection, id)
    if action is None:
        raise InputError(f"there is no action {id!r}; `stillwatch actions list` shows all")
    if action.undone_at is not None:
        raise InputError(f"{id} was undone before, by {action.undone_by}")
    values = {"undone_at": now, "undone_by": by}
    connection.execute(
        update(ACTIONS).where(ACTIONS.c.id == id).values(values | {"version": version})
    )
    return msgspec.structs.replace(action, **values)


def _same(known: Action, given: Action) -> bool:
    created = given.created_at or known.created_at
    return known == msgspec.structs.replace(
        given, created_at=created, undone_at=known.undone_at, undone_by=known.undone_by
    )


def _one(connection: Connection, action_id: str) -> Action | None:
    found = list(read_actions(connection, ACTIONS.c.id == action_id))
    return found[0][1] if found else None
