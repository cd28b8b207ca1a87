"""The life of a case: who may do what to it, when, and what follows; on each database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from stillwatch.cases import Cases, Item, Measure, State
from stillwatch.errors import (
    CaseError,
    ConflictError,
    ExpiredError,
    FourEyesError,
    UnknownCaseError,
)
from tests.cases.conftest import (
    ANA,
    BO,
    CAM,
    DAY,
    LOOKED,
    NOW,
    SCAN,
    SUSPEND,
    Clock,
    draft,
    finding,
)

InForce = Callable[[], set[tuple[str, str]]]


def test_a_finding_becomes_a_case_that_two_people_decide_and_one_undoes(
    cases: Cases, opened: str, in_force: InForce
) -> None:
    assert cases.desk.claim(opened, ANA).state == State.CLAIMED
    cases.desk.add(opened, ANA, LOOKED)
    proposed = cases.bench.propose(opened, ANA, draft(measures=SUSPEND))
    assert proposed.state == State.CLAIMED
    assert in_force() == set()
    decided = cases.bench.approve(opened, BO)
    assert (decided.state, decided.verdict) == (State.DECIDED, "upheld")
    assert in_force() == {("acct-1", "suspend"), ("acct-2", "suspend")}
    cases.bench.undo(opened, CAM, "they showed us their product")
    assert in_force() == set()


def test_the_finding_stands_in_the_case_as_inference_with_its_base_rate(
    cases: Cases, opened: str
) -> None:
    case = cases.desk.case(opened)
    rates = [(p.item.detection, p.item.base_rate) for p in case.pieces("inference")]
    assert rates == [("echo", 0.001), ("load_balance", None)]
    assert [p.item.text for p in case.pieces("counter")] == ["others used the wording before"]
    assert case.pieces("fact") == ()


def test_of_two_who_claim_one_wins(cases: Cases, opened: str) -> None:
    cases.desk.claim(opened, ANA)
    with pytest.raises(ConflictError, match="is claimed by ana"):
        cases.desk.claim(opened, BO)


def test_only_who_has_the_case_asks_and_proposes(cases: Cases, claimed: str) -> None:
    with pytest.raises(ConflictError, match="is claimed by ana, not by bo"):
        cases.bench.propose(claimed, BO, draft())
    with pytest.raises(ConflictError, match="is claimed by ana, not by bo"):
        cases.desk.ask(claimed, BO, "who pays?")
    assert cases.desk.case(claimed).state == State.CLAIMED


def test_no_program_claims_decides_or_closes_a_case(cases: Cases, suspended: str) -> None:
    with pytest.raises(FourEyesError, match="scan is a program"):
        cases.desk.close(suspended, SCAN, "done")
    cases.desk.appeal(suspended, SCAN, "no", "mail")
    with pytest.raises(FourEyesError, match="scan is a program"):
        cases.desk.claim(suspended, SCAN)


def test_who_gives_a_case_back_takes_its_proposal_along(cases: Cases, claimed: str) -> None:
    cases.bench.propose(claimed, ANA, draft(measures=SUSPEND))
    assert cases.desk.release(claimed, CAM).pending is None
    cases.desk.claim(claimed, BO)
    with pytest.raises(ConflictError, match="nothing is proposed"):
        cases.bench.approve(claimed, CAM)


def test_some_measures_are_undone_and_the_others_stay(
    cases: Cases, suspended: str, in_force: InForce
) -> None:
    first, second = cases.desk.case(suspended).actions
    cases.bench.undo(suspended, CAM, "acct-1 showed a contract", [first])
    assert in_force() == {("acct-2", "suspend")}
    with pytest.raises(CaseError, match="no such measure of this case is in force"):
        cases.bench.undo(suspended, CAM, "again", [first])
    assert cases.desk.case(suspended).actions == (second,)


def test_what_ended_by_itself_does_not_hinder_the_next_decision(
    cases: Cases, suspended: str, clock: Clock, in_force: InForce
) -> None:
    clock.now += 8 * DAY
    cases.desk.appeal(suspended, SCAN, "no", "mail")
    cases.desk.claim(suspended, CAM)
    cases.desk.add(suspended, CAM, LOOKED)
    cases.bench.propose(suspended, CAM, draft())
    assert in_force() == {("acct-1", "slow"), ("acct-2", "slow")}


def test_who_proposed_does_not_approve_by_whatever_name(cases: Cases, claimed: str) -> None:
    cases.bench.propose(claimed, ANA, draft(measures=SUSPEND))
    for name in ("ana", "Ana", "ＡＮＡ"):
        with pytest.raises(FourEyesError, match="somebody else must decide"):
            cases.bench.approve(claimed, type(ANA)(name=name))
    with pytest.raises(FourEyesError, match="scan is a program"):
        cases.bench.approve(claimed, SCAN)
    assert cases.desk.case(claimed).state == State.CLAIMED


def test_what_suspends_nobody_is_decided_by_one(
    cases: Cases, claimed: str, in_force: InForce
) -> None:
    assert cases.bench.propose(claimed, ANA, draft()).state == State.DECIDED
    assert in_force() == {("acct-1", "slow"), ("acct-2", "slow")}


def test_a_second_person_may_be_asked_for_all_the_same(
    cases: Cases, claimed: str, in_force: InForce
) -> None:
    assert cases.bench.propose(claimed, ANA, draft(second=True)).state == State.CLAIMED
    assert in_force() == set()
    assert cases.bench.approve(claimed, BO).state == State.DECIDED


def test_nothing_is_decided_before_somebody_looked_for_counter_evidence(
    cases: Cases, opened: str
) -> None:
    cases.desk.claim(opened, ANA)
    with pytest.raises(CaseError, match="nobody has looked for what speaks for the accounts"):
        cases.bench.propose(opened, ANA, draft())
    cases.desk.add(opened, SCAN, LOOKED)
    with pytest.raises(CaseError, match="nobody has looked"):
        cases.bench.propose(opened, ANA, draft())


def test_an_approval_that_comes_too_late_is_refused(
    cases: Cases, claimed: str, clock: Clock, in_force: InForce
) -> None:
    cases.bench.propose(claimed, ANA, draft(measures=SUSPEND))
    clock.now += 7 * DAY
    with pytest.raises(ExpiredError, match="refuse it, look again"):
        cases.bench.approve(claimed, BO)
    cases.bench.refuse(claimed, BO, "too old")
    anew = cases.bench.propose(claimed, ANA, draft(measures=SUSPEND)).pending
    assert anew is not None
    cases.bench.approve(claimed, BO, proposal=anew.proposal)
    assert len(in_force()) == 2


def test_of_two_approvers_the_second_is_told(cases: Cases, suspended: str) -> None:
    with pytest.raises(ConflictError, match="is decided and cannot be approved"):
        cases.bench.approve(suspended, CAM)


def test_a_suspension_needs_two_families_of_evidence(cases: Cases) -> None:
    one = finding(evidence=[{"family": "time", "detection": "x", "value": 1.0, "text": "t"}])
    case = cases.intake.open([one], SCAN).opened[0]
    cases.desk.claim(case, ANA)
    cases.desk.add(case, ANA, LOOKED)
    with pytest.raises(CaseError, match="a link is not a verdict"):
        cases.bench.propose(case, ANA, draft(measures=SUSPEND))


def test_an_appeal_is_decided_by_people_who_had_no_part_in_the_verdict(
    cases: Cases, suspended: str, in_force: InForce
) -> None:
    cases.desk.appeal(suspended, SCAN, "this is our evaluation suite", "mail")
    for who in (ANA, BO):
        with pytest.raises(FourEyesError, match="had a part in the verdict"):
            cases.desk.claim(suspended, who)
    cases.desk.claim(suspended, CAM)
    with pytest.raises(CaseError, match="since the appeal"):
        cases.bench.propose(suspended, CAM, draft(verdict="dismissed", measures=()))
    cases.desk.add(suspended, CAM, LOOKED)
    dismissed = draft(verdict="dismissed", reason="no-breach", measures=())
    assert cases.bench.propose(suspended, CAM, dismissed).verdict == "dismissed"
    assert in_force() == set()


def test_who_had_a_part_in_the_verdict_does_not_approve_on_the_appeal(
    cases: Cases, suspended: str
) -> None:
    cases.desk.appeal(suspended, SCAN, "no", "mail")
    cases.desk.claim(suspended, CAM)
    cases.desk.add(suspended, CAM, LOOKED)
    cases.bench.propose(suspended, CAM, draft(measures=SUSPEND))
    with pytest.raises(FourEyesError, match="bo had a part"):
        cases.bench.approve(suspended, BO)


def test_a_decision_replaces_what_was_in_force_before(
    cases: Cases, suspended: str, in_force: InForce
) -> None:
    cases.desk.appeal(suspended, SCAN, "no", "mail")
    cases.desk.claim(suspended, CAM)
    cases.desk.add(suspended, CAM, LOOKED)
    cases.bench.propose(suspended, CAM, draft())
    assert in_force() == {("acct-1", "slow"), ("acct-2", "slow")}


def test_a_question_holds_the_case_until_it_is_answered(cases: Cases, claimed: str) -> None:
    assert cases.desk.ask(claimed, ANA, "who pays for these?").state == State.ASKED
    with pytest.raises(ConflictError, match="is asked and cannot be proposed on"):
        cases.bench.propose(claimed, ANA, draft())
    fact = Item(kind="fact", text="one card pays for both", source="billing export 17")
    answered = cases.desk.add(claimed, BO, fact, answer=True)
    assert (answered.state, answered.question) == (State.CLAIMED, None)


@pytest.mark.parametrize(
    ("do", "said"),
    [
        (lambda c, i: c.desk.close(i, ANA, "done"), "is open and cannot be closed"),
        (lambda c, i: c.desk.appeal(i, ANA, "no", "mail"), "cannot be appealed against"),
        (lambda c, i: c.desk.ask(i, ANA, "who?"), "cannot be asked about"),
        (lambda c, i: c.desk.release(i, ANA), "cannot be given back"),
        (lambda c, i: c.bench.approve(i, ANA), "cannot be approved"),
        (lambda c, i: c.bench.refuse(i, ANA, "no"), "cannot be refused"),
        (lambda c, i: c.bench.propose(i, ANA, draft()), "cannot be proposed on"),
        (lambda c, i: c.desk.add(i, ANA, LOOKED, answer=True), "cannot be answered"),
    ],
)
def test_what_an_open_case_cannot_have_is_refused_with_what_it_can(
    cases: Cases, opened: str, do: Callable[[Cases, str], Any], said: str
) -> None:
    with pytest.raises(ConflictError) as refused:
        do(cases, opened)
    assert said in str(refused.value)
    assert "what can be done: claim, add, undo" in str(refused.value)
    assert len(cases.desk.events(opened)) == 1


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"reason": "spite"}, "there is no code 'spite'"),
        ({"reason": "no-breech"}, "did you mean no-breach"),
        ({"summary": " "}, "summary: give 1 to"),
        ({"accounts": ("acct-9",)}, "'acct-9' is none of case-"),
        ({"verdict": "dismissed"}, "a verdict 'dismissed' has none"),
        ({"verdict": "dismissed", "measures": ()}, "coordinated-extraction accuses"),
        ({"reason": "no-breach"}, "no-breach says that no breach was shown"),
        ({"measures": (Measure(kind="slow", lasting=DAY),)}, "seconds: needed to slow"),
        ({"measures": (Measure(kind="mark", lasting=91 * DAY),)}, "within 90 days"),
        ({"measures": (Measure(kind="mark", lasting=0),)}, "it must end"),
        ({"measures": SUSPEND * 2}, "each kind may be given once"),
        (
            {"measures": (Measure(kind="narrow", lasting=DAY, surface={"logprops": 0}),)},
            "there is no field 'logprops'",
        ),
        ({"measures": (Measure(kind="verify", lasting=9, seconds=9.0),)}, "grace must end before"),
    ],
)
def test_a_draft_that_cannot_stand_is_refused_and_says_why(
    cases: Cases, claimed: str, fields: dict[str, Any], said: str
) -> None:
    with pytest.raises(CaseError) as refused:
        cases.bench.propose(claimed, ANA, draft(**fields))
    assert said in str(refused.value)
    assert cases.desk.case(claimed).pending is None


@pytest.mark.parametrize(
    ("item", "said"),
    [
        (Item(kind="fact", text="one card"), "source: say where"),
        (Item(kind="inference", text="likely", value=2.0), "base_rate: say how often"),
        (Item(kind="inference", text="likely", base_rate=1.1), "no share between 0 and 1"),
        (Item(kind="counter", text=""), "text: give 1 to"),
    ],
)
def test_evidence_without_its_ground_is_refused(
    cases: Cases, opened: str, item: Item, said: str
) -> None:
    with pytest.raises(CaseError, match=said):
        cases.desk.add(opened, ANA, item)


def test_a_clock_that_goes_backwards_does_not_reorder_a_case(
    cases: Cases, opened: str, clock: Clock
) -> None:
    clock.now -= 3600
    cases.desk.claim(opened, ANA)
    times = [event.at for event in cases.desk.events(opened)]
    assert times == sorted(times)


def test_a_decision_under_a_clock_that_went_backwards_holds_and_can_be_undone(
    cases: Cases, claimed: str, clock: Clock, in_force: InForce
) -> None:
    cases.bench.propose(claimed, ANA, draft(measures=SUSPEND))
    clock.now -= 3 * DAY
    cases.bench.approve(claimed, BO)
    assert len(in_force()) == 2
    clock.now -= DAY
    cases.bench.undo(claimed, CAM, "they verified")
    assert in_force() == set()
    clock.now += 5 * DAY
    assert in_force() == set(), "nor when the clock is right again"
    events = cases.desk.events(claimed)
    assert [event.at for event in events] == sorted(event.at for event in events)


def test_a_clock_that_goes_backwards_gives_a_proposal_no_shorter_life(
    cases: Cases, claimed: str, clock: Clock
) -> None:
    clock.now -= 30 * DAY
    proposed = cases.bench.propose(claimed, ANA, draft(measures=SUSPEND))
    assert proposed.pending is not None
    assert proposed.pending.expires_at == NOW + 7 * DAY


def test_a_case_that_does_not_exist_is_said_so(cases: Cases) -> None:
    with pytest.raises(UnknownCaseError, match="there is no case 'case-0'"):
        cases.desk.claim("case-0", ANA)


def test_the_row_of_a_list_is_what_the_events_say(cases: Cases, suspended: str) -> None:
    from stillwatch.cases.transaction import row_of

    [row] = cases.desk.queue()
    said = row_of(cases.desk.case(suspended))
    assert {name: getattr(row, name) for name in said} == said
