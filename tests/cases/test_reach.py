"""Measures on an org or a key: two people, and nobody approves what they have not seen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from stillwatch.access.enforcement import ActionStore
from stillwatch.access.keys import KeyStore
from stillwatch.cases import Cases, Measure, open_cases
from stillwatch.cases.erasure import erase_account
from stillwatch.cases.pool import pool_of
from stillwatch.cases.schema import EVENTS
from stillwatch.cases.statement import statement
from stillwatch.cases.views import redacted, view_of
from stillwatch.errors import CaseError, ConflictError, FourEyesError
from stillwatch.ledger import Ledger, is_commitment
from tests.cases.conftest import ANA, BO, DAY, LOOKED, NOW, SCAN, SUSPEND, Clock, draft, finding


@pytest.fixture
def state(tmp_path: Path) -> str:
    """A folder; the last test asks a server the same questions."""
    return str(tmp_path / "state")


SLOW = (Measure(kind="slow", seconds=5.0, lasting=DAY),)


@pytest.fixture
def book(cases: Cases, clock: Clock) -> KeyStore:
    """An org of four accounts, one of which evaluates, and a key of it that was revoked."""
    store = KeyStore(cases.database, clock)
    for account in ("acct-1", "acct-2", "bystander"):
        store.create(account=account, org="acme")
    store.create(account="lab", org="acme", purposes=["evaluator"])
    store.revoke(store.create(account="left", org="acme")[1].key_id)
    store.create(account="elsewhere", org="umbrella")
    return store


@pytest.fixture
def mine(cases: Cases, book: KeyStore) -> str:
    """A case about two of them that ana has."""
    [case] = cases.intake.open([finding()], SCAN).opened
    cases.desk.claim(case, ANA)
    cases.desk.add(case, ANA, LOOKED)
    return case


def key_of(book: KeyStore, account: str) -> str:
    return next(each.key_id for each in book.list(account))


@pytest.fixture
def subjects(cases: Cases, clock: Clock) -> Callable[[], set[tuple[str, str, str]]]:
    actions = ActionStore(cases.database, clock)
    return lambda: {(each.subject_kind, each.subject, each.kind) for each in actions.in_force()}


Subjects = Callable[[], set[tuple[str, str, str]]]


def test_an_org_is_suspended_by_two_of_whom_the_second_says_how_many_it_reaches(
    cases: Cases, mine: str, subjects: Subjects
) -> None:
    cases.bench.propose(mine, ANA, draft(measures=SUSPEND, orgs=("acme",)))
    with cases.database.reading() as (connection, _):
        pending = view_of(connection, cases.desk.case(mine), NOW).pending
    assert pending is not None
    [reach] = pending.reaches
    assert (reach.kind, reach.subject, reach.accounts) == ("org", "acme", 4)
    assert (reach.others, reach.listed) == (2, 1)
    with pytest.raises(CaseError, match="it reaches 4 accounts, 2 of them not of this case and 1"):
        cases.bench.approve(mine, BO)
    with pytest.raises(FourEyesError):
        cases.bench.approve(mine, ANA, 4)
    assert subjects() == set()
    decided = cases.bench.approve(mine, BO, 4)
    assert subjects() == {("org", "acme", "suspend")}
    assert decided.decisions[0].reaches == 4
    cases.bench.undo(mine, ANA, "they showed us their product")
    assert subjects() == set()


def test_an_org_that_grew_since_it_was_looked_at_is_looked_at_again(
    cases: Cases, mine: str, book: KeyStore, subjects: Subjects
) -> None:
    cases.bench.propose(mine, ANA, draft(measures=SUSPEND, orgs=("acme",)))
    book.create(account="fresh", org="acme")
    with pytest.raises(ConflictError, match=r"it reaches 5 accounts.* and not 4; look again"):
        cases.bench.approve(mine, BO, 4)
    assert subjects() == set()


def test_whatever_is_done_to_an_org_takes_two_people(
    cases: Cases, mine: str, subjects: Subjects
) -> None:
    proposed = cases.bench.propose(mine, ANA, draft(measures=SLOW, orgs=("acme",)))
    assert proposed.pending is not None
    assert subjects() == set()


def test_one_key_is_slowed_by_one_person_and_the_account_is_left_alone(
    cases: Cases, mine: str, book: KeyStore, subjects: Subjects
) -> None:
    key = key_of(book, "acct-2")
    cases.bench.propose(mine, ANA, draft(measures=SLOW, keys=(key,)))
    assert subjects() == {("key", key, "slow")}


def test_a_key_is_suspended_by_two_and_accounts_beside_it_where_they_are_named(
    cases: Cases, mine: str, book: KeyStore, subjects: Subjects
) -> None:
    key = key_of(book, "acct-2")
    cases.bench.propose(mine, ANA, draft(measures=SUSPEND, keys=(key,), accounts=("acct-1",)))
    assert subjects() == set()
    cases.bench.approve(mine, BO)
    assert subjects() == {("key", key, "suspend"), ("account", "acct-1", "suspend")}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"orgs": ("umbrella",)}, "no account of case-.* was of 'umbrella'"),
        ({"keys": ("key-0",)}, "'key-0' is no key of an account"),
        ({"orgs": ("acme",), "measures": (), "verdict": "dismissed"}, "leave them out"),
    ],
)
def test_what_is_of_no_account_of_the_case_is_refused(
    cases: Cases, mine: str, fields: dict[str, object], said: str
) -> None:
    with pytest.raises(CaseError, match=said):
        cases.bench.propose(mine, ANA, draft(**({"measures": SLOW} | fields)))


def test_a_key_of_somebody_else_is_refused(cases: Cases, mine: str, book: KeyStore) -> None:
    with pytest.raises(CaseError, match="is no key of an account"):
        cases.bench.propose(mine, ANA, draft(measures=SLOW, keys=(key_of(book, "bystander"),)))


def test_whoever_is_reached_is_told_and_who_is_not_is_told_nothing(cases: Cases, mine: str) -> None:
    cases.bench.propose(mine, ANA, draft(measures=SUSPEND, orgs=("acme",)))
    cases.bench.approve(mine, BO, 4)
    with cases.database.reading() as (connection, _):
        case = cases.desk.case(mine)
        told = statement(connection, case, "bystander")
        assert [(each.of, each.kind) for each in told.measures] == [("org", "suspend")]
        assert told.reason == "coordinated-extraction"
        with pytest.raises(CaseError, match="is no account of"):
            statement(connection, case, "elsewhere")
        assert "acme" not in repr(redacted(view_of(connection, case, NOW)))


def test_accounts_of_a_suspended_org_count_as_fallen(cases: Cases, mine: str) -> None:
    cases.bench.propose(mine, ANA, draft(measures=SUSPEND, orgs=("acme",)))
    cases.bench.approve(mine, BO, 4)
    assert pool_of(cases.database, mine).suspensions == 2


def test_no_event_and_no_entry_names_the_org_and_erasing_the_account_forgets_it(
    cases: Cases, mine: str, tmp_path: object, subjects: Subjects
) -> None:
    cases.bench.propose(mine, ANA, draft(measures=SUSPEND, orgs=("acme",)))
    with Ledger.open(f"{tmp_path}/books", create=True) as ledger:
        for account in ("acct-1", "acct-2"):
            erase_account(cases.database, account)
        cases.bench.approve(mine, BO, 0)
        cases.deliver(ledger)
        assert all("acme" not in repr(entry) for _, entry in ledger.entries())
    with cases.database.reading() as (connection, _):
        assert not any("acme" in body for body in connection.scalars(select(EVENTS.c.body)))
    assert subjects() == set(), "whose org it was cannot be told any more"


def test_the_ledger_is_told_of_the_org_as_a_commitment_and_of_how_many(
    cases: Cases, mine: str, tmp_path: object
) -> None:
    cases.bench.propose(mine, ANA, draft(measures=SUSPEND, orgs=("acme",)))
    cases.bench.approve(mine, BO, 4)
    with Ledger.open(f"{tmp_path}/books", create=True) as ledger:
        cases.deliver(ledger)
        [verdict] = [entry.body for _, entry in ledger.entries() if entry.kind == "verdict"]
    assert (verdict["reaches"], verdict["accounts"]) == (4, [])
    assert [is_commitment(each) for each in verdict["orgs"]] == [True]


@pytest.mark.service
def test_a_server_counts_alike(server: Callable[[], str], clock: Clock) -> None:
    with open_cases(server(), create=True, clock=clock) as cases:
        store = KeyStore(cases.database, clock)
        for account in ("acct-1", "acct-2", "bystander"):
            store.create(account=account, org="acme")
        store.create(account="lab", org="acme", purposes=["evaluator"])
        cases.registry.allow("bystander", "research", DAY, "agreement", ANA)
        [case] = cases.intake.open([finding()], SCAN).opened
        cases.desk.claim(case, ANA)
        cases.desk.add(case, ANA, LOOKED)
        cases.bench.propose(case, ANA, draft(measures=SUSPEND, orgs=("acme",)))
        with pytest.raises(
            CaseError, match="it reaches 4 accounts, 2 of them not of this case and 2"
        ):
            cases.bench.approve(case, BO)
        assert cases.bench.approve(case, BO, 4).decisions[0].reaches == 4
