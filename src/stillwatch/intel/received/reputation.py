"""How often a sender was right, from verdicts here and from sightings that other members sent.

Of each indicator that was decided, here or elsewhere, one outcome counts an observer. The interval
is exact (Clopper and Pearson): a sender of whom little is known is not distrusted for it, and one
whose indicators are refuted again and again is, however many it sends.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

import msgspec
from sqlalchemy import Connection, select

from stillwatch.intel.profile import extension_of
from stillwatch.intel.received.live import Support
from stillwatch.intel.received.members import read_members
from stillwatch.intel.received.outcomes import Verdicts
from stillwatch.intel.received.schema import OBJECTS

__all__ = ["Reputation", "distrusted", "read_reputations"]


class Reputation(msgspec.Struct, frozen=True, kw_only=True):
    """A sender, with the outcomes of its indicators; `least` and `most` bound the share that is
    right (95 %, exact; 0 and 1 where nothing was decided)."""

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
    outcomes: dict[str, list[bool]] = {name: [] for name in members}
    indicators: dict[str, int] = dict.fromkeys(members, 0)
    for (sender, _), pattern in pattern_of.items():
        indicators[sender] += 1
        outcome = verdicts.of(pattern)
        if outcome != "matched":
            outcomes[sender].append(outcome == "confirmed")
    for sender, right in _of_others(connection, pattern_of.keys()):
        outcomes[sender].append(right)
    found = []
    for name, member in members.items():
        confirmed, decided = sum(outcomes[name]), len(outcomes[name])
        least, most = share_interval(confirmed, decided)
        found.append(
            Reputation(
                sender=name, name=member.name, indicators=indicators[name], confirmed=confirmed,
                refuted=decided - confirmed, least=least, most=most,
            )
        )  # fmt: skip
    return found


def distrusted(reputations: list[Reputation], share: float) -> frozenset[str]:
    """Senders who are right less often than `share`, beyond doubt (95 %)."""
    return frozenset(each.sender for each in reputations if each.most < share)


def _of_others(
    connection: Connection, indicators: Iterable[tuple[str, str]]
) -> list[tuple[str, bool]]:
    """What members saw of the indicators of others: (who told it, whether it was right)."""
    known: dict[str, list[str]] = {}
    for sender, name in indicators:
        known.setdefault(name, []).append(sender)
    members = read_members(connection)
    rows = connection.execute(
        select(OBJECTS.c.sender, OBJECTS.c.body).where(
            OBJECTS.c.type == "sighting", OBJECTS.c.newest, ~OBJECTS.c.revoked
        )
    )
    seen: dict[tuple[str, str], bool] = {}
    for observer, body in rows:
        if members[observer].removed_at is not None:
            continue
        thing = json.loads(body)
        outcome = extension_of(thing).get("outcome")
        name = thing.get("sighting_of_ref")
        if outcome in ("confirmed", "refuted") and name in known:
            seen[observer, name] = outcome == "confirmed"
    return [
        (sender, right)
        for (observer, name), right in sorted(seen.items())
        for sender in known[name]
        if sender != observer  # nobody vouches for itself
    ]
