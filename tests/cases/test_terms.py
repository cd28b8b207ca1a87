"""What the accounts accepted: a verdict names a clause of it, or says why there is none."""

from __future__ import annotations

from typing import Any

import pytest

from stillwatch.access.keys import KeyStore
from stillwatch.cases import Cases, Clause
from stillwatch.errors import CaseError, FourEyesError
from tests.cases.conftest import ANA, DAY, LOOKED, SCAN, draft, finding


@pytest.fixture
def ready(cases: Cases, keys: KeyStore) -> str:
    """A case of accounts with known terms, which ana has weighed."""
    [case] = cases.intake.open([finding()], SCAN).opened
    cases.desk.claim(case, ANA)
    cases.desk.add(case, ANA, LOOKED)
    return case


def test_a_verdict_names_the_clause_and_the_versions_that_were_accepted(
    cases: Cases, ready: str
) -> None:
    decided = cases.bench.propose(ready, ANA, draft(clause="4.2", without_terms=""))
    proposal = decided.decisions[0].proposal
    assert (proposal.terms, proposal.clause) == (("2026-03",), "4.2")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "name the clause of the terms 2026-03"),
        ({"clause": "9.9"}, "9.9 is not written down for the terms 2026-03"),
    ],
)
def test_a_verdict_without_its_clause_is_refused(
    cases: Cases, ready: str, fields: dict[str, Any], said: str
) -> None:
    with pytest.raises(CaseError, match=said):
        cases.bench.propose(ready, ANA, draft(without_terms="", **fields))


def test_without_accepted_terms_a_verdict_says_why_it_stands(cases: Cases, claimed: str) -> None:
    with pytest.raises(CaseError, match="no accepted terms are recorded; say why"):
        cases.bench.propose(claimed, ANA, draft(without_terms=""))
    assert cases.bench.propose(claimed, ANA, draft()).verdict == "upheld"


def test_whoever_is_dismissed_needs_no_clause(cases: Cases, ready: str) -> None:
    dismissed = draft(verdict="dismissed", reason="no-breach", measures=(), without_terms="")
    assert cases.bench.propose(ready, ANA, dismissed).verdict == "dismissed"


def test_a_clause_that_was_written_down_is_not_changed(cases: Cases, keys: KeyStore) -> None:
    same = Clause(terms="2026-03", clause="4.2", text="No training on answers.")
    cases.registry.add_clause(same)
    with pytest.raises(CaseError, match="other words are another version"):
        cases.registry.add_clause(Clause(terms="2026-03", clause="4.2", text="Anything goes."))


def test_allow_listed_accounts_are_left_out_unless_they_are_named(cases: Cases) -> None:
    cases.registry.allow("acct-1", "evaluator", DAY, "contract 17", ANA)
    [case] = cases.intake.open([finding()], SCAN).opened
    cases.desk.claim(case, ANA)
    cases.desk.add(case, ANA, LOOKED)
    assert cases.bench.propose(case, ANA, draft()).decisions[0].proposal.accounts == (2,)


@pytest.mark.parametrize(
    ("purpose", "lasting", "why", "said"),
    [
        ("friend", DAY, "knows us", "is not registered; it is one of evaluator"),
        ("research", 367 * DAY, "agreement", "must end within 366 days"),
        ("research", DAY, "  ", "why: give 1 to"),
    ],
)
def test_an_allowance_needs_a_purpose_an_end_and_a_reason(
    cases: Cases, purpose: str, lasting: int, why: str, said: str
) -> None:
    with pytest.raises(CaseError, match=said):
        cases.registry.allow("acct-1", purpose, lasting, why, ANA)


def test_a_program_allows_nobody_and_a_person_ends_an_allowance(cases: Cases) -> None:
    with pytest.raises(FourEyesError, match="is a program"):
        cases.registry.allow("acct-1", "research", DAY, "agreement", SCAN)
    allowed = cases.registry.allow("acct-1", "research", DAY, "agreement", ANA)
    assert cases.registry.disallow(allowed.id, ANA).ended_by == "ana"
    [case] = cases.intake.open([finding()], SCAN).opened
    assert cases.desk.case(case).allowed == ()
