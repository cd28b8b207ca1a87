"""Law 1: what it takes to call a group a campaign."""

import pytest

from stillwatch.campaigns.judging import COUNTS, THRESHOLD, Judgement
from stillwatch.campaigns.testing import EValues
from stillwatch.detections import Evidence, Family


def evidence(family: Family, nats: float, *, explained: bool = False) -> Evidence:
    return Evidence(family, "some", 1.0, None, "text", weight=nats, explained=explained)


def against(nats: float, *, veto: bool = False) -> Evidence:
    return Evidence(
        Family.PURPOSE, "some", 1.0, None, "text", weight=nats, speaks_for=False, veto=veto
    )


CONTENT = evidence(Family.CONTENT, 5.0)
TIME = evidence(Family.TIME, 6.0)


def test_two_independent_families_make_a_campaign() -> None:
    assert Judgement((CONTENT, TIME), ()).is_suspicious


def test_one_family_never_does_however_loud() -> None:
    assert not Judgement(
        (evidence(Family.TIME, 60.0), evidence(Family.TIME, 60.0)), ()
    ).is_suspicious


def test_what_the_template_explains_is_no_second_family() -> None:
    explained = evidence(Family.TIME, 6.0, explained=True)
    assert not Judgement((CONTENT, explained), ()).is_suspicious


def test_a_family_that_hardly_speaks_does_not_count() -> None:
    faint = evidence(Family.TIME, COUNTS / 2)
    assert not Judgement((evidence(Family.CONTENT, 2 * THRESHOLD), faint), ()).is_suspicious


def test_a_trade_explains_wording_purpose_and_parameters_together() -> None:
    evaluator = (CONTENT, evidence(Family.PURPOSE, 4.0), evidence(Family.SHAPE, 4.0))
    assert not Judgement(evaluator, ()).is_suspicious


def test_counter_evidence_is_weighed_with_the_same_nats() -> None:
    judgement = Judgement((CONTENT, TIME), (against(6.0),))
    assert judgement.score == 5.0
    assert not judgement.is_suspicious


def test_a_veto_outweighs_everything() -> None:
    loud = (evidence(Family.CONTENT, 50.0), evidence(Family.TIME, 50.0))
    assert not Judgement(loud, (against(1.0, veto=True),)).is_suspicious


def test_the_best_evidence_of_a_family_counts_once() -> None:
    judgement = Judgement((CONTENT, evidence(Family.CONTENT, 3.0), TIME), ())
    assert judgement.score == 11.0


@pytest.mark.parametrize("family", [Family.PURPOSE, Family.TIME, Family.INFRASTRUCTURE])
def test_wording_and_what_a_test_with_a_promise_says_are_two_families(family: Family) -> None:
    """Whatever a trade has in common: how it divides its work is not among it."""
    tested = EValues({family: COUNTS})
    assert Judgement((CONTENT,), (), tested).stands
    assert not Judgement((CONTENT,), (), EValues({family: COUNTS - 0.1})).stands
    assert not Judgement((CONTENT, evidence(Family.PURPOSE, 4.0)), ()).stands


def test_one_family_never_stands_tested_or_not() -> None:
    tested = EValues({Family.TIME: 60.0})
    assert not Judgement((), (), tested).stands
    assert not Judgement((TIME,), (), tested).stands
    assert not Judgement((TIME,), ()).stands


def test_two_tested_families_stand_without_a_wording() -> None:
    assert Judgement((), (), EValues({Family.TIME: 5.0, Family.PURPOSE: 5.0})).stands


def test_a_test_with_a_promise_does_not_lift_a_veto() -> None:
    tested = EValues({Family.TIME: 60.0, Family.PURPOSE: 60.0})
    assert not Judgement((CONTENT, TIME), (against(1.0, veto=True),), tested).stands


def test_what_stands_is_suspicious_only_with_enough_evidence_besides() -> None:
    """A test with a promise reports by itself; the score is for reviewers."""
    tested = EValues({Family.PURPOSE: 60.0})
    assert not Judgement((evidence(Family.CONTENT, THRESHOLD - 1),), (), tested).is_suspicious
    assert Judgement((evidence(Family.CONTENT, THRESHOLD),), (), tested).is_suspicious
