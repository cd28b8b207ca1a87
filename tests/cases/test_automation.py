"""Rules that act by themselves: two people behind each, slowing and narrowing only, held back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import update

from stillwatch.cases import Cases, Measure, Rule
from stillwatch.cases.schema import PROPOSALS
from stillwatch.errors import CaseError, ConflictError, ExpiredError, FourEyesError, StorageError
from tests.cases.conftest import ANA, BO, CAM, DAY, LOOKED, SCAN, Clock, draft, finding

InForce = Callable[[], set[tuple[str, str]]]
SLOW = Measure(kind="slow", seconds=5.0, lasting=DAY)


def rule(**fields: Any) -> Rule:
    usual: dict[str, Any] = {
        "name": "coordinated-slow",
        "measures": (SLOW,),
        "reason": "precaution",
        "message": "We look at unusual use of your account.",
        "why": "shadowed for a month",
    }
    return Rule(**(usual | fields))


@pytest.fixture
def acting(cases: Cases) -> Cases:
    """Cases with one rule that may act."""
    cases.rules.propose(rule(), 30 * DAY, ANA)
    cases.rules.approve("coordinated-slow", 1, BO)
    return cases


def test_a_rule_acts_on_a_new_case_and_leaves_it_open(acting: Cases, in_force: InForce) -> None:
    taken = acting.intake.open([finding()], SCAN)
    assert taken.automated == taken.opened
    assert in_force() == {("acct-1", "slow"), ("acct-2", "slow")}
    assert acting.desk.case(taken.opened[0]).state == "open"


def test_accounts_that_come_later_are_slowed_too_and_the_others_once(
    acting: Cases, in_force: InForce
) -> None:
    [case] = acting.intake.open([finding()], SCAN).opened
    acting.intake.open([finding(accounts=["acct-2", "acct-3"], event="grown")], SCAN)
    assert in_force() == {(f"acct-{n}", "slow") for n in (1, 2, 3)}
    assert len(acting.desk.case(case).actions) == 3


def test_a_decision_replaces_what_a_rule_did(acting: Cases, in_force: InForce) -> None:
    [case] = acting.intake.open([finding()], SCAN).opened
    acting.desk.claim(case, ANA)
    acting.desk.add(case, ANA, LOOKED)
    dismissed = draft(verdict="dismissed", reason="no-breach", measures=())
    acting.bench.propose(case, ANA, dismissed)
    assert in_force() == set()


def test_no_rule_acts_before_a_second_person_approved_it(cases: Cases, in_force: InForce) -> None:
    cases.rules.propose(rule(), 30 * DAY, ANA)
    with pytest.raises(FourEyesError, match="somebody else must decide"):
        cases.rules.approve("coordinated-slow", 1, type(ANA)(name="ANA"))
    with pytest.raises(FourEyesError, match="is a program"):
        cases.rules.approve("coordinated-slow", 1, SCAN)
    cases.intake.open([finding()], SCAN)
    assert in_force() == set()


def test_the_table_itself_refuses_one_person_in_both_places(cases: Cases) -> None:
    cases.rules.propose(rule(), 30 * DAY, ANA)
    with pytest.raises(StorageError), cases.database.writing() as (connection, _):
        connection.execute(update(PROPOSALS).values(approver="ana", outcome="approved"))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"measures": (Measure(kind="mark", lasting=DAY),)}, "stops at slowing and narrowing"),
        ({"measures": (Measure(kind="suspend", lasting=DAY),)}, "stops at slowing and narrowing"),
        ({"measures": (Measure(kind="verify", seconds=1.0, lasting=DAY),)}, "stops at slowing"),
        ({"measures": ()}, "a rule does something"),
        ({"families_at_least": 1}, "a link is not a verdict"),
        ({"level_at_most": 0.0}, "is no error rate"),
        ({"reason": "spite"}, "there is no code"),
        ({"name": "Rule 1"}, "is none such as"),
    ],
)
def test_what_no_rule_may_be_is_not_even_proposed(
    cases: Cases, fields: dict[str, Any], said: str
) -> None:
    with pytest.raises(CaseError, match=said):
        cases.rules.propose(rule(**fields), DAY, ANA)
    assert cases.rules.versions() == []


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"promised": False}, "under review"),
        ({"withheld": ["free"]}, "the null did not hold in: free"),
    ],
)
def test_a_rule_is_held_back_and_the_case_says_why(
    acting: Cases, in_force: InForce, fields: dict[str, Any], said: str
) -> None:
    [case] = acting.intake.open([finding(**fields)], SCAN).opened
    assert in_force() == set()
    [held] = acting.desk.case(case).automated
    assert said in held.held_back


def test_an_allow_listed_account_is_never_acted_on_by_a_rule(
    acting: Cases, in_force: InForce
) -> None:
    acting.registry.allow("acct-2", "research", DAY, "agreement 17", ANA)
    [case] = acting.intake.open([finding()], SCAN).opened
    assert in_force() == set()
    assert "allow-list" in acting.desk.case(case).automated[0].held_back


@pytest.mark.parametrize(
    "fields",
    [
        {"level": 0.02},
        {"level": None},
        {"evidence": [{"family": "time", "detection": "echo", "value": 1.0, "text": "t"}]},
    ],
)
def test_a_finding_that_is_too_weak_is_left_to_people(
    acting: Cases, in_force: InForce, fields: dict[str, Any]
) -> None:
    [case] = acting.intake.open([finding(**fields)], SCAN).opened
    assert in_force() == set()
    assert acting.desk.case(case).automated == ()


def test_a_rule_ends_by_itself_and_by_being_revoked(
    acting: Cases, in_force: InForce, clock: Clock
) -> None:
    acting.rules.revoke("coordinated-slow", 1, CAM)
    acting.intake.open([finding()], SCAN)
    acting.rules.propose(rule(), DAY, ANA)
    acting.rules.approve("coordinated-slow", 2, BO)
    clock.now += DAY
    acting.intake.open([finding(id="c-2")], SCAN)
    assert in_force() == set()


def test_a_new_version_replaces_the_one_before(acting: Cases) -> None:
    acting.rules.propose(rule(segments=("free",)), DAY, BO)
    acting.rules.approve("coordinated-slow", 2, ANA)
    first, second = acting.rules.versions()
    assert (first.revoked_by, second.approved_by) == ("ana", "ana")
    with pytest.raises(ConflictError, match="was approved or revoked already"):
        acting.rules.approve("coordinated-slow", 2, CAM)


def test_an_approval_of_a_rule_that_comes_too_late_is_refused(cases: Cases, clock: Clock) -> None:
    cases.rules.propose(rule(), 30 * DAY, ANA)
    clock.now += 7 * DAY
    with pytest.raises(ExpiredError, match="propose it again"):
        cases.rules.approve("coordinated-slow", 1, BO)
