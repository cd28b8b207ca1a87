"""Which indicators may be acted on now: the newest version, of a member, valid, not taken back."""

from __future__ import annotations

import json
from collections.abc import Mapping

import msgspec
from sqlalchemy import Connection, select

from stillwatch.intel.matching.indicators import Indicator, indicators_of
from stillwatch.intel.received.schema import MEMBERS, OBJECTS

__all__ = ["Support", "live_indicators", "supports"]


class Support(msgspec.Struct, frozen=True):
    """A live indicator of a member, as far as a block rests on it."""

    sender: str
    id: str
    valid_until: int


def supports(connection: Connection, now: int) -> dict[str, list[Support]]:
    """Pattern → the live indicators that look for it, of members who stand."""
    rows = connection.execute(
        select(OBJECTS.c.pattern, OBJECTS.c.sender, OBJECTS.c.id, OBJECTS.c.valid_until)
        .join(MEMBERS, MEMBERS.c.identity == OBJECTS.c.sender)
        .where(
            OBJECTS.c.newest,
            OBJECTS.c.pattern.is_not(None),
            ~OBJECTS.c.revoked,
            OBJECTS.c.valid_from <= now,
            OBJECTS.c.valid_until > now,
            MEMBERS.c.removed_at.is_(None),
        )
        .order_by(OBJECTS.c.sender, OBJECTS.c.id)
    )
    found: dict[str, list[Support]] = {}
    for pattern, sender, name, valid_until in rows:
        found.setdefault(pattern, []).append(Support(sender, name, valid_until))
    return found


def live_indicators(connection: Connection, now: int) -> list[Indicator]:
    """The indicators that may be looked for, each with the campaign that it indicates."""
    live = {(each.sender, each.id) for some in supports(connection, now).values() for each in some}
    rows = connection.execute(
        select(OBJECTS.c.body).where(
            OBJECTS.c.newest, OBJECTS.c.type.in_(["indicator", "relationship"])
        )
    )
    objects: list[Mapping[str, object]] = [json.loads(body) for body in rows.scalars()]
    return [each for each in indicators_of(objects) if (each.sender, each.id) in live]
