"""Who is a member, since when, on what ties, and how much was sent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import numpy as np
import pytest

from stillwatch.campaigns.campaign import Campaign
from stillwatch.campaigns.candidates import Candidate
from stillwatch.campaigns.judging import COUNTS, Judgement
from stillwatch.campaigns.members import _surely, belonging, settle
from stillwatch.campaigns.reading import AccountNames
from stillwatch.campaigns.testing import EValues
from stillwatch.detections import Evidence, Family, Group
from tests.detections.exchanges import DAY, HOUR, START, Row, exchange, group
from tests.detections.groups import beside
from tests.detections.groups import rows as numpy_rows

MONDAY = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
STYLE, CARD, PHONE = 11, 22, 33
MEMBERS = (1, 2, 3, 4)
AGAINST = Evidence(Family.PURPOSE, "some", 1.0, None, "text", weight=1.0, speaks_for=False)
JUDGEMENT = Judgement(
    (
        Evidence(Family.CONTENT, "echo", 1.0, 0.0, "text", weight=5.0),
        Evidence(Family.TIME, "load_balance", 1.0, 0.0, "text", weight=4.0),
    ),
    (AGAINST,),
)
LINKS = {"echo": {STYLE: MEMBERS}}
#: of so few accounts it can hardly be told that they are even
ALPHA = 0.2


def marked(account: int, at: int = START, **columns: object) -> Row:
    return exchange(account, at, asks=1, **columns)


def pool(accounts: tuple[int, ...] = MEMBERS) -> list[Row]:
    """Each account sends three marked exchanges, an hour apart, and nothing else."""
    return [marked(account, START + use * HOUR) for account in accounts for use in range(3)]


def settled(
    rows: list[Row],
    links: Mapping[str, Mapping[int, tuple[int, ...]]] = LINKS,
    labels: Mapping[int, str] | None = None,
    elsewhere: tuple[int, ...] = (),
    judgement: Judgement = JUDGEMENT,
) -> Campaign | None:
    """The campaign of the accounts of `rows` but those `elsewhere`; what asks carries the style."""
    members = sorted({row["account"] for row in rows})
    names = AccountNames()
    names.add(np.array(members), [f"account-{each}" for each in members])
    candidate = Candidate(
        np.array(members),
        {
            name: {each: np.array(accounts) for each, accounts in some.items()}
            for name, some in links.items()
        },
    )
    seen = group(rows, members, styled=lambda row: row["asks"] == 1)
    seen = seen.without(np.array(elsewhere))
    who = belonging(candidate, judgement, seen, ALPHA)
    return settle(candidate, judgement, seen, who, names, labels or {})


def campaign(rows: list[Row], *more: object) -> Campaign:
    found = settled(rows, *more)  # type: ignore[arg-type]
    assert found is not None
    return found


def test_every_account_that_carries_the_style_is_a_member_by_its_own_name() -> None:
    found = campaign(pool())
    assert sorted(member.account for member in found.members) == [f"account-{n}" for n in MEMBERS]


def test_the_campaign_has_the_judgements_score_and_its_words_for_and_against() -> None:
    found = campaign(pool())
    assert found.score == 8.0
    assert (found.evidence, found.counter_evidence) == (JUDGEMENT.evidence, (AGAINST,))


def test_two_accounts_are_an_account_finding_and_no_campaign() -> None:
    tied = LINKS | {"infrastructure": {CARD: MEMBERS}}
    assert settled(pool((1, 2)), tied) is None
    assert settled(pool((1, 2, 3)), tied) is not None


def test_without_a_style_the_tied_accounts_are_the_campaigns() -> None:
    rows = [exchange(account) for account in range(1, 7)]
    found = campaign(rows, {"infrastructure": {CARD: MEMBERS}})
    assert {member.account for member in found.members} == {f"account-{n}" for n in MEMBERS}
    assert found.exchanges == 4
    assert settled(rows, {"infrastructure": {CARD: (1, 2)}}) is None


def test_users_of_a_tool_that_a_pool_uses_too_are_no_members_where_nothing_times_them() -> None:
    links = {"echo": {STYLE: MEMBERS}, "infrastructure": {CARD: (1, 2, 3)}}
    untimed = Judgement(
        (
            Evidence(Family.CONTENT, "echo", 1.0, 0.0, "text", weight=5.0),
            Evidence(Family.INFRASTRUCTURE, "infrastructure", 1.0, 0.0, "text", weight=6.0),
        ),
        (),
    )
    found = settled(pool(), links, judgement=untimed)
    assert found is not None
    assert {member.account for member in found.members} == {f"account-{n}" for n in (1, 2, 3)}
    assert settled(pool(), judgement=untimed) is None


def test_an_account_that_belongs_elsewhere_is_left_out_with_all_that_it_sent() -> None:
    rows = [row | {"completion_tokens": 7} for row in pool((*MEMBERS, 5))]
    found = campaign([*rows, exchange(1, START + DAY)], LINKS, {}, (1,))
    assert sorted(m.account for m in found.members) == [f"account-{n}" for n in (2, 3, 4, 5)]
    assert (found.exchanges, found.tokens, len(found.hours)) == (12, 84, 3)
    assert found.id == campaign([row for row in rows if row["account"] != 1]).id
    assert settled(rows, LINKS, {}, (1, 2, 3)) is None
    assert settled(rows, LINKS, {}, (*MEMBERS, 5)) is None


def test_who_is_tied_only_to_accounts_that_belong_elsewhere_is_no_member() -> None:
    rows = [exchange(account) for account in range(1, 7)]
    links = {"infrastructure": {CARD: (1, 2, 3), PHONE: (4, 5, 6)}}
    found = campaign(rows, links, {}, (5, 6))
    assert sorted(member.account for member in found.members) == [f"account-{n}" for n in (1, 2, 3)]


def test_the_other_exchanges_of_members_are_not_the_campaigns() -> None:
    cover = [exchange(1, START + 2 * DAY), exchange(2, START - DAY, completion_tokens=5_000)]
    rows = [row | {"prompt_tokens": 10, "completion_tokens": 100} for row in pool()] + cover
    found = campaign(rows)
    assert found.exchanges == 12
    assert found.tokens == 12 * 110
    assert (found.first_seen, found.last_seen) == (MONDAY, MONDAY + dt.timedelta(hours=2))


def test_a_member_is_seen_from_its_first_exchange_to_its_last_whatever_they_are() -> None:
    found = campaign([*pool(), exchange(1, START + 2 * DAY), exchange(1, START - DAY)])
    first, *_ = (member for member in found.members if member.account == "account-1")
    assert (first.exchanges, first.share) == (5, 0.6)
    assert first.first_seen == MONDAY - dt.timedelta(days=1)
    assert first.last_seen == MONDAY + dt.timedelta(days=2)


@pytest.mark.parametrize(
    ("columns", "tokens"),
    [
        ({}, None),
        ({"completion_tokens": 0}, 0),
        ({"completion_tokens": 7}, 84),
        ({"completion_tokens": 7, "prompt_tokens": 3}, 120),
    ],
)
def test_tokens_are_unknown_where_the_log_counts_none(columns: Row, tokens: int | None) -> None:
    assert campaign([row | columns for row in pool()]).tokens == tokens


def test_exchanges_without_a_count_add_no_tokens() -> None:
    rows = pool()
    rows[0] |= {"completion_tokens": 9}
    assert campaign(rows).tokens == 9


def test_members_are_ordered_by_the_share_of_marked_exchanges_then_by_their_ties() -> None:
    cover = [exchange(1, START + n) for n in range(9)] + [exchange(2, START + n) for n in range(2)]
    found = campaign([*pool(), *cover], LINKS | {"infrastructure": {CARD: (1, 4)}})
    assert [member.account[-1] for member in found.members] == ["4", "3", "2", "1"]
    scores = [member.score for member in found.members]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == 9.0  # 8 nats, all of its exchanges marked, one tie


def test_more_than_three_ties_count_as_three() -> None:
    cards = {"infrastructure": {CARD + n: (1, 2) for n in range(10)}}
    assert campaign(pool(), LINKS | cards).members[0].score == 11.0


def test_ties_name_their_object_only_by_its_label() -> None:
    links = LINKS | {"infrastructure": {CARD: (1, 2), PHONE: (1, 3)}}
    ties = campaign(pool(), links, {CARD: "payment", STYLE: "style"}).ties
    assert [(tie.detection, tie.label, tie.accounts) for tie in ties] == [
        ("echo", "style", tuple(f"account-{n}" for n in MEMBERS)),
        ("infrastructure", "payment", ("account-1", "account-2")),
        ("infrastructure", "infrastructure", ("account-1", "account-3")),
    ]


def test_ties_leave_out_accounts_that_are_no_members() -> None:
    links = {"infrastructure": {CARD: MEMBERS}, "echo": {STYLE: (1, 2, 6)}}
    rows = [exchange(account) for account in range(1, 7)]
    tie = next(tie for tie in campaign(rows, links).ties if tie.detection == "echo")
    assert tie.accounts == ("account-1", "account-2")


def test_an_hour_counts_marked_and_other_exchanges_of_members() -> None:
    found = campaign([*pool(), exchange(1, START + HOUR + 1), exchange(2, START + 30 * HOUR)])
    hours = {(hour - MONDAY).total_seconds() / 3600: counts for hour, counts in found.hours.items()}
    assert hours == {0: (4, 0), 1: (4, 1), 2: (4, 0), 30: (0, 1)}


def test_registration_is_none_where_the_log_does_not_tell() -> None:
    rows = [row | {"registered_at": START - DAY if row["account"] == 1 else None} for row in pool()]
    registered = {member.account: member.registered_at for member in campaign(rows).members}
    assert registered.pop("account-1") == MONDAY - dt.timedelta(days=1)
    assert set(registered.values()) == {None}


def test_its_id_depends_on_the_members_and_on_nothing_else() -> None:
    one = campaign(pool())
    later = campaign([row | {"at": row["at"] + DAY} for row in reversed(pool())])
    other = campaign(pool((*MEMBERS, 5)))
    assert one.id == later.id != other.id
    assert one.id.startswith("c-")


# -- who belongs


def sending(counts: list[int], *, unmarked: bool = False) -> Group:
    """An account for each count, from 0, with so many exchanges of the wording."""
    ours = numpy_rows(np.repeat(np.arange(len(counts)), counts))
    style = np.full(len(ours), -1) if unmarked else None
    return beside(ours, numpy_rows([], content=[]), style)


def judged(family: Family, nats: float) -> Judgement:
    return Judgement((), (), EValues({family: nats}))


def members(
    group: Group,
    judgement: Judgement,
    tied: tuple[int, ...] = (),
    alpha: float = 0.05,
    detection: str = "infrastructure",
) -> list[int]:
    links = {"echo": {STYLE: group.accounts}, detection: {CARD: np.array(tied)}}
    found: list[int] = belonging(Candidate(group.accounts, links), judgement, group, alpha).tolist()
    return found


EVEN = [38, 40, 41, 43, 39, 40, 42, 44, 37, 40, 41, 39] * 2
FAR_OFF = [1_100, 2_500]
TIMED = judged(Family.TIME, COUNTS)
DIVIDED = Judgement((), (), EValues({Family.PURPOSE: COUNTS}, takers=np.arange(20)))
NOTHING = Judgement((), ())


def test_of_an_even_group_everybody_is_a_member() -> None:
    assert members(sending(EVEN), TIMED) == list(range(24))


def test_bystanders_whose_volumes_are_far_off_are_none() -> None:
    assert members(sending(EVEN + FAR_OFF), TIMED) == list(range(24))


def test_evidence_of_timing_without_a_promise_is_as_good() -> None:
    untested = Judgement((Evidence(Family.TIME, "some", 1.0, None, "text", weight=COUNTS),), ())
    assert members(sending(EVEN + FAR_OFF), untested) == list(range(24))


def test_who_is_tied_by_a_card_stays_whatever_it_sends() -> None:
    for judgement in (TIMED, NOTHING):
        assert set(members(sending(EVEN + FAR_OFF), judgement, tied=(3, 25))) >= {3, 25}
    assert members(sending(EVEN + FAR_OFF), TIMED, tied=(3, 25)) == [*range(24), 25]


def test_where_nothing_but_the_wording_is_shared_nobody_is_a_member() -> None:
    for faint in (NOTHING, judged(Family.TIME, 1.9), judged(Family.PURPOSE, 1.9)):
        assert members(sending(EVEN), faint) == []
        assert members(sending(EVEN), faint, tied=(3, 4)) == [3, 4]


def test_to_reword_problems_alike_is_no_tie() -> None:
    assert members(sending(EVEN), NOTHING, tied=(3, 4), detection="rewording") == []


def test_where_the_work_is_divided_all_who_take_part_in_it_are_members() -> None:
    assert members(sending(EVEN + FAR_OFF), DIVIDED) == list(range(20))
    assert members(sending(EVEN + FAR_OFF), DIVIDED, tied=(3, 25)) == [*range(20), 25]


def test_where_it_is_timed_as_well_only_those_who_do_an_even_part() -> None:
    both = Judgement((), (), EValues({Family.TIME: COUNTS, Family.PURPOSE: 9.0}))
    assert members(sending(EVEN + FAR_OFF), both) == list(range(24))


def test_purpose_without_a_promise_makes_nobody_a_member() -> None:
    asks = Judgement((Evidence(Family.PURPOSE, "some", 1.0, None, "text", weight=9.0),), ())
    assert members(sending(EVEN), asks) == []


def test_without_a_wording_only_the_tied_are_members_whatever_was_tested() -> None:
    for judgement in (TIMED, DIVIDED, NOTHING):
        assert members(sending(EVEN, unmarked=True), judgement, tied=(3, 4, 5)) == [3, 4, 5]


def test_a_higher_alpha_takes_in_more() -> None:
    rng = np.random.default_rng(1)
    group = sending([*EVEN, *rng.integers(10, 400, 6).tolist()])
    few, more, most = (members(group, TIMED, alpha=alpha) for alpha in (0.001, 0.02, 0.1))
    assert set(few) <= set(more) <= set(most)
    assert len(few) < len(most)


@pytest.mark.parametrize(
    ("probabilities", "alpha", "chosen"),
    [
        ([0.99, 0.97, 0.9, 0.2], 0.05, [0, 1, 2]),  # of three 4.7 % are expected to be others
        ([0.2, 0.9, 0.99, 0.97], 0.05, [1, 2, 3]),
        ([0.99, 0.97, 0.9, 0.2], 0.04, [0, 1]),
        ([0.9, 0.9, 0.9], 0.05, []),
        ([0.9, 0.9, 0.9], 0.11, [0, 1, 2]),
        ([1.0, 0.0], 0.0, [0]),
        ([1.0, 0.0], 0.5, [0]),  # certain members are no reason to accuse others
        ([1.0, 0.81, 0.79], 0.5, [0, 1]),
        ([], 0.05, []),
    ],
)
def test_as_many_are_taken_in_as_leave_few_innocents_among_them(
    probabilities: list[float], alpha: float, chosen: list[int]
) -> None:
    assert np.flatnonzero(_surely(np.array(probabilities), alpha)).tolist() == chosen
