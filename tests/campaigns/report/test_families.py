"""Which families speak: law 1 as the reader sees it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stillwatch.campaigns import Campaign, ScanReport
from stillwatch.campaigns.report.families import Voice, family_lines, headline, in_brief
from stillwatch.detections import Evidence, Family

Make = Callable[..., Campaign]


def said(family: Family, weight: float, **more: object) -> Evidence:
    return Evidence(family, "echo", 1.0, None, "text", weight=weight, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("evidence", "counter", "voice"),
    [
        ((said(Family.CONTENT, 2.0),), (), Voice.COUNTS),
        ((said(Family.CONTENT, 2.0, explained=True),), (), Voice.EXPLAINED),
        ((said(Family.CONTENT, 0.0),), (), Voice.NOTED),
        ((), (said(Family.CONTENT, 1.0),), Voice.AGAINST),
        ((said(Family.CONTENT, 1.0, speaks_for=False),), (), Voice.AGAINST),
        ((), (said(Family.CONTENT, 0.0),), Voice.NOTED),
        ((), (), Voice.SILENT),
    ],
)
def test_a_family_has_one_voice(
    evidence: tuple[Evidence, ...],
    counter: tuple[Evidence, ...],
    voice: Voice,
    make_campaign: Make,
    empty_report: ScanReport,
) -> None:
    campaign = make_campaign(["a", "b"], evidence=evidence, counter=counter)
    assert family_lines(campaign, empty_report.detections)[0].voice is voice


def test_the_families_that_count_are_those_of_the_campaign(full_report: ScanReport) -> None:
    for campaign in full_report.campaigns:
        lines = family_lines(campaign, full_report.detections)
        assert (
            tuple(sorted(line.family for line in lines if line.voice is Voice.COUNTS))
            == campaign.families
        )


def test_two_pieces_of_evidence_of_one_family_are_drawn_as_the_heavier(
    make_campaign: Make, empty_report: ScanReport
) -> None:
    evidence = (said(Family.CONTENT, 2.0), said(Family.CONTENT, 3.0))
    lines = family_lines(make_campaign(["a", "b"], evidence=evidence), empty_report.detections)
    assert lines[0].supports == 3.0


def test_a_family_may_speak_for_and_against(make_campaign: Make, empty_report: ScanReport) -> None:
    campaign = make_campaign(
        ["a", "b"], evidence=(said(Family.CONTENT, 2.0),), counter=(said(Family.CONTENT, 1.0),)
    )
    line = family_lines(campaign, empty_report.detections)[0]
    assert (line.voice, line.supports, line.opposes) == (Voice.COUNTS, 2.0, 1.0)
    assert line.says == "speaks, and counts; it also speaks against"


def test_a_family_whose_detections_all_abstained_could_not_look(
    make_campaign: Make, empty_report: ScanReport
) -> None:
    lines = family_lines(make_campaign(["a", "b"]), empty_report.detections)
    voices = {line.family: line.voice for line in lines}
    assert voices[Family.OUTSIDE] is Voice.ABSTAINED
    assert voices[Family.TIME] is Voice.ABSENT


def test_the_headline_says_what_counts_and_nothing_else(
    make_campaign: Make, empty_report: ScanReport
) -> None:
    evidence = (
        said(Family.CONTENT, 2.0),
        said(Family.PURPOSE, 2.0, explained=True),
        said(Family.TIME, 2.0),
    )
    lines = family_lines(make_campaign(["a", "b"], evidence=evidence), empty_report.detections)
    assert headline(lines) == "send the same rare wording and move in step"
    assert in_brief(lines) == "Same rare wording, in step"
