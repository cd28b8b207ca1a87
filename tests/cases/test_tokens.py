"""Who acts on the command line: by a token, from the first one on; and which two are two people."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from stillwatch.access.database import open_database
from stillwatch.cases import Cases, Role, Who, open_cases
from stillwatch.cases.expiry import expire_tokens
from stillwatch.cases.schema import METADATA
from stillwatch.cases.tokens import APPROVES, WORKS, Token
from stillwatch.errors import CaseError, FourEyesError, NotAllowedError, UnknownCaseError
from stillwatch.ledger import Ledger
from tests.cases.conftest import ANA, DAY, LOOKED, NOW, SCAN, SUSPEND, Clock, draft, finding
from tests.cases.test_automation import rule


@pytest.fixture
def state(tmp_path: Path) -> str:
    """A folder; stores of before are opened on either database."""
    return str(tmp_path / "state")


Made = dict[str, tuple[str, Token]]


@pytest.fixture
def made(cases: Cases) -> Made:
    """Tokens that whoever owns the store made of ana and of bo, and that bo made of cam."""
    tokens = {"ana": cases.tokens.create("ana", Role.ANALYST, DAY)}
    tokens["bo"] = cases.tokens.create("bo", Role.APPROVER, DAY)
    tokens["cam"] = cases.tokens.create("cam", Role.APPROVER, DAY, by=tokens["bo"][1])
    return tokens


def test_without_any_token_a_name_is_believed(cases: Cases) -> None:
    assert cases.tokens.acting(None, "ana", roles=WORKS) == Who(name="ana")
    assert cases.tokens.acting(None, "scan", roles=WORKS, person=False) == SCAN
    with pytest.raises(CaseError, match="say who does this"):
        cases.tokens.acting(None, None, roles=WORKS)


def test_from_the_first_token_on_a_name_is_not_believed(cases: Cases) -> None:
    secret, _ = cases.tokens.create("ana", Role.ANALYST, DAY)
    with pytest.raises(NotAllowedError, match="a name is not believed"):
        cases.tokens.acting(None, "bo", roles=WORKS)
    assert cases.tokens.acting(secret, None, roles=WORKS) == ANA
    assert cases.tokens.acting(secret, "ANA", roles=WORKS) == ANA
    with pytest.raises(NotAllowedError, match="--by says bo, and the token is of ana"):
        cases.tokens.acting(secret, "bo", roles=WORKS)


def test_names_are_not_believed_again_when_the_last_token_has_gone(
    cases: Cases, clock: Clock
) -> None:
    secret, _ = cases.tokens.create("ana", Role.ANALYST, DAY)
    clock.now += 2 * DAY
    assert expire_tokens(cases.database, int(clock.now)) == 1
    assert cases.tokens.all() == []
    for given in (None, secret):
        with pytest.raises(NotAllowedError):
            cases.tokens.acting(given, "ana", roles=WORKS)


def test_a_role_holds_on_the_command_line_too(cases: Cases, made: Made) -> None:
    with pytest.raises(NotAllowedError, match="the role analyst may not do this"):
        cases.tokens.acting(made["ana"][0], None, roles=APPROVES)
    assert cases.tokens.acting(made["bo"][0], None, roles=APPROVES).name == "bo"


def test_once_somebody_may_approve_only_they_make_and_revoke_tokens(
    cases: Cases, made: Made
) -> None:
    for by in (None, made["ana"][1]):
        with pytest.raises(NotAllowedError, match="only an approver makes"):
            cases.tokens.create("eve", Role.APPROVER, DAY, by=by)
        with pytest.raises(NotAllowedError, match="only an approver makes"):
            cases.tokens.revoke(made["bo"][1].id, by)
    assert cases.tokens.revoke(made["ana"][1].id, made["bo"][1]).revoked_at == NOW
    with pytest.raises(UnknownCaseError, match="there is no token 'tok-0'"):
        cases.tokens.revoke("tok-0")


def test_where_every_approver_is_gone_the_owner_of_the_store_makes_a_new_one(
    cases: Cases, made: Made, clock: Clock
) -> None:
    clock.now += 2 * DAY
    assert cases.tokens.create("dee", Role.APPROVER, DAY)[1].made_by is None


@pytest.mark.parametrize(("proposer", "approver"), [("bo", "cam"), ("cam", "BO")])
def test_whoever_made_a_token_is_no_second_person_beside_whom_it_is_of(
    cases: Cases, made: Made, claimed: str, proposer: str, approver: str
) -> None:
    cases.desk.release(claimed, ANA)
    cases.desk.claim(claimed, Who(name=proposer))
    cases.bench.propose(claimed, Who(name=proposer), draft(measures=SUSPEND))
    with pytest.raises(FourEyesError, match="bo made a token of cam"):
        cases.bench.approve(claimed, Who(name=approver))
    assert cases.bench.approve(claimed, ANA).verdict == "upheld"


def test_nor_where_a_rule_is_approved(cases: Cases, made: Made) -> None:
    cases.rules.propose(rule(), DAY, Who(name="bo"))
    with pytest.raises(FourEyesError, match="bo made a token of cam"):
        cases.rules.approve("coordinated-slow", 1, Who(name="cam"))


def test_whoever_was_given_a_token_stands_on_the_ledger(
    cases: Cases, made: Made, tmp_path: Path
) -> None:
    cases.tokens.revoke(made["ana"][1].id, made["bo"][1])
    with Ledger.open(tmp_path / "books", create=True) as ledger:
        cases.deliver(ledger)
        said = [(e.by, e.body["outcome"], e.body["name"]) for _, e in ledger.entries()]
    owner = "whoever may write the store"
    assert said == [
        (owner, "made", "ana"), (owner, "made", "bo"), ("bo", "made", "cam"),
        ("bo", "revoked", "ana"),
    ]  # fmt: skip


@pytest.mark.parametrize("with_token", [False, True])
def test_a_store_of_before_is_opened_and_goes_on(
    state: str, clock: Clock, with_token: bool
) -> None:
    opened_again(state, clock, with_token=with_token)


@pytest.mark.service
def test_a_store_of_before_on_a_server_too(server: Callable[[], str], clock: Clock) -> None:
    opened_again(server(), clock, with_token=True)


def opened_again(state: str, clock: Clock, *, with_token: bool) -> None:
    """A store as the version before made it is opened twice, and worked with."""
    with open_cases(state, create=True, clock=clock) as cases:
        secret, _ = cases.tokens.create("ana", Role.ANALYST, DAY)
        [case] = cases.intake.open([finding()], SCAN).opened
    database = open_database(state)
    with database.writing() as (connection, _):
        connection.execute(text("ALTER TABLE cases_tokens DROP COLUMN made_by"))
        connection.execute(text("ALTER TABLE cases_about DROP COLUMN named"))
        connection.execute(text("UPDATE cases_about SET format = 'stillwatch.cases/1'"))
        if not with_token:
            connection.execute(METADATA.tables["cases_tokens"].delete())
    database.close()
    for _ in range(2):
        with open_cases(state, clock=clock) as cases:
            assert cases.tokens.named() == with_token
            if with_token:
                assert cases.tokens.acting(secret, None, roles=WORKS) == ANA
            assert cases.desk.case(case).campaign == finding().id
    with open_cases(state, clock=clock) as cases:
        cases.desk.claim(case, ANA)
        cases.desk.add(case, ANA, LOOKED)
        cases.tokens.create("bo", Role.APPROVER, DAY)
