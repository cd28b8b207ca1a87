"""What one person may do at once: bounded on every side, seen by all, and ended by itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stillwatch.cases import Case, Cases, Item, State, Who
from stillwatch.cases.precision import measure
from stillwatch.cases.statement import statement
from stillwatch.errors import CaseError, ConflictError, FourEyesError
from stillwatch.ledger import Ledger
from tests.cases.conftest import ANA, BO, DAY, LOOKED, SCAN, SUSPEND, Clock, draft, finding

InForce = Callable[[], set[tuple[str, str]]]
HOUR = 3_600


def suspend(cases: Cases, *accounts: str, who: Who = ANA, **fields: Any) -> Case:
    usual: dict[str, Any] = {
        "reason": "identity-unclear", "why": "its key is in a public repository",
        "source": "ticket 4711",
    }  # fmt: skip
    lasting = fields.pop("lasting", 12 * HOUR)
    return cases.emergencies.suspend(accounts or ("acme",), lasting, who, **(usual | fields))


def test_one_person_suspends_at_once_and_it_ends_by_itself(
    cases: Cases, clock: Clock, in_force: InForce
) -> None:
    case = suspend(cases, "acme", "shop")
    assert in_force() == {("acme", "suspend"), ("shop", "suspend")}
    clock.now += 12 * HOUR
    assert in_force() == set()
    assert cases.desk.case(case.id).state == State.OPEN


def test_its_case_stands_first_in_the_queue_with_what_was_seen(cases: Cases) -> None:
    cases.intake.open([finding(score=1e6)], SCAN)
    case = suspend(cases)
    assert next(cases.desk.queue()).id == case.id
    [fact] = cases.desk.case(case.id).pieces("fact")
    assert (fact.by, fact.item.source) == ("ana", "ticket 4711")


def test_it_is_longer_only_when_a_second_person_upholds_it(
    cases: Cases, clock: Clock, in_force: InForce
) -> None:
    case = suspend(cases).id
    cases.desk.claim(case, ANA)
    cases.desk.add(case, ANA, LOOKED)
    with pytest.raises(CaseError, match="facts from two sources"):
        cases.bench.propose(case, ANA, draft(measures=SUSPEND))
    again = Item(kind="fact", text="seen again", source="Ticket  4711")
    cases.desk.add(case, BO, again)
    with pytest.raises(CaseError, match="facts from two sources"):
        cases.bench.propose(case, ANA, draft(measures=SUSPEND))
    cases.desk.add(case, BO, Item(kind="fact", text="answers resold", source="shop's own page"))
    cases.bench.propose(case, ANA, draft(measures=SUSPEND))
    with pytest.raises(FourEyesError):
        cases.bench.approve(case, ANA)
    cases.bench.approve(case, BO)
    clock.now += DAY
    assert in_force() == {("acme", "suspend")}


def test_even_without_measures_one_person_upholds_nothing_but_dismisses(
    cases: Cases, in_force: InForce
) -> None:
    case = suspend(cases).id
    cases.desk.claim(case, ANA)
    cases.desk.add(case, ANA, LOOKED)
    assert cases.bench.propose(case, ANA, draft(measures=())).state == State.CLAIMED
    cases.bench.refuse(case, ANA, "a mistake of mine")
    cases.bench.propose(case, ANA, draft(verdict="dismissed", reason="no-breach", measures=()))
    assert in_force() == set()


@pytest.mark.parametrize("ended", ["by itself", "undone", "dismissed"])
def test_nobody_stretches_it_alone(
    cases: Cases, clock: Clock, in_force: InForce, ended: str
) -> None:
    case = suspend(cases).id
    if ended == "undone":
        cases.bench.undo(case, ANA, "a mistake")
    if ended == "dismissed":
        cases.desk.claim(case, ANA)
        cases.desk.add(case, ANA, LOOKED)
        cases.bench.propose(case, ANA, draft(verdict="dismissed", reason="no-breach", measures=()))
        cases.desk.close(case, ANA, "over")
    clock.now += DAY
    for who in (ANA, BO):
        with pytest.raises(ConflictError, match="within the last 30 days"):
            suspend(cases, "other", "acme", who=who)
    assert in_force() == set()
    clock.now += 30 * DAY
    suspend(cases)
    assert in_force() == {("acme", "suspend")}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"lasting": DAY + 1}, "lasts 24 hours at most"),
        ({"lasting": 0}, "lasts 24 hours at most"),
        ({"why": " "}, "why: give 1 to"),
        ({"source": " "}, "source: say where"),
        ({"reason": "spite"}, "there is no code"),
        ({"reason": "no-breach"}, "says that no breach was shown"),
        ({"message": "m" * 1_501}, "message: 1,500 characters"),
    ],
)
def test_what_has_no_end_no_reason_or_no_fact_is_no_emergency(
    cases: Cases, in_force: InForce, fields: dict[str, Any], said: str
) -> None:
    with pytest.raises(CaseError, match=said):
        suspend(cases, **fields)
    assert (in_force(), list(cases.desk.queue())) == (set(), [])


def test_it_is_for_few_accounts_and_takes_a_person(cases: Cases, in_force: InForce) -> None:
    with pytest.raises(CaseError, match="give 1 to 50, not 51"):
        suspend(cases, *(f"acct-{n}" for n in range(51)))
    with pytest.raises(CaseError, match="account: "):
        suspend(cases, "a\nb")
    with pytest.raises(FourEyesError, match="is a program"):
        suspend(cases, who=SCAN)
    assert in_force() == set()


def test_the_ledger_is_told_and_names_nobody(cases: Cases, tmp_path: Path) -> None:
    case = suspend(cases)
    with Ledger.open(tmp_path / "books", create=True) as ledger:
        cases.deliver(ledger)
        [(_, entry)] = ledger.entries()
    assert (entry.kind, entry.by, entry.body["emergency"]) == ("action", "ana", True)
    assert (entry.body["case"], entry.body["reason"]) == (case.id, "identity-unclear")
    assert "acme" not in str(entry.body)


def test_the_owner_is_told_that_a_person_did_it(cases: Cases) -> None:
    case = suspend(cases)
    with cases.database.reading() as (connection, _):
        told = statement(connection, cases.desk.case(case.id), "acme")
    assert (told.reason, told.automated, [m.kind for m in told.measures]) == (
        "identity-unclear", False, ["suspend"],
    )  # fmt: skip
    assert "repository" not in str(told)


def test_no_detection_is_right_or_wrong_for_it(cases: Cases, clock: Clock) -> None:
    case = suspend(cases).id
    cases.desk.claim(case, ANA)
    cases.desk.add(case, ANA, LOOKED)
    cases.bench.propose(case, ANA, draft(verdict="dismissed", reason="no-breach", measures=()))
    assert measure(cases.database, clock()).decided == 0
