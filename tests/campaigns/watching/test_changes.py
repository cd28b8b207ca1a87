"""What is new, what has grown, what is withdrawn, and which name a campaign keeps."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from stillwatch.campaigns.campaign import Campaign, Member
from stillwatch.campaigns.watching.changes import Changes, Known, Standing, compare
from stillwatch.campaigns.watching.schedule import instant
from stillwatch.detections import Evidence, Family
from tests.campaigns.watching.standin import DAY, EVIDENCE, HOUR, START

LATER = START + HOUR


def campaign(name: str, accounts: str, *, first: int = START, families: int = 2) -> Campaign:
    """A campaign whose members are the letters of `accounts`."""
    seen = instant(first), instant(first + HOUR)
    more = (Evidence(Family.INFRASTRUCTURE, "infrastructure", 1.0, 0.0, "text", weight=3.0),)
    return Campaign(
        id=name,
        score=9.0,
        first_seen=seen[0],
        last_seen=seen[1],
        exchanges=len(accounts),
        tokens=None,
        members=tuple(Member(each, 9.0, 1, 1.0, *seen, None, ()) for each in accounts),
        evidence=EVIDENCE + more[: families - 2],
        counter_evidence=(),
    )


def look(
    before: Changes | None, *found: Campaign, weaker: tuple[Campaign, ...] = (), first: int = START
) -> Changes:
    return compare([] if before is None else before.known, found, weaker, LATER, first)


def said(changes: Changes) -> list[tuple[str, str]]:
    return [(line["event"], line["id"]) for line in changes.lines]


def test_a_campaign_is_new_once_and_says_nothing_while_it_stays() -> None:
    one = look(None, campaign("c-1", "abc"))
    assert said(one) == [("new", "c-1")]
    assert one.lines[0]["at"] == "2026-01-01T01:00:00Z"
    assert one.lines[0]["accounts"] == ["a", "b", "c"]
    assert said(look(one, campaign("c-2", "abc"))) == []


def test_it_grows_under_the_name_of_its_first_report() -> None:
    two = look(look(None, campaign("c-1", "abc")), campaign("c-2", "abcd"))
    assert said(two) == [("grown", "c-1")]
    assert [each.id for each in two.campaigns] == ["c-1"]


def test_members_that_come_back_are_no_growth() -> None:
    two = look(look(None, campaign("c-1", "abcd")), campaign("c-2", "abc"))
    assert said(two) == []
    assert said(look(two, campaign("c-3", "abcd"))) == []


def test_a_further_family_of_evidence_is_growth_once() -> None:
    two = look(look(None, campaign("c-1", "abc")), campaign("c-1", "abc", families=3))
    assert said(two) == [("grown", "c-1")]
    three = look(two, campaign("c-1", "abc"))
    assert said(three) == []
    assert said(look(three, campaign("c-1", "abc", families=3))) == []


@pytest.mark.parametrize(("accounts", "same"), [("abcxyz", True), ("abxyzw", False), ("ab", True)])
def test_it_is_the_same_when_most_of_the_smaller_is_shared(accounts: str, same: bool) -> None:
    two = look(look(None, campaign("c-1", "abcd")), campaign("c-2", accounts))
    assert [each.id for each in two.campaigns] == ["c-1" if same else "c-2"]


def test_what_a_later_look_does_not_support_is_withdrawn_once() -> None:
    two = look(look(None, campaign("c-1", "abc")))
    assert said(two) == [("withdrawn", "c-1")]
    assert two.lines[0]["reason"] == "a later look no longer supports it"
    assert two.lines[0]["accounts"] == ["a", "b", "c"]
    assert said(look(two)) == []


def test_what_was_withdrawn_may_come_back_as_new_under_its_name() -> None:
    three = look(look(look(None, campaign("c-1", "abc"))), campaign("c-2", "abc"))
    assert said(three) == [("new", "c-1")]


def test_what_lost_exchanges_to_the_window_lapses_without_a_word() -> None:
    one = look(None, campaign("c-1", "abc"))
    two = look(one, first=START + 1)
    assert said(two) == []
    assert [each.standing for each in two.known] == [Standing.LAPSED]
    assert said(look(two, campaign("c-2", "abc"), first=START + 1)) == []
    assert look(two, first=START + DAY).known == []


def test_the_larger_part_of_a_campaign_that_fell_apart_keeps_its_name() -> None:
    one = look(None, campaign("c-1", "abcdefgh"))
    two = look(one, campaign("c-2", "abc"), campaign("c-3", "defgh"))
    assert [each.id for each in two.campaigns] == ["c-2", "c-1"]
    assert said(two) == [("new", "c-2")]


def test_of_two_that_became_one_the_smaller_is_withdrawn_with_the_name_of_the_other() -> None:
    one = look(None, campaign("c-1", "abc"), campaign("c-2", "defgh"))
    two = look(one, campaign("c-3", "abcdefgh"))
    assert said(two) == [("grown", "c-2"), ("withdrawn", "c-1")]
    assert two.lines[1]["reason"] == "its accounts are part of c-2 now"
    assert said(look(two, campaign("c-4", "abcdefgh"))) == []


def test_two_campaigns_never_have_one_name() -> None:
    one = look(None, campaign("c-1", "abc"))
    two = look(one, campaign("c-2", "abc"), campaign("c-1", "xyz"))
    assert [each.id for each in two.campaigns] == ["c-1", "c-1-2"]


def test_what_is_known_survives_json() -> None:
    (known,) = look(None, campaign("c-1", "abc")).known
    assert Known.read(json.loads(json.dumps(known.stored()))) == replace(known)


def test_what_was_reported_stays_while_it_is_worth_a_review() -> None:
    """The promise was kept when it was reported; tests that weaken take nothing back."""
    one = look(None, campaign("c-1", "abc"))
    two = look(one, weaker=(campaign("c-2", "abcd"),))
    assert said(two) == []
    assert [each.standing for each in two.known] == [Standing.STANDS]
    assert said(look(two, campaign("c-3", "abc"))) == []
    assert said(look(two)) == [("withdrawn", "c-1")]


def test_a_group_for_review_is_no_finding() -> None:
    assert said(look(None, weaker=(campaign("c-1", "abc"),))) == []
