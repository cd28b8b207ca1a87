"""One campaign → what its card and its line in the overview show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from stillwatch.campaigns.campaign import Campaign, Member, ScanReport, Template
from stillwatch.campaigns.reasons import noun
from stillwatch.campaigns.report.drawing import Drawing, draw
from stillwatch.campaigns.report.families import (
    FamilyLine,
    Voice,
    against,
    family_lines,
    headline,
    in_brief,
)
from stillwatch.campaigns.report.graph import Graph, condense
from stillwatch.campaigns.report.names import LongNames, Name, shorten
from stillwatch.campaigns.report.timeline import Timeline, timeline
from stillwatch.campaigns.report.words import base_rate, decimal, track_record, utc
from stillwatch.campaigns.track_record import overall
from stillwatch.detections import Evidence, Family, Metadata

__all__ = [
    "BRIEF",
    "FULL",
    "MEMBERS",
    "Card",
    "Detail",
    "LookAlikes",
    "MemberRow",
    "Opinion",
    "Phrase",
    "Strip",
    "card",
]

MEMBERS = 50


@dataclass(frozen=True)
class Detail:
    """How much a card shows: templates, hubs of its graph, bars of its timeline, and characters
    of a member's reasons."""

    templates: int
    hubs: int
    bars: int
    reasons: int


FULL = Detail(templates=8, hubs=12, bars=96, reasons=160)
BRIEF = Detail(templates=4, hubs=8, bars=48, reasons=64)
"""For reports of many campaigns, so that the page stays small."""


@dataclass(frozen=True)
class Opinion:
    """A piece of evidence, for or against, with the words around its numbers.

    `track_record` says what analysts found of campaigns with its detection; empty where nobody
    handed that over, and of what no detection says.
    """

    title: str
    family: str
    value: str
    nats: float
    base_rate: str
    text: str
    explained: bool
    track_record: str = ""


@dataclass(frozen=True)
class LookAlikes:
    """Honest traffic that sets off one detection, by its title."""

    title: str
    honest: tuple[str, ...]


@dataclass(frozen=True)
class Phrase:
    """Masked words, and the share of accounts that sent them, inside and outside, in percent."""

    template: Template
    inside: float
    outside: float
    outsiders: int


@dataclass(frozen=True)
class MemberRow:
    """A member, its name and its reasons fit for a table."""

    member: Member
    name: Name
    reasons: str


@dataclass(frozen=True)
class Strip:
    """When the campaign was active within the log's period, in percent of it."""

    start: float
    width: float


@dataclass(frozen=True)
class Card:
    """Everything about one campaign.

    Attributes:
        rank: counts from 1.
        sum: how the score adds up, or empty.
        others: exchanges of its accounts that are not the campaign's.
        marks: whether its exchanges can be told from others of its accounts.
        look_alikes: honest traffic that sets off the detections that speak for it.
        rarest: what speaks for it with the smallest base rate.
    """

    rank: int
    campaign: Campaign
    headline: str
    brief: str
    lines: tuple[FamilyLine, ...]
    sum: str
    others: int
    marks: bool
    supports: tuple[Opinion, ...]
    opposes: tuple[Opinion, ...]
    look_alikes: tuple[LookAlikes, ...]
    rarest: Opinion | None
    phrases: tuple[Phrase, ...]
    graph: Graph
    drawing: Drawing
    timeline: Timeline | None
    members: tuple[MemberRow, ...]
    strip: Strip

    @property
    def members_count(self) -> int:
        return len(self.campaign.members)

    @property
    def counting(self) -> int:
        """Families that speak on their own."""
        return sum(line.voice is Voice.COUNTS for line in self.lines)

    @property
    def scale(self) -> float:
        """The heaviest nats of any family, for or against: what bars are drawn against."""
        return max([1.0, *(max(line.supports, line.opposes) for line in self.lines)])


