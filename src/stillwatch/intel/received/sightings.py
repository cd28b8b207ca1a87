"""What became of the indicators of others here, as STIX sightings to send back.

One sighting an indicator: ``matched`` when accounts meet it, ``confirmed`` or ``refuted`` when our
own cases decided; a later outcome is a later version of the same object. Told are the outcome, a
bucket of exchanges and when it was seen first and last to the hour: no account, and no count. That
one account alone meets an indicator is told when a case decided it, and not before: a competitor
could ask so for each of its customers whether it is one of ours, too.
"""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, delete, insert, select

from stillwatch.intel.profile import Author, Seal, extension_of, new_version, validate
from stillwatch.intel.received.live import supports
from stillwatch.intel.received.outcomes import read_verdicts
from stillwatch.intel.received.schema import HITS, MEMBERS, OBJECTS, SIGHTINGS

__all__ = ["Seen", "kept_sightings", "make_sightings", "read_seen"]

_NAMESPACE: Final = uuid.UUID("3d0c9a7e-6f5b-5c1e-9a52-7d2c1f0b8e44")
_HOUR = 3_600_000_000  # µs
#: accounts that must meet an indicator before others are told that anybody does
LEAST_ACCOUNTS = 2


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What a member says became of an indicator there."""

    indicator: str
    member: str
    outcome: str
    count: str
    last_seen: str


def read_seen(connection: Connection) -> list[Seen]:
    """The sightings that members who stand have sent, by indicator."""
    rows = connection.execute(
        select(MEMBERS.c.name, OBJECTS.c.body)
        .join(MEMBERS, MEMBERS.c.identity == OBJECTS.c.sender)
        .where(
            OBJECTS.c.type == "sighting", OBJECTS.c.newest, ~OBJECTS.c.revoked,
            MEMBERS.c.removed_at.is_(None),
        )
    )  # fmt: skip
    found = []
    for member, body in rows:
        thing = json.loads(body)
        own = extension_of(thing)
        found.append(
            Seen(
                indicator=str(thing.get("sighting_of_ref")), member=member,
                outcome=str(own.get("outcome")), count=str(own.get("count", "-")),
                last_seen=str(thing.get("last_seen", "-")),
            )
        )  # fmt: skip
    return sorted(found, key=lambda seen: (seen.indicator, seen.member))


def kept_sightings(connection: Connection) -> list[dict[str, Any]]:
    """The last version of every sighting that was made and is still kept."""
    wanted = select(SIGHTINGS.c.body).order_by(SIGHTINGS.c.sender, SIGHTINGS.c.id)
    return [json.loads(body) for body in connection.execute(wanted).scalars()]


def make_sightings(connection: Connection, author: Author, now: int) -> list[dict[str, Any]]:
    """The sightings that are new, or whose outcome changed since they were made last.

    They are kept, so that each is made once; who makes them sends them.
    """
    verdicts, told = read_verdicts(connection), supports(connection, now)
    at = datetime.fromtimestamp(now, UTC)
    before = {
        (row.sender, row.id): (row.outcome, json.loads(row.body))
        for row in connection.execute(select(SIGHTINGS))
    }
    made = []
    for pattern, (exchanges, first, last) in sorted(_seen(connection).items()):
        outcome = verdicts.of(pattern)
        if outcome == "matched" and len(verdicts.met[pattern]) < LEAST_ACCOUNTS:
            continue
        for each in told.get(pattern, ()):
            known = before.get((each.sender, each.id))
            if known is not None and known[0] == outcome:
                continue
            if known is None:
                name = uuid.uuid5(_NAMESPACE, f"{author.identity} {each.sender} {each.id}")
                thing = author.sighting(
                    each.id, outcome, exchanges=exchanges, first_seen=_hour(first),
                    last_seen=_hour(last), now=at, named=f"sighting--{name}",
                )  # fmt: skip
            else:
                thing = _changed(known[1], outcome, author, at)
            validate(thing)
            made.append(thing)
            connection.execute(
                delete(SIGHTINGS).where(
                    SIGHTINGS.c.sender == each.sender, SIGHTINGS.c.id == each.id
                )
            )
            connection.execute(
                insert(SIGHTINGS).values(
                    sender=each.sender, id=each.id, outcome=outcome, body=json.dumps(thing)
                )
            )
    return made


def _changed(known: dict[str, Any], outcome: str, author: Author, at: datetime) -> dict[str, Any]:
    own = extension_of(known)
    (name,) = (key for key, value in known["extensions"].items() if value == own)
    extensions = known["extensions"] | {name: own | {"outcome": outcome}}
    return Seal.sign(new_version(known, {"extensions": extensions}, at), author.key)


def _seen(connection: Connection) -> dict[str, tuple[int, int, int]]:
    """Pattern → exchanges that met it, the first and the last of them (µs)."""
    found: dict[str, tuple[int, int, int]] = {}
    columns = (HITS.c.pattern, HITS.c.exchanges, HITS.c.first_at, HITS.c.last_at)
    for pattern, exchanges, first, last in connection.execute(select(*columns)):
        before = found.get(pattern, (0, first, last))
        found[pattern] = (before[0] + exchanges, min(before[1], first), max(before[2], last))
    return found


def _hour(micros: int) -> datetime:
    return datetime.fromtimestamp(micros // _HOUR * 3_600, UTC)
