"""How often a sender was right, from verdicts here and from sightings that other members sent.

Each indicator counts once. What our own cases decided stands; of the others, what so many more
members saw than saw the opposite: one member alone neither ruins another nor praises it. The
interval is exact (Clopper and Pearson): a sender of whom little is known is not distrusted for it,
and one whose indicators are refuted again and again is, however many it sends.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import msgspec
from sqlalchemy import Connection, func, select

from stillwatch.intel.profile import extension_of
from stillwatch.intel.received.live import Support
from stillwatch.intel.received.members import Member, read_members
from stillwatch.intel.received.outcomes import Verdicts
from stillwatch.intel.received.schema import OBJECTS

__all__ = ["Reputation", "distrusted", "read_reputations"]

#: members that must say the same of an indicator, beyond those that say the opposite
LEAST_OBSERVERS = 2


class Reputation(msgspec.Struct, frozen=True, kw_only=True):
    """A sender, with the outcomes of its indicators; `least` and `most` bound the share that is
    right (95 %, exact; 0 and 1 where nothing was decided). `most` is that of our own cases where
    they are less kind than all together, so that no friends can praise a liar."""

    sender: str
    name: str
    indicators: int
    confirmed: int
    refuted: int
    least: float
    most: float


def read_reputations(
    connection: Connection, told: Mapping[str, list[Support]], verdicts: Verdicts
) -> list[Reputation]:
    """All members who stand, with what became of their indicators.

    Args:
        told: the live indicators by pattern; those that were taken back count no more, so that
            whoever corrects a mistake is better off than who does not.
    """
    from stillwatch.statistics import share_interval  # takes a second: only where it is needed

    members = {name: m for name, m in read_members(connection).items() if m.removed_at is None}
    pattern_of = {
        (each.sender, each.id): pattern for pattern, some in told.items() for each in some
    }
    here: dict[str, list[bool]] = {name: [] for name in members}
    elsewhere: dict[str, list[bool]] = {name: [] for name in members}
    indicators: dict[str, int] = dict.fromkeys(members, 0)
    others = _of_others(connection, members)
    for (sender, name), pattern in pattern_of.items():
        indicators[sender] += 1
        outcome = verdicts.of(pattern)
        if outcome != "matched":
            here[sender].append(outcome == "confirmed")
        elif abs(seen := others.get((sender, name), 0)) >= LEAST_OBSERVERS:
            elsewhere[sender].append(seen > 0)
    found = []
    for name, member in members.items():
        every = here[name] + elsewhere[name]
        confirmed, decided = sum(every), len(every)
        least, most = share_interval(confirmed, decided)
        _, ours = share_interval(sum(here[name]), len(here[name]))
        found.append(
            Reputation(
                sender=name, name=member.name, indicators=indicators[name], confirmed=confirmed,
                refuted=decided - confirmed, least=least, most=min(most, ours),
            )
        )  # fmt: skip
    return found


def distrusted(reputations: list[Reputation], share: float) -> frozenset[str]:
    """Senders who are right less often than `share`, beyond doubt (95 %)."""
    return frozenset(each.sender for each in reputations if each.most < share)


def _of_others(connection: Connection, members: Mapping[str, Member]) -> dict[tuple[str, str], int]:
    """(sender, id) of an indicator → members that confirmed it, less those that refuted it."""
    told = _first_tellers(connection)
    rows = connection.execute(
        select(OBJECTS.c.sender, OBJECTS.c.body).where(
            OBJECTS.c.type == "sighting", OBJECTS.c.newest, ~OBJECTS.c.revoked
        )
    )
    seen: dict[tuple[str, str], dict[str, int]] = {}
    for observer, body in rows:
        thing = json.loads(body)
        outcome, name = extension_of(thing).get("outcome"), thing.get("sighting_of_ref")
        sender = told.get(name)
        # nobody vouches for itself
        if observer not in members or sender in (None, observer) or outcome == "matched":
            continue
        seen.setdefault((sender, name), {})[observer] = 1 if outcome == "confirmed" else -1
    return {indicator: sum(votes.values()) for indicator, votes in seen.items()}


def _first_tellers(connection: Connection) -> dict[str, str]:
    """Id of an indicator → who told it first, for a sighting names the id alone: whoever copies it
    later does not inherit what was seen. Ids that came from two at once are nobody's."""
    first = func.min(OBJECTS.c.import_number)
    rows = connection.execute(
        select(OBJECTS.c.id, OBJECTS.c.sender, first)
        .where(OBJECTS.c.type == "indicator")
        .group_by(OBJECTS.c.id, OBJECTS.c.sender)
        .order_by(first)
    )
    found: dict[str, tuple[str, int]] = {}
    for name, sender, number in rows:
        before = found.setdefault(name, (sender, number))
        if before[1] == number and before[0] != sender:
            found[name] = ("", number)
    return {name: sender for name, (sender, _) in found.items() if sender}
