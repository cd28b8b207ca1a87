"""Findings become cases: once each, added to while they live, with what accounts accepted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stillwatch.access.keys import KeyStore
from stillwatch.cases import Cases, State, read_findings
from stillwatch.cases.transaction import names_of
from stillwatch.cases.views import CaseView, view_of
from stillwatch.errors import CaseError, InputError
from tests.cases.conftest import ANA, DAY, NOW, SCAN, Clock, draft, finding


def view(cases: Cases, case: str) -> CaseView:
    with cases.database.reading() as (connection, _):
        return view_of(connection, cases.desk.case(case), NOW)


def test_the_same_finding_again_changes_nothing(cases: Cases, opened: str) -> None:
    assert cases.intake.open([finding(), finding()], SCAN) == ((), (), ())
    assert [row.id for row in cases.desk.queue()] == [opened]


def test_a_campaign_twice_in_one_list_is_one_case(cases: Cases) -> None:
    grown = finding(accounts=["acct-1", "acct-2", "acct-3"], event="grown")
    taken = cases.intake.open([finding(), grown], SCAN)
    assert (len(taken.opened), taken.updated) == (1, taken.opened)
    assert cases.desk.case(taken.opened[0]).accounts == (1, 2, 3)


def test_campaigns_that_come_again_and_again_in_one_list_have_one_case_each(cases: Cases) -> None:
    twice = [finding(id=name) for name in ("c-1", "c-2", "c-1", "c-2", "c-3", "c-2")]
    taken = cases.intake.open(twice, SCAN)
    assert (len(taken.opened), taken.updated) == (3, ())
    assert sorted(row.campaign for row in cases.desk.queue()) == ["c-1", "c-2", "c-3"]


def test_a_campaign_that_grew_adds_its_accounts_and_what_is_new(cases: Cases, claimed: str) -> None:
    evidence = [
        {"family": "content", "detection": "echo", "value": 0.9, "base_rate": 0.001,
         "text": "share of exchanges with a wording of the group"},
        {"family": "shape", "detection": "shape", "value": 3.0, "base_rate": 0.2, "text": "n = 8"},
    ]  # fmt: skip
    grown = finding(accounts=["acct-3", "acct-1"], event="grown", evidence=evidence, score=20.0)
    assert cases.intake.open([grown], SCAN).updated == (claimed,)
    case = cases.desk.case(claimed)
    with cases.database.reading() as (connection, _):
        assert names_of(connection, claimed) == {1: "acct-1", 2: "acct-2", 3: "acct-3"}
    assert (case.state, case.score, case.families) == (
        State.CLAIMED,
        20.0,
        ("content", "shape", "time"),
    )
    detections = [piece.item.detection for piece in case.pieces("inference")]
    assert detections == ["echo", "load_balance", "shape"]


def test_what_a_watch_withdraws_speaks_against_the_case(cases: Cases, opened: str) -> None:
    cases.intake.open([finding(event="withdrawn", reason="part of another")], SCAN)
    case = cases.desk.case(opened)
    assert case.withdrawn
    assert case.pieces("counter")[-1].item.text == "a later look withdrew it: part of another"


def test_what_was_never_opened_is_not_withdrawn_into_a_case(cases: Cases) -> None:
    assert cases.intake.open([finding(event="withdrawn")], SCAN) == ((), (), ())


def test_after_a_closed_case_comes_a_new_one_that_names_it(cases: Cases, claimed: str) -> None:
    cases.bench.propose(claimed, ANA, draft())
    cases.desk.close(claimed, ANA, "measures suffice")
    assert cases.intake.open([finding()], SCAN).opened == ()
    [again] = cases.intake.open([finding(last_seen="2026-10-01T00:00:00Z")], SCAN).opened
    assert cases.desk.case(again).opened.previous == claimed


def test_terms_tier_and_purposes_of_the_accounts_stand_on_the_case(
    cases: Cases, keys: KeyStore, clock: Clock
) -> None:
    keys.create(account="acct-2", tier="large", terms_version="2026-09", purposes=["research"])
    [case] = cases.intake.open([finding()], SCAN).opened
    shown = view(cases, case)
    assert shown.segment == "free"
    first, second = (party.standing for party in shown.accounts)
    assert first is not None
    assert second is not None
    assert (first.terms, first.purposes) == ("2026-03", ())
    assert (second.terms, second.purposes) == ("2026-09", ("research",))
    assert [party.allowed for party in shown.accounts] == [False, True]


def test_an_allow_listed_account_is_said_so_until_the_allowance_ends(
    cases: Cases, clock: Clock
) -> None:
    cases.registry.allow("acct-1", "evaluator", DAY, "contract 17", ANA)
    [first] = cases.intake.open([finding()], SCAN).opened
    assert cases.desk.case(first).allowed == (1,)
    clock.now += DAY
    [second] = cases.intake.open([finding(id="c-other")], SCAN).opened
    assert cases.desk.case(second).allowed == ()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"accounts": ["\ud800"]}, "is no name that can be stored"),
        ({"accounts": ["a\0b"]}, "is no name that can be stored"),
        ({"id": "c\0"}, "is no name that can be stored"),
        ({"id": "c" * 1_001}, "is no name that can be stored"),
        ({"accounts": ["a", "a"]}, "names an account twice"),
        ({"accounts": []}, "no accounts"),
        ({"score": float("inf")}, "a number that is none"),
        ({"level": float("nan")}, "a number that is none"),
        ({"first_seen": "yesterday"}, "'yesterday' is no time"),
        ({"at": "0001-01-01"}, "is no time"),
        ({"id": "emergency-1"}, "so only the cases are called that an emergency opened"),
    ],
)
def test_of_many_findings_one_that_is_wrong_opens_none(
    cases: Cases, fields: dict[str, Any], said: str
) -> None:
    with pytest.raises(CaseError, match=said):
        cases.intake.open([finding(), finding(**{"id": "c-2"} | fields)], SCAN)
    assert list(cases.desk.queue()) == []


REPORT: dict[str, Any] = {
    "format": "stillwatch.campaigns/1",
    "source": {"rows": 3, "rejected": 0, "from": "2026-09-01T00:00:00Z",
               "to": "2026-09-20T00:00:00Z"},
    "promise": {"fdr": 0.05, "withheld": [{"segment": "free", "reason": "volumes"}]},
    "campaigns": [{"id": "c-1", "accounts": ["a"], "score": 9.0, "first_seen": "2026-09-01",
                   "last_seen": "2026-09-20", "exchanges": 3, "tokens": None, "evidence": []}],
    "review": [{"id": "c-2", "accounts": ["b"], "score": 6.0, "first_seen": "2026-09-01",
                "last_seen": "2026-09-20", "exchanges": 3, "tokens": None, "evidence": []}],
}  # fmt: skip


def test_a_report_is_read_with_what_it_promises(tmp_path: Path) -> None:
    path = tmp_path / "campaigns.json"
    path.write_text(json.dumps(REPORT))
    [one] = read_findings(path)
    assert (one.id, one.at, one.withheld) == ("c-1", "2026-09-20T00:00:00Z", ("free",))
    assert [each.promised for each in read_findings(path, review=True)] == [True, False]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("c.json", "{", "give campaigns.json of a scan"),
        ("c.json", json.dumps(REPORT | {"format": "x/2"}), "the format is 'x/2'"),
        ("f.jsonl", '\n{"id": "c"}\n', "f.jsonl:2: "),
        ("c.json", json.dumps(REPORT).replace('["a"]', "[]"), "has no id, no accounts"),
        ("c.json", json.dumps(REPORT).replace('["a"]', '["a", "a"]'), "names an account twice"),
    ],
)
def test_a_file_that_is_no_report_is_refused_with_the_place(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(InputError) as refused:
        read_findings(path)
    assert said in str(refused.value)
