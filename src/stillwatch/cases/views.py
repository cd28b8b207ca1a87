"""What is shown of a case, in one stable form, and how much of it to whom.

Whoever only reads sees shapes and counts: which detections, their values and base rates, verdicts,
measures by kind. Names of accounts stand there as the commitments of the ledger, and nothing that
people wrote is shown, for it may hold names. Every other role sees all of it.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, select

from stillwatch.access.actions import Action
from stillwatch.access.enforcement import read_actions
from stillwatch.access.schema import ACTIONS
from stillwatch.cases.case import Case, Piece
from stillwatch.cases.events import Proposed, Verdict
from stillwatch.cases.measures import Measure
from stillwatch.cases.reach import Reach, reach_of
from stillwatch.cases.schema import ACCOUNTS
from stillwatch.cases.standing import Standing
from stillwatch.cases.states import State
from stillwatch.ledger import commit

__all__ = [
    "CaseView",
    "DecisionView",
    "EvidenceView",
    "MeasureView",
    "PartyView",
    "ProposalView",
    "actions_of",
    "measure_view",
    "parties_in",
    "redacted",
    "view_of",
]

_AT_ONCE = 500


class PartyView(msgspec.Struct, frozen=True, kw_only=True):
    """An account of a case. `commitment` is what the ledger calls it; both are None once erased."""

    number: int
    account: str | None
    commitment: str | None
    allowed: bool
    standing: Standing | None


class EvidenceView(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of evidence; `base_rate` is None where it was not measured."""

    event: int
    at: int
    by: str | None
    text: str | None
    source: str | None
    family: str | None
    detection: str | None
    value: float | None
    base_rate: float | None


class MeasureView(msgspec.Struct, frozen=True, kw_only=True):
    """An action; `undone_at` is None for one that ends by itself.

    `subject` is an account, an org or a key, as `of` says; of an account `number` is its number.
    """

    id: str
    number: int | None
    of: str
    subject: str | None
    kind: str
    reason: str
    by: str | None
    since: int
    until: int
    undone_at: int | None


