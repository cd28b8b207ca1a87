"""The campaigns of a look beside those that were reported before: what is new, grown, withdrawn.

This is the one place where what a look found becomes findings.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from stillwatch.campaigns.campaign import Campaign
from stillwatch.campaigns.outputs import campaign_json
from stillwatch.campaigns.watching.schedule import instant, micros

__all__ = ["Changes", "Event", "Known", "Standing", "compare"]


class Event(enum.StrEnum):
    """What a line of ``findings.jsonl`` says of a campaign."""

    NEW = "new"
    GROWN = "grown"
    WITHDRAWN = "withdrawn"


class Standing(enum.StrEnum):
    """What a campaign is that was reported: supported by the last look, taken back, or silent
    since exchanges that it rested on have left the window."""

    STANDS = "stands"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


@dataclass(frozen=True)
class Known:
    """A campaign that was reported.

    Attributes:
        accounts: its members at the last look that supported it.
        ever: every account that was a member at any look.
        families: the most families of evidence that ever carried it.
        first, last: when its first and last exchange of that look came (µs since 1970).
        body: the campaign as that look had it.
    """

    id: str
    standing: Standing
    accounts: tuple[str, ...]
    ever: tuple[str, ...]
    families: int
    first: int
    last: int
    body: Mapping[str, Any]

    def stored(self) -> dict[str, Any]:
        """What :meth:`read` reads."""
        return asdict(self)

    def renamed(self, names: Mapping[str, str]) -> Known:
        """The same where accounts are called otherwise now: `names` by those of before."""
        accounts, ever, listed = (
            [names.get(name, name) for name in each]
            for each in (self.accounts, self.ever, self.body["accounts"])
        )
        return replace(
            self,
            accounts=tuple(accounts),
            ever=tuple(sorted(ever)),
            body={**self.body, "accounts": listed},
        )

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Known:
        """From what :meth:`stored` gave, by way of JSON."""
        accounts, ever = tuple(stored["accounts"]), tuple(stored["ever"])
        standing = Standing(stored["standing"])
        return cls(**{**stored, "accounts": accounts, "ever": ever, "standing": standing})


@dataclass(frozen=True)
class Changes:
    """What a look changes: its campaigns under the names they keep, the lines to write, in
    order, and what is known afterwards."""

    campaigns: Sequence[Campaign]
    lines: Sequence[dict[str, Any]]
    known: Sequence[Known]


def compare(
    known: Sequence[Known],
    found: Sequence[Campaign],
    weaker: Sequence[Campaign],
    boundary: int,
    first: int,
) -> Changes:
    """Tell what the campaigns `found` at the look `boundary` change.

    A campaign is one that was reported before when they share more than half of the members of
    the smaller of the two; of several, those that share most. It keeps the name of its first
    report, and is reported again when it has members that it never had, or more families of
    evidence than ever. One that a look supports no more is withdrawn, unless exchanges that it
    rested on have left the window since: then it lapses without a word, and is forgotten with the
    last of them. What was reported when its tests were strong enough stays reported while it is
    worth a review: the promise was kept at the moment of the report.

    Args:
        known: in the order of their first report.
        weaker: groups for review, which the promise does not hold for at this look.
        first: from when on exchanges are in the window (µs since 1970).
    """
    at = instant(boundary).isoformat().replace("+00:00", "Z")
    before = _matched(known, found)
    taken = {each.id for each in known}
    campaigns: list[Campaign] = []
    lines: list[dict[str, Any]] = []
    after = {each.id: each for each in known}
    for number, campaign in enumerate(found):
        earlier = known[before[number]] if number in before else None
        name = _free(campaign.id, taken) if earlier is None else earlier.id
        taken.add(name)
        campaign = replace(campaign, id=name)
        campaigns.append(campaign)
        event = _event(earlier, campaign)
        if event is not None:
            lines.append({"at": at, "event": event, **campaign_json(campaign)})
        after[name] = _known(earlier, campaign)
    matched = set(before.values())
    for number, earlier in enumerate(known):
        if number in matched:
            continue
        if earlier.standing == Standing.STANDS and any(
            _same(earlier.accounts, each) for each in weaker
        ):
            continue
        heir = next((each for each in campaigns if _same(earlier.accounts, each)), None)
        if earlier.standing == Standing.STANDS and (heir is not None or earlier.first >= first):
            reason = (
                "a later look no longer supports it"
                if heir is None
                else f"its accounts are part of {heir.id} now"
            )
            lines.append({"at": at, "event": Event.WITHDRAWN, "reason": reason, **earlier.body})
            after[earlier.id] = replace(earlier, standing=Standing.WITHDRAWN)
        elif earlier.last < first:
            del after[earlier.id]
        elif earlier.standing == Standing.STANDS:
            after[earlier.id] = replace(earlier, standing=Standing.LAPSED)
    return Changes(campaigns, lines, list(after.values()))


def _matched(known: Sequence[Known], found: Sequence[Campaign]) -> dict[int, int]:
    """Which of `found` is which of `known`: the pairs that share most first, then the oldest."""
    pairs = [
        (-_overlap(earlier.accounts, campaign), old, new)
        for old, earlier in enumerate(known)
        for new, campaign in enumerate(found)
        if _same(earlier.accounts, campaign)
    ]
    before: dict[int, int] = {}
    for _, old, new in sorted(pairs):
        if new not in before and old not in before.values():
            before[new] = old
    return before


def _same(accounts: Sequence[str], campaign: Campaign) -> bool:
    smaller = min(len(accounts), len(campaign.members))
    return 2 * _overlap(accounts, campaign) > smaller


def _overlap(accounts: Sequence[str], campaign: Campaign) -> int:
    return len({member.account for member in campaign.members}.intersection(accounts))


def _event(earlier: Known | None, campaign: Campaign) -> Event | None:
    if earlier is None or earlier.standing == Standing.WITHDRAWN:
        return Event.NEW
    fresh = {member.account for member in campaign.members}.difference(earlier.ever)
    return Event.GROWN if fresh or len(campaign.families) > earlier.families else None


def _known(earlier: Known | None, campaign: Campaign) -> Known:
    accounts = tuple(member.account for member in campaign.members)
    ever, families = set(accounts), len(campaign.families)
    if earlier is not None:
        ever.update(earlier.ever)
        families = max(families, earlier.families)
    return Known(
        id=campaign.id,
        standing=Standing.STANDS,
        accounts=accounts,
        ever=tuple(sorted(ever)),
        families=families,
        first=micros(campaign.first_seen),
        last=micros(campaign.last_seen),
        body=campaign_json(campaign),
    )


def _free(name: str, taken: set[str]) -> str:
    """`name`, or with a number where another campaign that was reported is called so."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    return free