def card(
    rank: int, campaign: Campaign, report: ScanReport, names: LongNames, detail: Detail
) -> Card:
    """Prepare the card of a campaign."""
    metadata = {ran.metadata.name: ran.metadata for ran in report.detections}
    members = sorted(campaign.members, key=lambda m: (-m.score, m.account))
    lines = family_lines(campaign, report.detections)
    speaking = [e for e in campaign.evidence if e.speaks_for]
    speaking.sort(key=lambda e: (e.explained, -e.weight))
    ties = [replace(tie, label=noun(tie.detection, tie.label)) for tie in campaign.ties]
    graph = condense([member.account for member in members], ties, detail.hubs)
    family = {name: each.family for name, each in metadata.items()}
    return Card(
        rank=rank,
        campaign=campaign,
        headline=headline(lines),
        brief=in_brief(lines),
        lines=lines,
        sum=_sum(campaign, lines),
        others=max(0, sum(member.exchanges for member in members) - campaign.exchanges),
        marks=any(member.share > 0 for member in members),
        supports=tuple(
            replace(_opinion(e, metadata), track_record=_record(e, report)) for e in speaking
        ),
        opposes=tuple(_opinion(e, metadata) for e in against(campaign)),
        look_alikes=_look_alikes(speaking, metadata),
        rarest=_rarest(speaking, metadata),
        phrases=tuple(_phrase(t, campaign, report) for t in campaign.templates[: detail.templates]),
        graph=graph,
        drawing=draw(graph, family),
        timeline=timeline(campaign.hours, detail.bars),
        members=tuple(
            MemberRow(m, names.cut(m.account), _reasons(m, metadata, detail))
            for m in members[:MEMBERS]
        ),
        strip=_strip(campaign, report),
    )


def title_of(detection: str, metadata: Mapping[str, Metadata]) -> str:
    """The detection's own title; a property of groups that has none is called by its name."""
    if detection in metadata:
        return metadata[detection].title
    return detection.replace("_", " ").capitalize()


def _reasons(member: Member, metadata: Mapping[str, Metadata], detail: Detail) -> str:
    """Detections by their title, other reasons as they are."""
    titles = [metadata[r].title if r in metadata else r for r in member.reasons]
    return shorten("; ".join(titles), detail.reasons)


def _opinion(evidence: Evidence, metadata: Mapping[str, Metadata]) -> Opinion:
    return Opinion(
        title=title_of(evidence.detection, metadata),
        family=Family(evidence.family).value,
        value=decimal(evidence.value),
        nats=abs(evidence.weight),
        base_rate=base_rate(evidence.base_rate),
        text=evidence.text,
        explained=evidence.explained,
    )


def _record(evidence: Evidence, report: ScanReport) -> str:
    """What analysts found of its detection; nothing where the scan was not told."""
    if not report.track_record:
        return ""
    return track_record(overall(report.track_record).get(evidence.detection))


def _sum(campaign: Campaign, lines: Sequence[FamilyLine]) -> str:
    """How the score adds up, where it does; ``3.1 content + 2.0 time − 0.5 against``."""
    best: dict[Family, float] = {}
    for each in campaign.evidence:
        if each.speaks_for and not each.explained and each.weight > 0:
            best[each.family] = max(best.get(each.family, 0.0), each.weight)
    opposes = sum(line.opposes for line in lines)
    if abs(sum(best.values()) - opposes - campaign.score) > 0.05:
        return ""
    text = " + ".join(f"{best[f]:.1f} {f.value}" for f in Family if f in best)
    return text + (f" − {opposes:.1f} against" if opposes else "")


def _look_alikes(
    speaking: Sequence[Evidence], metadata: Mapping[str, Metadata]
) -> tuple[LookAlikes, ...]:
    """For each detection that weighs something, once, the heaviest first."""
    names = dict.fromkeys(e.detection for e in speaking if e.weight > 0 and e.detection in metadata)
    return tuple(
        LookAlikes(metadata[name].title, metadata[name].look_alikes)
        for name in names
        if metadata[name].look_alikes
    )


def _rarest(speaking: Sequence[Evidence], metadata: Mapping[str, Metadata]) -> Opinion | None:
    rated = [e for e in speaking if e.base_rate is not None and e.weight > 0]
    rarest = min(rated, key=lambda e: e.base_rate or 0.0, default=None)
    return None if rarest is None else _opinion(rarest, metadata)


def _phrase(template: Template, campaign: Campaign, report: ScanReport) -> Phrase:
    members = len(campaign.members)
    others = max(0, report.source.accounts - members)
    return Phrase(
        template,
        inside=_share(template.members, members),
        outside=_share(template.others, others),
        outsiders=others,
    )


def _share(part: int, whole: int) -> float:
    return round(min(100.0, 100 * part / whole), 2) if whole else 0.0


def _strip(campaign: Campaign, report: ScanReport) -> Strip:
    first, last = report.source.first, report.source.last
    if first is None or last is None or last <= first:
        return Strip(0.0, 100.0)
    begin, whole = utc(first), utc(last) - utc(first)
    start = min(98.5, max(0.0, 100 * ((utc(campaign.first_seen) - begin) / whole)))
    end = min(100.0, max(0.0, 100 * ((utc(campaign.last_seen) - begin) / whole)))
    return Strip(round(start, 2), round(max(1.5, end - start), 2))