class ProposalView(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal, waiting or decided. `reaches` is what orgs and keys among its subjects have now,
    for a proposal that waits."""

    proposal: str
    verdict: Verdict
    reason: str
    proposed_by: str | None
    four_eyes: bool
    expires_at: int
    accounts: tuple[int, ...]
    measures: tuple[Measure, ...]
    terms: tuple[str, ...]
    clause: str | None
    without_terms: str | None
    summary: str | None
    message: str | None
    reaches: tuple[Reach, ...] = ()


class DecisionView(msgspec.Struct, frozen=True, kw_only=True):
    """`reaches` is how many accounts the orgs had that it was for."""

    at: int
    reaches: int
    approved_by: str | None
    decided: ProposalView


class CaseView(msgspec.Struct, frozen=True, kw_only=True):
    """All of a case. Times are seconds since the epoch, UTC. `emergency_until` is of a case that
    began with what one person did at once."""

    id: str
    campaign: str
    state: State
    verdict: Verdict | None
    claimed_by: str | None
    segment: str
    score: float
    level: float | None
    families: tuple[str, ...]
    promised: bool
    withdrawn: bool
    previous: str | None
    opened_at: int
    changed_at: int
    events: int
    accounts: tuple[PartyView, ...]
    facts: tuple[EvidenceView, ...]
    inference: tuple[EvidenceView, ...]
    counter_evidence: tuple[EvidenceView, ...]
    question: str | None
    question_of: str | None
    pending: ProposalView | None
    decisions: tuple[DecisionView, ...]
    appeals: int
    appeal_texts: tuple[str, ...]
    held_back: tuple[str, ...]
    emergency_until: int | None
    measures: tuple[MeasureView, ...]


def view_of(connection: Connection, case: Case, now: int) -> CaseView:
    """A case with the names of its accounts; what it reaches is as of `now` (seconds, UTC)."""
    parties = parties_in(connection, case)
    numbers = {party.account: party.number for party in parties if party.account is not None}
    return CaseView(
        id=case.id,
        campaign=case.campaign,
        state=case.state,
        verdict=case.verdict,
        claimed_by=case.claimed_by,
        segment=case.opened.segment,
        score=case.score,
        level=case.level,
        families=case.families,
        promised=case.opened.promised,
        withdrawn=case.withdrawn,
        previous=case.opened.previous,
        opened_at=case.opened_at,
        changed_at=case.changed_at,
        events=case.events,
        accounts=parties,
        facts=_evidence(case.pieces("fact")),
        inference=_evidence(case.pieces("inference")),
        counter_evidence=_evidence(case.pieces("counter")),
        question=None if case.question is None else case.question.question,
        question_of=None if case.question is None else case.question.of,
        pending=None
        if case.pending is None
        else msgspec.structs.replace(
            _proposal(case.pending, case.proposed_by),
            reaches=reach_of(connection, case.id, case.pending.wider, now),
        ),
        decisions=tuple(
            DecisionView(
                at=each.at,
                reaches=each.reaches,
                approved_by=each.approved_by,
                decided=_proposal(each.proposal, each.proposed_by),
            )
            for each in case.decisions
        ),
        appeals=len(case.appeals),
        appeal_texts=tuple(each.text for each in case.appeals),
        emergency_until=None if case.emergency is None else case.emergency.until,
        held_back=tuple(each.held_back for each in case.automated if each.held_back),
        measures=tuple(measure_view(each, numbers) for each in actions_of(connection, case)),
    )  # fmt: skip


def redacted(view: CaseView) -> CaseView:
    """The same for who only reads: no names, and nothing that people wrote."""
    return msgspec.structs.replace(
        view,
        claimed_by=None,
        accounts=tuple(
            msgspec.structs.replace(each, account=None, standing=None) for each in view.accounts
        ),
        facts=tuple(map(_silent, view.facts)),
        inference=tuple(map(_silent, view.inference)),
        counter_evidence=tuple(map(_silent, view.counter_evidence)),
        question=None,
        question_of=None,
        pending=None if view.pending is None else _quiet(view.pending),
        decisions=tuple(
            msgspec.structs.replace(each, approved_by=None, decided=_quiet(each.decided))
            for each in view.decisions
        ),
        appeal_texts=(),
        measures=tuple(
            msgspec.structs.replace(each, subject=None, by=None) for each in view.measures
        ),
    )


def parties_in(connection: Connection, case: Case) -> tuple[PartyView, ...]:
    rows = connection.execute(
        select(ACCOUNTS).where(ACCOUNTS.c.case_id == case.id).order_by(ACCOUNTS.c.number)
    )
    found = []
    for row in rows:
        erased = row.account is None or row.salt is None
        standing = None if erased else msgspec.json.decode(row.standing, type=Standing)
        found.append(
            PartyView(
                number=row.number,
                account=row.account,
                commitment=None if erased else commit(row.account, bytes(row.salt)),
                allowed=row.number in case.allowed,
                standing=standing,
            )
        )
    return tuple(found)


def actions_of(connection: Connection, case: Case) -> list[Action]:
    """Every action that was put in force for a case, also those that have ended."""
    ids = [] if case.emergency is None else list(case.emergency.actions)
    ids += [each for decided in case.decisions for each in decided.actions]
    ids += [each for automated in case.automated for each in automated.actions]
    return [
        action
        for start in range(0, len(ids), _AT_ONCE)
        for _, action in read_actions(connection, ACTIONS.c.id.in_(ids[start : start + _AT_ONCE]))
    ]


def _evidence(pieces: tuple[Piece, ...]) -> tuple[EvidenceView, ...]:
    return tuple(
        EvidenceView(
            event=piece.number,
            at=piece.at,
            by=piece.by,
            text=piece.item.text,
            source=piece.item.source,
            family=piece.item.family,
            detection=piece.item.detection,
            value=piece.item.value,
            base_rate=piece.item.base_rate,
        )
        for piece in pieces
    )


def measure_view(action: Action, numbers: dict[str, int]) -> MeasureView:
    return MeasureView(
        id=action.id,
        number=numbers.get(action.subject) if action.subject_kind == "account" else None,
        of=action.subject_kind,
        subject=action.subject,
        kind=action.kind,
        reason=action.reason,
        by=action.by,
        since=action.created_at,
        until=action.expires_at,
        undone_at=action.undone_at,
    )


def _proposal(proposal: Proposed, by: str | None) -> ProposalView:
    return ProposalView(
        proposal=proposal.proposal,
        verdict=proposal.verdict,
        reason=proposal.reason,
        proposed_by=by,
        four_eyes=proposal.four_eyes,
        expires_at=proposal.expires_at,
        accounts=proposal.accounts,
        measures=proposal.measures,
        terms=proposal.terms,
        clause=proposal.clause,
        without_terms=proposal.without_terms,
        summary=proposal.summary,
        message=proposal.message,
    )


def _silent(piece: EvidenceView) -> EvidenceView:
    return msgspec.structs.replace(piece, by=None, text=None, source=None)


def _quiet(proposal: ProposalView) -> ProposalView:
    return msgspec.structs.replace(
        proposal, proposed_by=None, without_terms=None, summary=None, message=None,
        reaches=tuple(msgspec.structs.replace(each, subject=None) for each in proposal.reaches),
    )  # fmt: skip
