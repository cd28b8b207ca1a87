"""Which of the six families of evidence speak, which are explained already, which are silent."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from stillwatch.campaigns.campaign import COUNTS, Campaign, Ran
from stillwatch.campaigns.report.words import listing
from stillwatch.detections import Evidence, Family

__all__ = ["MEANING", "FamilyLine", "Voice", "against", "family_lines", "headline", "in_brief"]

MEANING = {
    Family.CONTENT: "the same wording, conversations or answers",
    Family.PURPOSE: "what the answers would be good for",
    Family.SHAPE: "how requests are set up",
    Family.TIME: "when and how evenly accounts work",
    Family.INFRASTRUCTURE: "payment instruments, devices, addresses",
    Family.OUTSIDE: "indicators from others, replayed reasoning",
}
_BRIEF = {
    Family.CONTENT: "same rare wording",
    Family.PURPOSE: "one purpose",
    Family.SHAPE: "same set-up of requests",
    Family.TIME: "in step",
    Family.INFRASTRUCTURE: "shared payment, device or address",
    Family.OUTSIDE: "known from outside",
}
_CLAUSE = {
    Family.CONTENT: "send the same rare wording",
    Family.PURPOSE: "pursue one purpose",
    Family.SHAPE: "set up their requests alike",
    Family.TIME: "move in step",
    Family.INFRASTRUCTURE: "share payment instruments, devices or addresses",
    Family.OUTSIDE: "match indicators from outside this log",
}


class Voice(enum.StrEnum):
    """What a family says about a campaign. Its value is the CSS class that draws it."""

    COUNTS = "counts"
    EXPLAINED = "explained"
    NOTED = "noted"
    AGAINST = "against"
    SILENT = "silent"
    ABSTAINED = "abstained"
    ABSENT = "absent"


_SAYS = {
    Voice.COUNTS: "speaks, and counts",
    Voice.EXPLAINED: "explained by the shared template, so it does not count twice",
    Voice.NOTED: "noted, too light to count as a family",
    Voice.AGAINST: "speaks against",
    Voice.SILENT: "looked, saw nothing",
    Voice.ABSTAINED: "could not look at this log",
    Voice.ABSENT: "nobody looked: no detection of this kind ran",
}


@dataclass(frozen=True)
class FamilyLine:
    """One family's line: what that family says, and its heaviest nats for and against.

    Evidence of one family counts once (law 1), so the heaviest piece stands for it.
    """

    family: Family
    voice: Voice
    supports: float
    opposes: float

    @property
    def title(self) -> str:
        return self.family.value.capitalize()

    @property
    def meaning(self) -> str:
        return MEANING[self.family]

    @property
    def says(self) -> str:
        both = self.opposes > 0 and self.voice is not Voice.AGAINST
        return _SAYS[self.voice] + ("; it also speaks against" if both else "")


def against(campaign: Campaign) -> tuple[Evidence, ...]:
    """Everything that speaks against the campaign, heaviest first."""
    opposing = [*campaign.counter_evidence, *(e for e in campaign.evidence if not e.speaks_for)]
    return tuple(sorted(opposing, key=lambda e: -abs(e.weight)))


def family_lines(campaign: Campaign, detections: Sequence[Ran]) -> tuple[FamilyLine, ...]:
    """All six families in their fixed order."""
    opposing = against(campaign)
    lines = []
    for family in Family:
        spoken = [e for e in campaign.evidence if e.family == family and e.speaks_for]
        ran = [d for d in detections if d.metadata.family == family]
        opposes = max((abs(e.weight) for e in opposing if e.family == family), default=0.0)
        counting = [e for e in spoken if e.weight >= COUNTS and not e.explained]
        supports = max((e.weight for e in (counting or spoken)), default=0.0)
        said = [*spoken, *(e for e in opposing if e.family == family)]
        voice = _voice(said, ran, opposes=opposes > 0, counts=bool(counting))
        lines.append(FamilyLine(family, voice, max(0.0, supports), opposes))
    return tuple(lines)


def _voice(said: Sequence[Evidence], ran: Sequence[Ran], *, opposes: bool, counts: bool) -> Voice:
    if counts:
        return Voice.COUNTS
    if any(e.explained and e.speaks_for and e.weight > 0 for e in said):
        return Voice.EXPLAINED
    if opposes:
        return Voice.AGAINST
    if said:
        return Voice.NOTED
    if not ran:
        return Voice.ABSENT
    return Voice.ABSTAINED if all(d.abstained is not None for d in ran) else Voice.SILENT


def in_brief(lines: Sequence[FamilyLine]) -> str:
    """The same for a cell of a table."""
    brief = ", ".join(_BRIEF[line.family] for line in lines if line.voice is Voice.COUNTS)
    return brief[:1].upper() + brief[1:] or "Linked accounts"


def headline(lines: Sequence[FamilyLine]) -> str:
    """What the families that count say of the accounts, as the end of a sentence."""
    clauses = [_CLAUSE[line.family] for line in lines if line.voice is Voice.COUNTS]
    return listing(clauses) or "are linked, though no family of evidence counts on its own"
