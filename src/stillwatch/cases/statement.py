"""What the owner of an account may be told, and nothing of how it was noticed."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, select

from stillwatch.access.schema import KEYS
from stillwatch.cases.case import Case
from stillwatch.cases.reasons import REASONS
from stillwatch.cases.schema import CLAUSES
from stillwatch.cases.views import MeasureView, actions_of, measure_view, parties_in
from stillwatch.errors import CaseError

__all__ = ["Statement", "statement"]


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """What the owner of an account may be told: what holds, why, until when, and how to appeal.

    Nothing here says how it was noticed, and nothing of anybody else.
    """

    reference: str
    account: str
    reason: str
    sentence: str
    message: str
    terms: str | None
    clause: str | None
    clause_text: str | None
    measures: tuple[MeasureView, ...]
    automated: bool
    appeal: str


def statement(connection: Connection, case: Case, account: str) -> Statement:
    """What the owner of an account may be told: of a case, or reached by what was done to its org.

    Raises:
        CaseError: it is neither, or nothing was done about it.
    """
    parties = {party.account: party for party in parties_in(connection, case)}
    hit = _subjects(connection, account)
    actions = [a for a in actions_of(connection, case) if (a.subject_kind, a.subject) in hit]
    if account not in parties and not actions:
        raise CaseError(f"{account!r} is no account of {case.id}")
    number = parties[account].number if account in parties else None
    done = {action.id for action in actions}
    decision = next(
        (d for d in reversed(case.decisions)
         if number in d.proposal.accounts or not done.isdisjoint(d.actions)), None
    )  # fmt: skip
    if decision is None and not actions:
        raise CaseError(f"nothing was decided about {account!r} in {case.id}")
    clause = None if decision is None else decision.proposal.clause
    standing = parties[account].standing if account in parties else None
    terms = None if standing is None else standing.terms
    reason = actions[-1].reason if decision is None else decision.proposal.reason
    return Statement(
        reference=case.id,
        account=account,
        reason=reason,
        sentence=REASONS.get(reason, ""),
        message=actions[-1].message if decision is None else decision.proposal.message,
        terms=terms,
        clause=clause,
        clause_text=_clause(connection, terms, clause),
        measures=tuple(
            msgspec.structs.replace(measure_view(each, {}), by=None) for each in actions
        ),
        automated=decision is None and not any(each.person for each in actions),
        appeal=f"Answer with the reference {case.id}. Somebody who had no part in this decides.",
    )  # fmt: skip


def _subjects(connection: Connection, account: str) -> set[tuple[str, str]]:
    """Whatever an action on reaches an account: itself, its keys, their orgs."""
    found = {("account", account)}
    for key, org in connection.execute(
        select(KEYS.c.key_id, KEYS.c.org).where(KEYS.c.account == account)
    ):
        found.add(("key", key))
        if org is not None:
            found.add(("org", org))
    return found


def _clause(connection: Connection, terms: str | None, clause: str | None) -> str | None:
    if terms is None or clause is None:
        return None
    return connection.execute(
        select(CLAUSES.c.text).where(CLAUSES.c.terms == terms, CLAUSES.c.clause == clause)
    ).scalar_one_or_none()
