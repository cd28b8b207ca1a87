"""Who may tell us something: members of the community, each with the key that it seals with.

The key is pinned by a person who checked it elsewhere. A member who is removed stays in the list,
so that what it told before is recognised, and undone. One who is back with another key, because the
first leaked, begins anew: whatever the first one sealed may be forged, and is deleted.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from stillwatch.access.registration import check_name
from stillwatch.errors import IndicatorError, InputError
from stillwatch.intel.matching.indicators import stix_id
from stillwatch.intel.received.schema import MEMBERS, OBJECTS

__all__ = ["Member", "add_member", "read_members", "remove_member"]

_KEY = re.compile(r"[0-9a-f]{64}")


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A provider that may tell us something; `key` is 64 hexadecimal digits (Ed25519, public)."""

    identity: str
    name: str
    key: str
    added_at: int
    added_by: str
    removed_at: int | None = None
    removed_by: str | None = None


def read_members(connection: Connection) -> dict[str, Member]:
    """All members by the id of their identity, also those that were removed."""
    rows = connection.execute(select(MEMBERS).order_by(MEMBERS.c.added_at, MEMBERS.c.identity))
    return {row["identity"]: Member(**row) for row in rows.mappings()}


def add_member(
    connection: Connection, identity: str, name: str, key: str, by: str, now: int
) -> Member:
    """Pin the key of a member. The same again changes nothing; one that was removed is back, with
    what it told before if that was sealed with this key.

    Raises:
        IndicatorError: the id or the key is none, or another key is pinned: a member that changed
            its key is removed first.
    """
    identity = stix_id(identity, "identity", "identity")
    key = key.strip().lower()
    if not _KEY.fullmatch(key):
        raise IndicatorError("key: 64 hexadecimal digits are needed, a public Ed25519 key")
    _check_names(name=name, by=by)
    everybody = read_members(connection)
    known = everybody.get(identity)
    for other in everybody.values():
        if other.key == key and other.identity != identity:
            raise IndicatorError(f"key: it is that of {other.name}; one key speaks for one member")
    values: dict[str, Any] = {
        "identity": identity, "name": name, "key": key, "added_at": now, "added_by": by,
        "removed_at": None, "removed_by": None,
    }  # fmt: skip
    if known is None:
        connection.execute(insert(MEMBERS).values(values))
        return Member(**values)
    if known.removed_at is None:
        if known.key != key:
            raise IndicatorError(
                f"key: another one is pinned for {known.name}; remove the member first, which "
                "undoes what its indicators caused"
            )
        return known
    if known.key != key:
        connection.execute(delete(OBJECTS).where(OBJECTS.c.sender == identity))
    connection.execute(update(MEMBERS).where(MEMBERS.c.identity == identity).values(values))
    return Member(**values)


def remove_member(connection: Connection, identity: str, by: str, now: int) -> Member:
    """Believe a member no more. What it told stays written, and does nothing from now on.

    Raises:
        IndicatorError: there is none of that id, or it was removed before.
    """
    _check_names(by=by)
    known = read_members(connection).get(identity)
    if known is None:
        raise IndicatorError(f"there is no member {identity}; `intel members list` shows all")
    if known.removed_at is not None:
        raise IndicatorError(f"{known.name} was removed before")
    values = {"removed_at": now, "removed_by": by}
    connection.execute(update(MEMBERS).where(MEMBERS.c.identity == identity).values(values))
    return msgspec.structs.replace(known, **values)


def _check_names(**fields: str) -> None:
    for field, value in fields.items():
        try:
            check_name(field, value)
        except InputError as error:
            raise IndicatorError(str(error)) from error
