"""Four eyes, tried by those who want to be two: look-alike names, tokens of one hand, approvals of
what was never read, and what changes while a proposal waits."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stillwatch.cases import Cases, Item, Measure, Role, Who
from stillwatch.cases.expiry import expire_tokens
from stillwatch.cases.people import folded
from stillwatch.errors import CaseError, ConflictError, ExpiredError, FourEyesError
from tests.cases.conftest import (
    ANA,
    BO,
    CAM,
    DAY,
    LOOKED,
    SCAN,
    SUSPEND,
    Clock,
    draft,
    finding,
)

InForce = Callable[[], set[tuple[str, str]]]


def pending(cases: Cases, case: str) -> str:
    found = cases.desk.case(case).pending
    assert found is not None
    return found.proposal


@pytest.mark.parametrize(
    "alike", ["Ana", "аna", "Αna", "ána", "a\u200bna", "ａｎａ", "AN\u0430", "a\u0301na"]
)
def test_who_only_writes_a_name_otherwise_is_the_same_person(
    cases: Cases, claimed: str, alike: str
) -> None:
    cases.bench.propose(claimed, ANA, draft(measures=SUSPEND))
    with pytest.raises(FourEyesError, match="somebody else must decide"):
        cases.bench.approve(claimed, Who(name=alike))


def test_other_names_are_other_people() -> None:
    names = [
        "ana",
        "bo",
        "cam",
        "dee",
        "hannah",
        "anna",
        "jo m",
        "王芳",
        "иван",
        "олег",
        "γιώργος",
    ]
    assert len({folded(name) for name in names}) == len(names)


def test_whoever_made_both_tokens_is_not_two_people(cases: Cases, claimed: str) -> None:
    _, root = cases.tokens.create("mal", Role.APPROVER, DAY)
    _, first = cases.tokens.create("ana", Role.APPROVER, DAY, by=root)
    cases.tokens.create("bo", Role.APPROVER, DAY, by=root)
    cases.tokens.create("cam", Role.APPROVER, DAY, by=first)
    cases.bench.propose(claimed, ANA, draft(measures=SUSPEND))
    for name in ("bo", "mal", "cam"):
        with pytest.raises(FourEyesError, match=r"mal|ana made a token"):
            cases.bench.approve(claimed, Who(name=name))
    assert cases.bench.approve(claimed, Who(name="dee")).verdict == "upheld"


def test_two_who_were_vouched_for_by_two_are_two_people(cases: Cases, claimed: str) -> None:
    _, one = cases.tokens.create("one", Role.APPROVER, DAY)
    cases.tokens.revoke(one.id, one)
    _, two = cases.tokens.create("two", Role.APPROVER, DAY)
    cases.tokens.create("ana", Role.ANALYST, DAY, by=one)
    cases.tokens.create("bo", Role.APPROVER, DAY, by=two)
    cases.bench.propose(claimed, ANA, draft(measures=SUSPEND))
    assert cases.bench.approve(claimed, BO).verdict == "upheld"


def test_who_made_whom_is_known_as_long_as_it_matters(cases: Cases, clock: Clock) -> None:
    _, root = cases.tokens.create("mal", Role.APPROVER, DAY)
    cases.tokens.create("bo", Role.APPROVER, 30 * DAY, by=root)
    clock.now += 20 * DAY
    assert expire_tokens(cases.database, int(clock.now)) == 0
    clock.now += 20 * DAY
    assert expire_tokens(cases.database, int(clock.now)) == 2


def test_an_approval_is_of_the_proposal_that_was_read(
    cases: Cases, claimed: str, in_force: InForce
) -> None:
    mild = (Measure(kind="slow", seconds=1.0, lasting=DAY),)
    cases.bench.propose(claimed, ANA, draft(measures=mild, second=True))
    read = pending(cases, claimed)
    cases.bench.refuse(claimed, ANA, "changed my mind")
    cases.bench.propose(claimed, ANA, draft(measures=SUSPEND))
    with pytest.raises(CaseError, match="something else was proposed"):
        cases.bench.approve(claimed, BO)
    with pytest.raises(ConflictError, match=f"{read} does not wait"):
        cases.bench.approve(claimed, BO, proposal=read)
    assert in_force() == set()
    cases.bench.approve(claimed, BO, proposal=pending(cases, claimed))
    assert {kind for _, kind in in_force()} == {"suspend"}


def test_what_speaks_against_it_since_must_be_weighed_first(
    cases: Cases, claimed: str, in_force: InForce
) -> None:
    cases.bench.propose(claimed, ANA, draft(measures=SUSPEND))
    cases.desk.add(claimed, CAM, Item(kind="counter", text="they have a contract"))
    with pytest.raises(ConflictError, match="counter-evidence after"):
        cases.bench.approve(claimed, BO)
    assert in_force() == set()


def test_a_finding_that_was_withdrawn_since_is_looked_at_again(cases: Cases, claimed: str) -> None:
    cases.bench.propose(claimed, ANA, draft(measures=SUSPEND))
    cases.intake.open([finding(event="withdrawn", reason="the volumes explain it")], SCAN)
    with pytest.raises(ConflictError, match="a watch withdrew the finding"):
        cases.bench.approve(claimed, BO)


def test_who_was_freed_since_is_not_suspended_by_what_was_proposed_before(
    cases: Cases, suspended: str, in_force: InForce
) -> None:
    cases.desk.appeal(suspended, SCAN, "we verified", "mail")
    cases.desk.claim(suspended, CAM)
    cases.desk.add(suspended, CAM, LOOKED)
    cases.bench.propose(suspended, CAM, draft(measures=SUSPEND))
    cases.bench.undo(suspended, ANA, "they verified")
    with pytest.raises(ConflictError, match="somebody undid measures"):
        cases.bench.approve(suspended, Who(name="dee"), proposal=pending(cases, suspended))
    assert in_force() == set()


def test_who_came_onto_the_allow_list_since_is_not_suspended_unseen(
    cases: Cases, claimed: str, in_force: InForce
) -> None:
    cases.bench.propose(claimed, ANA, draft(measures=SUSPEND))
    cases.registry.allow("acct-2", "research", DAY, "agreement 17", CAM)
    with pytest.raises(ConflictError, match="acct-2 is on the allow-list"):
        cases.bench.approve(claimed, BO)
    assert in_force() == set()
    cases.bench.refuse(claimed, BO, "see the allow-list")
    cases.bench.propose(claimed, ANA, draft(measures=SUSPEND))
    cases.bench.approve(claimed, BO, proposal=pending(cases, claimed))
    assert in_force() == {("acct-1", "suspend")}


def test_a_clock_that_goes_back_makes_no_old_proposal_young(
    cases: Cases, claimed: str, clock: Clock
) -> None:
    cases.bench.propose(claimed, ANA, draft(measures=SUSPEND))
    clock.now += 8 * DAY
    cases.desk.add(claimed, SCAN, Item(kind="counter", text="nothing new"))
    clock.now -= 8 * DAY
    with pytest.raises(ExpiredError):
        cases.bench.approve(claimed, BO)


def test_to_verify_within_a_day_takes_two_as_a_suspension_does(
    cases: Cases, claimed: str, in_force: InForce
) -> None:
    soon = (Measure(kind="verify", seconds=0.0, lasting=DAY),)
    cases.bench.propose(claimed, ANA, draft(measures=soon))
    assert in_force() == set()
    cases.bench.approve(claimed, BO)
    assert {kind for _, kind in in_force()} == {"verify"}


def test_whose_verdict_is_appealed_does_not_stop_the_next_one(
    cases: Cases, suspended: str, in_force: InForce
) -> None:
    cases.desk.appeal(suspended, SCAN, "this is our evaluation suite", "mail")
    cases.desk.claim(suspended, CAM)
    cases.desk.add(suspended, CAM, LOOKED)
    dismissed = draft(verdict="dismissed", reason="no-breach", measures=(), second=True)
    cases.bench.propose(suspended, CAM, dismissed)
    for who in (ANA, BO):
        with pytest.raises(FourEyesError, match="had a part in the verdict"):
            cases.bench.refuse(suspended, who, "no")
    cases.bench.approve(suspended, Who(name="dee"), proposal=pending(cases, suspended))
    assert in_force() == set()
