"""Law 1: what it takes to call a group a campaign."""

from stillwatch.campaigns.judging import COUNTS, THRESHOLD, Judgement
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
