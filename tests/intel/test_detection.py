"""The detection that knows what others told: it links, is one family, and crowds weigh nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from stillwatch.campaigns.judging import Judgement
from stillwatch.detections import Abstained, Evidence, Family
from stillwatch.intel.detection import Indicators
from tests.detections.exchanges import Log, Row, exchange, group, hit, hits_of


def log_of(*accounts: int, others: int = 200) -> list[Row]:
    """Three exchanges of each account, and of so many others from 1,000 on."""
    everybody = [*accounts, *range(1_000, 1_000 + others)]
    return [exchange(account) for account in everybody for _ in range(3)]


def judged(
    rows: list[Row], hits: list[Row], folder: Path, members: list[int], styled: bool = False
) -> list[Evidence]:
    detection = Indicators()
    Log(rows, folder, hits=hits_of(hits)).find(detection)
    return list(detection.judge(group(rows, members, styled=lambda row: styled)))


def test_without_hits_it_abstains(tmp_path: Path) -> None:
    with pytest.raises(Abstained, match="no indicators"):
        Log(log_of(1), tmp_path).find(Indicators())


def test_accounts_that_meet_indicators_of_one_effort_are_linked(tmp_path: Path) -> None:
    rows = log_of(1, 2, 3, 4)
    hits = [hit(row, row["account"]) for row in rows if row["account"] in (1, 2)]
    hits += [hit(row, 9, effort=8) for row in rows if row["account"] == 3]
    found = Log(rows, tmp_path, hits=hits_of(hits)).find(Indicators())
    linked = found.links.to_pylist()
    assert [(each["account"], each["object"], each["uses"]) for each in linked] == [
        (1, 7, 3), (2, 7, 3),
    ]  # fmt: skip
    assert set(found.scores) == {1, 2, 3}


def test_a_wording_that_was_told_links_nobody(tmp_path: Path) -> None:
    rows = log_of(1, 2, 3)
    hits = [hit(row, wording=True) for row in rows if row["account"] < 4]
    found = Log(rows, tmp_path, hits=hits_of(hits)).find(Indicators())
    assert found.links.num_rows == 0
    assert set(found.scores) == {1, 2, 3}


def test_members_who_meet_what_nobody_else_does_speak_for_a_campaign(tmp_path: Path) -> None:
    rows = log_of(1, 2, 3, 4)
    hits = [hit(row, row["account"], rate=0.004) for row in rows if row["account"] in (1, 2, 3)]
    [said] = judged(rows, hits, tmp_path, [1, 2, 3, 4])
    assert (said.family, said.value, said.base_rate) == (Family.OUTSIDE, 0.75, 0.004)
    assert 2 <= said.weight <= 4  # one sender
    several = [each | {"senders": 3} for each in hits]
    [more] = judged(rows, several, tmp_path / "more", [1, 2, 3, 4])
    assert said.weight < more.weight <= 6


def test_where_others_meet_it_as_often_nothing_is_said(tmp_path: Path) -> None:
    rows = log_of(1, 2, 3, 4)
    hits = [hit(row, row["account"]) for row in rows if row["account"] % 4 == 1]
    assert judged(rows, hits, tmp_path, [1, 2, 3, 4]) == []


def test_what_the_senders_false_matches_explain_weighs_nothing(tmp_path: Path) -> None:
    rows = log_of(1, 2, 3, 4)
    hits = [hit(row, rate=0.9) for row in rows if row["account"] in (1, 2)]
    [said] = judged(rows, hits, tmp_path, [1, 2, 3, 4])
    assert said.weight == 0


@pytest.mark.parametrize(
    ("accounts", "claimed", "others"),
    [(12, 9, 300), (201, None, 9_000), (40, 99, 700)],
    ids=["more than told", "more than one effort has", "a good part of the log"],
)
def test_an_indicator_that_meets_a_crowd_weighs_nothing_and_is_named(
    tmp_path: Path, accounts: int, claimed: int | None, others: int
) -> None:
    members = list(range(1, accounts + 1))
    rows = [exchange(account) for account in [*members, *range(10_000, 10_000 + others)]]
    hits = [hit(row, claimed=claimed) for row in rows if row["account"] < 10_000]
    [said] = judged(rows, hits, tmp_path, members[:5])
    assert (said.speaks_for, said.weight) == (False, 0)
    assert "crowd" in said.text
    fewer = [each | {"claimed": 99} for each in hits if each["account"] <= 9]
    assert judged(rows, fewer, tmp_path / "fewer", members[:5])[0].weight > 0


def test_a_company_with_many_accounts_is_one_customer_and_says_nothing(tmp_path: Path) -> None:
    rows = [row | {"org": 5 if row["account"] < 9 else None} for row in log_of(*range(1, 9))]
    hits = [hit(row) for row in rows if row["account"] < 9]
    assert judged(rows, hits, tmp_path, list(range(1, 9))) == []


def test_the_groups_own_wording_told_by_others_is_no_second_family(tmp_path: Path) -> None:
    rows = log_of(1, 2, 3, 4)
    hits = [hit(row, wording=True) for row in rows if row["account"] < 5]
    [styled] = judged(rows, hits, tmp_path, [1, 2, 3, 4], styled=True)
    [free] = judged(rows, hits, tmp_path / "free", [1, 2, 3, 4])
    assert (styled.explained, free.explained) == (True, False)
    assert styled.weight > 2
    echo = Evidence(Family.CONTENT, "echo", 1.0, None, "x", weight=5.0)
    focus = Evidence(Family.PURPOSE, "focus", 1.0, None, "x", weight=3.0)
    assert not Judgement((echo, styled), ()).stands
    assert not Judgement((echo, focus), ()).stands  # a trade
    assert Judgement((echo, focus, styled), ()).stands  # which others say it is not
    assert Judgement((echo, free), ()).stands


def test_what_others_told_names_no_campaign_alone() -> None:
    card = Evidence(Family.OUTSIDE, "indicators", 1.0, 0.01, "x", weight=6.0)
    word = Evidence(Family.OUTSIDE, "indicators", 1.0, 0.01, "x", weight=6.0)
    assert not Judgement((card, word), ()).stands


@pytest.mark.parametrize("wording", [False, True], ids=["identifiers", "wordings"])
def test_a_member_who_calls_everybody_innocent_silences_no_other(
    tmp_path: Path, wording: bool
) -> None:
    """It tells something of the same accounts, and that every innocent account meets it."""
    rows = log_of(1, 2, 3, 4)
    honest = [hit(row, 5, rate=0.004, wording=wording) for row in rows if row["account"] < 5]
    spoilt = [*honest, *(hit(row, 6, rate=1.0, wording=wording) for row in rows[:12])]
    [alone] = judged(rows, honest, tmp_path, [1, 2, 3, 4])
    [beside] = judged(rows, spoilt, tmp_path / "spoilt", [1, 2, 3, 4])
    assert beside.weight == alone.weight > 2
    assert beside.base_rate == 0.004
