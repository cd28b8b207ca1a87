"""Which indicators may be acted on now: the newest version, of a member, valid, not taken back."""

from __future__ import annotations

import json
from collections.abc import Mapping

import msgspec
from sqlalchemy import Connection, or_, select

from stillwatch.intel.matching.indicators import Indicator, indicators_of
from stillwatch.intel.received.schema import MEMBERS, OBJECTS

__all__ = ["Support", "live_indicators", "supports"]


class Support(msgspec.Struct, frozen=True):
    """A live indicator of a member, as far as a block rests on it. `valid_until` is when it ends,
    or when its sender wants it deleted."""

    sender: str
    id: str
    valid_until: int


def supports(connection: Connection, now: int) -> dict[str, list[Support]]:
    """Pattern → the live indicators that look for it, of members who stand."""
    columns = OBJECTS.c
    rows = connection.execute(
        select(
            columns.pattern, columns.sender, columns.id, columns.valid_until, columns.retain_until
        )
        .join(MEMBERS, MEMBERS.c.identity == columns.sender)
        .where(
            columns.newest,
            columns.pattern.is_not(None),
            ~columns.revoked,
            columns.valid_from <= now,
            columns.valid_until > now,
            or_(columns.retain_until.is_(None), columns.retain_until > now),
            MEMBERS.c.removed_at.is_(None),
        )
        .order_by(columns.sender, columns.id)
    )
    found: dict[str, list[Support]] = {}
    for pattern, sender, name, valid_until, retain_until in rows:
        ends = valid_until if retain_until is None else min(valid_until, retain_until)
        found.setdefault(pattern, []).append(Support(sender, name, ends))
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
