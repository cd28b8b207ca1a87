"""Where a rule must not act: against what people did, decided or promised."""

from __future__ import annotations

from collections.abc import Callable

from stillwatch.cases import Cases
from tests.cases.conftest import ANA, CAM, DAY, LOOKED, SCAN, Clock, draft, finding
from tests.cases.test_automation import acting

__all__ = ["acting"]

InForce = Callable[[], set[tuple[str, str]]]


def test_what_a_person_undid_no_rule_does_again(acting: Cases, in_force: InForce) -> None:
    [case] = acting.intake.open([finding()], SCAN).opened
    acting.bench.undo(case, CAM, "they wrote to us", [f"{case}.2.slow.1"])
    acting.intake.open([finding(score=20.0, accounts=["acct-1", "acct-2", "acct-3"])], SCAN)
    assert in_force() == {("acct-2", "slow"), ("acct-3", "slow")}


def test_whoever_comes_onto_the_allow_list_later_is_left_alone_too(
    acting: Cases, in_force: InForce
) -> None:
    [case] = acting.intake.open([finding(level=0.02)], SCAN).opened
    acting.registry.allow("acct-2", "research", DAY, "agreement 17", CAM)
    acting.intake.open([finding(accounts=["acct-1", "acct-3"])], SCAN)
    assert in_force() == set()
    assert "allow-list" in acting.desk.case(case).automated[0].held_back


def test_a_case_that_is_appealed_is_for_people_alone(acting: Cases, in_force: InForce) -> None:
    [case] = acting.intake.open([finding()], SCAN).opened
    acting.desk.claim(case, ANA)
    acting.desk.add(case, ANA, LOOKED)
    acting.bench.propose(case, ANA, draft())
    acting.desk.appeal(case, SCAN, "it is our own suite", "mail")
    acting.desk.claim(case, CAM)
    acting.bench.undo(case, CAM, "until it is decided")
    acting.desk.release(case, CAM)
    acting.intake.open([finding(score=20.0, accounts=["acct-1", "acct-9"])], SCAN)
    assert in_force() == set()
    assert "people decided it before" in acting.desk.case(case).automated[-1].held_back


def test_a_campaign_that_people_dismissed_is_not_acted_on_when_it_is_found_again(
    acting: Cases, in_force: InForce, clock: Clock
) -> None:
    [case] = acting.intake.open([finding()], SCAN).opened
    acting.desk.claim(case, ANA)
    acting.desk.add(case, ANA, LOOKED)
    acting.bench.propose(case, ANA, draft(verdict="dismissed", reason="no-breach", measures=()))
    acting.desk.close(case, ANA, "answered")
    clock.now += DAY
    [again] = acting.intake.open([finding(score=20.0)], SCAN).opened
    assert in_force() == set()
    assert f"people decided {case}" in acting.desk.case(again).automated[0].held_back
