"""What the ledger is told: every decision once, nobody's name, and what was told can be checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from stillwatch.cases import Cases
from stillwatch.cases.schema import ACCOUNTS
from stillwatch.errors import FourEyesError, StorageError
from stillwatch.ledger import Entry, Ledger, commit
from tests.cases.conftest import ANA, BO, CAM, DAY, LOOKED, SCAN, SUSPEND, draft, finding
from tests.cases.test_automation import rule


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "ledger", create=True) as opened:
        yield opened


def kinds(ledger: Ledger) -> list[str]:
    return [entry.kind for _, entry in ledger.entries()]


def test_every_decision_is_told_once_and_in_order(cases: Cases, ledger: Ledger) -> None:
    cases.rules.propose(rule(), DAY, ANA)
    cases.rules.approve("coordinated-slow", 1, BO)
    [case] = cases.intake.open([finding()], SCAN).opened
    cases.desk.claim(case, ANA)
    cases.desk.add(case, ANA, LOOKED)
    cases.bench.propose(case, ANA, draft(measures=SUSPEND))
    cases.bench.refuse(case, BO, "ask sales first")
    anew = cases.bench.propose(case, ANA, draft(measures=SUSPEND)).pending
    assert anew is not None
    cases.bench.approve(case, BO, proposal=anew.proposal)
    cases.desk.appeal(case, SCAN, "no", "mail")
    cases.bench.undo(case, CAM, "until it is decided")
    assert cases.deliver(ledger) == 8
    assert cases.deliver(ledger) == 0
    assert kinds(ledger) == [
        "rule_version", "rule_version", "action", "approval", "approval", "verdict", "appeal",
        "action",
    ]  # fmt: skip
    ledger.check()


def test_who_comes_onto_the_allow_list_and_leaves_it_is_told_and_not_named(
    cases: Cases, ledger: Ledger
) -> None:
    made = cases.registry.allow("acct-1", "research", DAY, "agreement 17", ANA)
    for _ in range(2):
        cases.registry.disallow(made.id, BO)
    cases.deliver(ledger)
    told = [(e.kind, e.by, e.body["outcome"], e.body["allowance"]) for _, e in ledger.entries()]
    assert told == [
        ("allowance", "ana", "made", made.id), ("allowance", "bo", "ended", made.id),
    ]  # fmt: skip
    assert b"acct-1" not in ledger.raw(0)


def test_no_entry_names_an_account_or_holds_what_people_wrote(
    cases: Cases, suspended: str, ledger: Ledger
) -> None:
    cases.deliver(ledger)
    everything = b"".join(ledger.raw(number) for number in range(len(ledger)))
    for name in (b"acct-1", b"acct-2", b"one template", b"asked sales"):
        assert name not in everything


def test_who_has_the_salt_can_check_whom_a_verdict_is_about(
    cases: Cases, suspended: str, ledger: Ledger
) -> None:
    cases.deliver(ledger)
    verdict = next(entry for _, entry in ledger.entries() if entry.kind == "verdict")
    with cases.database.reading() as (connection, _):
        salt = connection.execute(
            select(ACCOUNTS.c.salt).where(ACCOUNTS.c.account == "acct-2")
        ).scalar_one()
    assert commit("acct-2", bytes(salt)) in verdict.body["accounts"]


def test_a_case_of_very_many_accounts_is_told_in_parts(cases: Cases, ledger: Ledger) -> None:
    many = finding(accounts=[f"acct-{number}" for number in range(600)])
    [case] = cases.intake.open([many], SCAN).opened
    cases.desk.claim(case, ANA)
    cases.desk.add(case, ANA, LOOKED)
    cases.bench.propose(case, ANA, draft(measures=SUSPEND))
    cases.bench.approve(case, BO)
    cases.deliver(ledger)
    parts = [entry.body for _, entry in ledger.entries() if entry.kind == "verdict"]
    assert [(body["part"], body["parts"]) for body in parts] == [(1, 2), (2, 2)]
    assert len({name for body in parts for name in body["accounts"]}) == 600


class Dying:
    """A ledger whose process dies after it appended, before anybody was told."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def append(self, entries: Iterable[Entry]) -> range:
        self._ledger.append(entries)
        raise StorageError("gone")

    def entries(self, first: int = 0, end: int | None = None) -> Iterator[tuple[int, Entry]]:
        return self._ledger.entries(first, end)


def test_what_was_appended_by_a_process_that_died_is_not_appended_again(
    cases: Cases, suspended: str, ledger: Ledger
) -> None:
    with pytest.raises(StorageError):
        cases.deliver(Dying(ledger))
    assert cases.unrecorded() == 2
    before = len(ledger)
    assert cases.deliver(ledger) == 2
    assert (len(ledger), cases.unrecorded()) == (before, 0)
    cases.bench.undo(suspended, CAM, "verified")
    cases.deliver(ledger)
    assert kinds(ledger) == ["approval", "verdict", "action"]


def test_a_decision_that_is_refused_tells_the_ledger_nothing(cases: Cases, claimed: str) -> None:
    cases.bench.propose(claimed, ANA, draft(measures=SUSPEND))
    with pytest.raises(FourEyesError):
        cases.bench.approve(claimed, ANA)
    assert cases.unrecorded() == 0
