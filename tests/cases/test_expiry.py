"""Retention: what is over goes, whole or not at all; the rest stays; the ledger is sound."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import select

from stillwatch.access.keys import KeyStore
from stillwatch.cases import Cases, Item, Role, open_cases
from stillwatch.cases.expiry import (
    FORGOTTEN,
    expire_allowances,
    expire_outbox,
    expire_tokens,
    forget_cases,
    lingering,
)
from stillwatch.cases.keeping import Ran, expire, stores_of
from stillwatch.cases.periods import Periods, read_periods
from stillwatch.cases.precision import measure
from stillwatch.cases.schema import ACCOUNTS, CASES, METADATA, OUTBOX
from stillwatch.errors import SettingsError, StorageError
from stillwatch.events import EventStore
from stillwatch.ledger import Ledger, Salts
from tests.cases.conftest import ANA, CAM, DAY, LOOKED, NOW, SCAN, Clock, draft, finding
from tests.events.conftest import exchanges


@pytest.fixture
def closed(cases: Cases, suspended: str) -> str:
    """A case that was decided by two and closed, with what people wrote about acct-1."""
    cases.desk.add(suspended, CAM, Item(kind="counter", text="acct-1 is a startup in Oslo"))
    cases.desk.close(suspended, ANA, "acct-1 agreed")
    return suspended


def cells(cases: Cases) -> str:
    """Every cell of every table of the cases, but for the outbox: it holds commitments alone."""
    with cases.database.reading() as (connection, _):
        rows = [
            row
            for table in METADATA.sorted_tables
            if table is not OUTBOX
            for row in connection.execute(select(table))
        ]
    return repr([[bytes(c) if isinstance(c, memoryview) else c for c in row] for row in rows])


def salts_in(cases: Cases) -> list[bytes]:
    with cases.database.reading() as (connection, _):
        found = [*connection.scalars(select(ACCOUNTS.c.salt)),
                 *connection.scalars(select(CASES.c.salt))]  # fmt: skip
    return [bytes(each) for each in found if each]


def test_a_case_that_was_closed_long_ago_is_a_shape_without_names_texts_and_salts(
    cases: Cases, closed: str
) -> None:
    precision, salts = measure(cases.database, NOW).rows, salts_in(cases)
    assert forget_cases(cases.database, NOW) == 0, "it was closed in this second"
    assert forget_cases(cases.database, NOW + 1, apply=False) == 1
    assert "Oslo" in cells(cases), "counting touches nothing"
    assert forget_cases(cases.database, NOW + 1) == 1
    held = cells(cases)
    for gone in ("acct-1", "acct-2", "Oslo", "share of exchanges", "accounts collect", *salts):
        assert str(gone) not in held, gone
    case = cases.desk.case(closed)
    assert (case.state, case.verdict, len(case.accounts)) == ("closed", "upheld", 2)
    assert case.decisions[0].proposal.reason == "coordinated-extraction", "codes stay"
    assert {piece.item.text for piece in case.evidence} == {FORGOTTEN}
    assert measure(cases.database, NOW).rows == precision
    assert forget_cases(cases.database, NOW + 1) == 0, "once"


def test_a_case_that_is_not_closed_keeps_its_names_and_is_counted_apart(
    cases: Cases, suspended: str
) -> None:
    assert forget_cases(cases.database, NOW + 10_000 * DAY) == 0
    assert lingering(cases.database, NOW + 1) == 1
    assert lingering(cases.database, NOW) == 0
    assert "acct-1" in cells(cases)


def test_a_forgotten_case_can_be_appealed_and_is_forgotten_again(
    cases: Cases, closed: str, clock: Clock
) -> None:
    forget_cases(cases.database, NOW + 1)
    clock.now += DAY
    cases.desk.appeal(closed, SCAN, "it is Oslo again", "mail")
    cases.desk.claim(closed, CAM)
    cases.desk.add(closed, CAM, LOOKED)
    cases.bench.propose(closed, CAM, draft(verdict="dismissed", reason="no-breach", measures=()))
    cases.desk.close(closed, CAM, "answered")
    assert "Oslo" in cells(cases)
    assert forget_cases(cases.database, NOW + 1) == 0, "its period began again"
    assert forget_cases(cases.database, NOW + DAY + 1) == 1
    assert "Oslo" not in cells(cases)


def test_many_cases_are_forgotten_in_parts(cases: Cases) -> None:
    cases.intake.open([finding(id=f"c-{number}") for number in range(120)], SCAN)
    with cases.database.writing() as (connection, _):
        connection.execute(CASES.update().values(state="closed"))
    assert forget_cases(cases.database, NOW + 1) == 120
    assert salts_in(cases) == []


def test_allowances_and_tokens_go_when_they_ended_long_ago_and_not_before(
    cases: Cases, clock: Clock
) -> None:
    for name in ("ends", "ended", "holds"):
        lasting = 300 if name == "holds" else 1
        made = cases.registry.allow(name, "research", lasting * DAY, "agreement", ANA)
        _, token = cases.tokens.create(name, Role.ANALYST, lasting * DAY)
        if name == "ended":
            cases.registry.disallow(made.id, ANA)
            cases.tokens.revoke(token.id)
    for expired in (expire_allowances, expire_tokens):
        assert expired(cases.database, NOW) == 0
        assert expired(cases.database, NOW + 1) == 1, "what was ended by somebody"
        assert expired(cases.database, NOW + DAY + 1, apply=False) == 1
        assert expired(cases.database, NOW + DAY + 1) == 1, "what ended by itself"
    assert [each.account for each in cases.registry.allowances()] == ["holds"]
    assert [each.name for each in cases.tokens.all()] == ["holds"]


def test_the_outbox_forgets_what_was_told_and_tells_nothing_twice(
    cases: Cases, suspended: str, clock: Clock, tmp_path: Path
) -> None:
    with Ledger.open(tmp_path / "books", create=True) as ledger:
        assert expire_outbox(cases.database, NOW + DAY) == 0, "what waits is never deleted"
        assert cases.deliver(ledger) == 2
        assert expire_outbox(cases.database, NOW) == 0
        assert expire_outbox(cases.database, NOW + 1, apply=False) == 1
        assert expire_outbox(cases.database, NOW + 1) == 1, "the last one marks the place"
        cases.desk.appeal(suspended, SCAN, "no", "mail")
        with cases.database.writing() as (connection, _):  # the mark of the last one was lost
            connection.execute(OUTBOX.update().where(OUTBOX.c.number == 2).values(place=None))
        assert cases.deliver(ledger) == 2
        assert [e.kind for _, e in ledger.entries()] == ["approval", "verdict", "appeal"]


def in_folder(
    state: Path, clock: Clock, *, apply: bool = True, periods: Periods | None = None
) -> list[Ran]:
    with stores_of(state, periods or Periods()) as (stores, _):
        return expire(stores, state, apply=apply, clock=clock)


def found(ran: Sequence[Ran]) -> dict[str, int]:
    return {each.name: each.found for each in ran if each.found}


@pytest.fixture
def folder(tmp_path: Path, empty: Path, clock: Clock) -> Path:
    """A state folder with one thing in each store that is over after 2,000 days."""

    state = tmp_path / "state"
    shutil.copytree(empty, state)
    with EventStore.create(state / "events", key_id="k") as store:
        store.append(exchanges(50))
        store.roll()
        store.append(exchanges(50))
    with open_cases(state, clock=clock) as cases, Ledger.open(state, create=True) as ledger:
        KeyStore(cases.database, clock).create(account="acme", expires_at=NOW + DAY)
        [case] = cases.intake.open([finding()], SCAN).opened
        cases.desk.claim(case, ANA)
        cases.desk.add(case, ANA, LOOKED)
        cases.bench.propose(case, ANA, draft())
        cases.desk.close(case, ANA, "done")
        cases.bench.undo(case, ANA, "they stopped")
        cases.registry.allow("lab", "research", DAY, "agreement", ANA)
        cases.tokens.create("ana", Role.ANALYST, DAY)
        cases.deliver(ledger)
        ledger.head()
    with Salts.open(state, create=True, clock=clock) as salts:
        salts.commitment("acme")
    return state


ALL = {"exchanges": 100, "actions": 2, "keys": 1, "cases": 1, "allowances": 1, "tokens": 1,
       "outbox": 3, "salts": 1}  # fmt: skip


def test_one_job_reaches_every_store_and_the_ledger_says_what_went(
    folder: Path, clock: Clock
) -> None:
    clock.now += 2_000 * DAY
    assert found(in_folder(folder, clock, apply=False)) == ALL
    assert found(in_folder(folder, clock, apply=False)) == ALL, "looking deletes nothing"
    assert found(in_folder(folder, clock)) == ALL
    assert found(in_folder(folder, clock)) == {}, "run again, nothing is left to do"
    with Ledger.open(folder) as ledger:
        said = [e.body for _, e in ledger.entries() if e.kind == "expiry"]
        assert [each["step"] for each in said] == ["begun", "done", "done"]
        assert said[0]["rows"] == said[1]["rows"] == ALL
        assert set(said[2]["rows"].values()) == {0}
        assert said[0]["days"]["cases"] == 730
        assert ledger.check(ledger.heads()).size == len(ledger)


def test_nothing_goes_before_its_period_is_over(folder: Path, clock: Clock) -> None:
    periods = Periods(exchanges=36_500, cases=91)
    clock.now += 20 * DAY
    assert found(in_folder(folder, clock, periods=periods)) == {}
    clock.now += 72 * DAY
    assert found(in_folder(folder, clock, periods=periods)) == {
        "cases": 1, "tokens": 1, "outbox": 3,
    }  # fmt: skip


def test_a_clock_that_went_backwards_deletes_nothing(folder: Path, clock: Clock) -> None:
    clock.now -= 900 * DAY
    assert found(in_folder(folder, clock)) == {}
    assert found(in_folder(folder, clock, apply=False)) == {}


def test_a_store_that_fails_stops_the_job_and_the_next_run_does_the_rest(
    folder: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.now += 2_000 * DAY

    def full(*_: object) -> int:
        raise StorageError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(Salts, "expire", full)
        with pytest.raises(StorageError):
            in_folder(folder, clock)
    assert found(in_folder(folder, clock)) == {"salts": 1}
    with Ledger.open(folder) as ledger:
        said = [e.body for _, e in ledger.entries() if e.kind == "expiry"]
        assert [each["step"] for each in said] == ["begun", "begun", "done"]
        assert said[0]["rows"] == ALL, "what was about to go was said before"
        ledger.check()


@pytest.mark.slow
def test_a_job_that_is_killed_at_any_moment_is_run_again(folder: Path) -> None:
    words = [sys.executable, "-m", "stillwatch", "privacy", "expire", "--state", folder, "--apply"]
    settings = folder.parent / "stillwatch.yaml"
    settings.write_text("retention: {cases: 91}\n")
    with open_cases(folder, clock=lambda: NOW - 3_000 * DAY) as cases:
        cases.intake.open([finding(id=f"k-{number}") for number in range(1_500)], SCAN)
        with cases.database.writing() as (connection, _):
            connection.execute(CASES.update().values(state="closed"))
    for wait in (0.9, 1.1, 1.3):
        process = subprocess.Popen([*words, "-c", settings], stdout=subprocess.DEVNULL)
        time.sleep(wait)
        process.kill()
        process.wait()
    done = subprocess.run([*words, "-c", settings], check=True, capture_output=True, text=True)
    assert re.search(r"^cases +91", done.stdout, re.MULTILINE)
    with open_cases(folder) as cases:
        assert forget_cases(cases.database, NOW - DAY, apply=False) == 0
        assert all(cases.desk.case(row.id).accounts for row in cases.desk.queue())
    with Ledger.open(folder) as ledger:
        assert [e.body["step"] for _, e in ledger.entries() if e.kind == "expiry"][-1] == "done"
        ledger.check(ledger.heads())


def test_periods_are_read_from_the_settings_beside_those_of_the_gateway(tmp_path: Path) -> None:
    file = tmp_path / "stillwatch.yaml"
    file.write_text("retention: {salts: 400}\ngateway: {retention_days: 30, keys: 'x://y'}\n")
    assert read_periods(file) == (Periods(salts=400, exchanges=30), "x://y")
    assert read_periods(None) == (Periods(), None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("retention: {cases: 90}", "'retention.cases' must be 91 to 36,500 days"),
        ("retention: {tokens: 7}", "must be 8 to 36,500 days, not 7"),
        ("retention: {salt: 3}", "did you mean 'salts'"),
        ("retention: {exchanges: 9}\ngateway: {retention_days: 30}", "say it once"),
    ],
)
def test_a_period_that_cannot_be_is_refused_with_its_line(
    tmp_path: Path, text: str, said: str
) -> None:
    file = tmp_path / "stillwatch.yaml"
    file.write_text(text + "\n")
    with pytest.raises(SettingsError) as refused:
        read_periods(file)
    assert said in str(refused.value)
    assert f"{file}:1:" in str(refused.value)
