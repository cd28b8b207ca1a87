"""Verdicts: proposed by whoever has the case, approved by a second person where it takes two.

A suspension always takes two. A verdict and the actions that follow from it are one transaction of
the store that gateways read, so that neither is there without the other. Each decision replaces
what was in force for the case before it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select, update

from stillwatch.access.actions import SubjectKind
from stillwatch.access.database import Database
from stillwatch.cases.automation import PATIENCE
from stillwatch.cases.case import Case
from stillwatch.cases.events import (
    Approved,
    Event,
    Lifted,
    Proposed,
    Refused,
    Target,
    Verdict,
)
from stillwatch.cases.evidence import check_text
from stillwatch.cases.measures import Measure, action_of, check_measures, four_eyes
from stillwatch.cases.people import Who, folded
from stillwatch.cases.reach import (
    check_reach,
    commitments_of,
    parties_of,
    reach_of,
    subjects_of,
    targets,
)
from stillwatch.cases.reasons import REASONS, sentence
from stillwatch.cases.schema import CLAUSES, PROPOSALS
from stillwatch.cases.standing import Standing
from stillwatch.cases.states import Move, next_state
from stillwatch.cases.tokens import check_pair
from stillwatch.cases.transaction import Transaction, names_of, transaction
from stillwatch.cases.working import check_own, check_unbarred
from stillwatch.errors import CaseError, ConflictError, ExpiredError

__all__ = ["Bench", "Draft"]

_LEAST_FAMILIES = 2
_LONGEST_MESSAGE = 1_500  # characters; the reference is added to it


class Draft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody wants decided.

    `accounts` are names; none are all of the case, but for those on the allow-list or registered
    for a purpose, which must be named. `clause` is of the terms that the accounts accepted;
    `without_terms` says why the verdict stands where no accepted terms are recorded. `message` is
    for the owner; `summary`, why it is so, is not. Where `orgs` (names) or `keys` (ids) are given
    the measures are for them, and for no account but those that are named. `second` asks for a
    second person where none is needed.
    """

    verdict: Verdict
    reason: str
    summary: str
    message: str = ""
    measures: tuple[Measure, ...] = ()
    accounts: tuple[str, ...] = ()
    orgs: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    clause: str | None = None
    without_terms: str = ""
    second: bool = False


class Bench:
    """Decides cases. `clock` gives seconds since the epoch.

    Besides what they say, all methods raise UnknownCaseError where there is no such case,
    ConflictError where its state does not allow what is asked, and StorageError.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def propose(self, id: str, who: Who, draft: Draft) -> Case:  # noqa: A002
        """Propose a verdict; where one person suffices it is decided at once.

        Raises:
            CaseError: the draft cannot stand, or nobody has looked for counter-evidence.
            FourEyesError: `who` is a program, or had a part in the verdict that is appealed.
            ConflictError: somebody else has the case, or a proposal waits already.
        """
        who.checked().needs_person("a verdict")
        with transaction(self._database, self._clock()) as change:
            case = change.case(id)
            next_state(id, case.state, Move.PROPOSE)
            check_own(case, who)
            check_unbarred(case, who)
            if case.pending is not None:
                raise ConflictError(
                    f"{case.pending.proposal} of {case.proposed_by} waits; refuse it first"
                )
            body = _proposal(change, case, draft)
            case, _ = change.append(case, who, body)
            change.connection.execute(
                insert(PROPOSALS).values(
                    id=body.proposal,
                    proposer=folded(who.name),
                    four_eyes=body.four_eyes,
                    expires_at=body.expires_at,
                )
            )
            return case if body.four_eyes else _decide(change, case, who)

    def approve(self, id: str, who: Who, reaches: int | None = None) -> Case:  # noqa: A002
        """Make a proposal hold, as a second person; its measures are in force when this returns.

        `reaches` is how many accounts the orgs have that it is for, as the case shows it: needed
        where there are any, so that nobody approves what they have not seen.

        Raises:
            CaseError: `reaches` is missing.
            FourEyesError: `who` proposed it, made the token of who did (or the other way
                round), is a program, or had a part in the verdict that is
                appealed.
            ExpiredError: it was proposed too long ago.
            ConflictError: no proposal waits, perhaps because another person was first; or it
                reaches another number of accounts by now.
        """
        who.checked()
        with transaction(self._database, self._clock()) as change:
            case = change.case(id)
            proposal = _pending(case, Move.APPROVE)
            assert case.proposed_by is not None
            check_pair(change.connection, case.proposed_by, who, "this proposal")
            check_unbarred(case, who)
            if change.now >= proposal.expires_at:
                raise ExpiredError(
                    f"{proposal.proposal} waited for longer than {PATIENCE // 86_400} days; "
                    "refuse it, look again and propose it anew"
                )
            found = reach_of(change.connection, id, proposal.wider, change.now)
            return _decide(change, case, who, check_reach(found, reaches))

    def refuse(self, id: str, who: Who, why: str) -> Case:  # noqa: A002
        """Send a proposal back to whoever has the case; its author may take it back so.

        Raises:
            CaseError: there is no reason.
            ConflictError: no proposal waits.
        """
        who.needs_person("this proposal")
        why = check_text("why", why)
        with transaction(self._database, self._clock()) as change:
            case = change.case(id)
            proposal = _pending(case, Move.REFUSE).proposal
            _end(change.connection, proposal, who, "refused")
            case, event = change.append(case, who, Refused(proposal=proposal, why=why))
            change.record(id, event, "approval", {"proposal": proposal, "outcome": "refused"})
            return case

    def undo(
        self, id: str, who: Who, why: str, actions: Sequence[str] = ()  # noqa: A002
    ) -> Case:  # fmt: skip
        """End measures of a case now: some, or all that are in force. The verdict stays.

        It takes one person, also for a suspension: setting free is never held up.

        Raises:
            CaseError: there is no reason, or an action is none of the case that is in force.
        """
        why = check_text("why", why)
        with transaction(self._database, self._clock()) as change:
            case = change.case(id)
            live = [action.id for action in change.in_force(case.actions)]
            wrong = [each for each in actions if each not in live]
            if wrong or not live:
                raise CaseError(
                    f"{wrong[0] if wrong else id}: no such measure of this case is in force"
                )
            chosen = tuple(dict.fromkeys(actions)) or tuple(live)
            for each in chosen:
                change.end(each, who.name)
            case, event = change.append(case, who, Lifted(actions=chosen, why=why))
            change.record(id, event, "action", {}, undone=chosen)
            return case


def _pending(case: Case, move: Move) -> Proposed:
    next_state(case.id, case.state, move)
    if case.pending is None:
        raise ConflictError(f"nothing is proposed on {case.id}")
    return case.pending


def _end(connection: Connection, proposal: str, who: Who, outcome: str) -> None:
    connection.execute(
        update(PROPOSALS)
        .where(PROPOSALS.c.id == proposal)
        .values(approver=folded(who.name), outcome=outcome)
    )


def _decide(change: Transaction, case: Case, who: Who, reaches: int = 0) -> Case:
    """The pending proposal holds, and its measures are in force."""
    proposal, proposer = case.pending, case.proposed_by
    assert proposal is not None
    assert proposer is not None
    replaced = tuple(action.id for action in change.in_force(case.actions))
    for each in replaced:
        change.end(each, who.name)
    names = names_of(change.connection, case.id)
    number = case.events + 1
    subjects: list[tuple[SubjectKind, str, str | None]] = [
        ("account", str(account), names[account]) for account in proposal.accounts
    ]
    wider = subjects_of(change.connection, case.id, proposal.wider)
    for number_of, (target, name) in enumerate(wider, 1):
        kind: SubjectKind = "org" if target.key is None else "key"
        subjects.append((kind, f"{kind}.{number_of}", name))
    put = []
    for kind, place, name in subjects:
        if name is None:  # erased since it was proposed
            continue
        for measure in proposal.measures:
            action = action_of(
                measure,
                id=f"{case.id}.{number}.{measure.kind}.{place}",
                of=kind,
                subject=name,
                reason=proposal.reason,
                message=f"{proposal.message} (case {case.id})",
                by=who.name,
                person=True,
                now=change.now,
            )
            put.append(change.put(action).id)
    _end(change.connection, proposal.proposal, who, "approved")
    body = Approved(
        proposal=proposal.proposal, actions=tuple(put), undone=replaced, reaches=reaches
    )
    changed, event = change.append(case, who, body)
    _record(change, changed, event, proposal, proposer, reaches)
    return changed


def _record(
    change: Transaction, case: Case, event: Event, proposal: Proposed, proposer: str, reaches: int
) -> None:
    if proposal.four_eyes:
        body: dict[str, Any] = {
            "proposal": proposal.proposal, "outcome": "approved", "proposed_by": proposer,
        }  # fmt: skip
        change.record(case.id, event, "approval", body)
    wider = commitments_of(change.connection, case.id, proposal.wider)
    change.record(
        case.id,
        event,
        "verdict",
        {
            "verdict": proposal.verdict,
            "reason": proposal.reason,
            "proposed_by": proposer,
            "clause": proposal.clause,
            "terms": list(proposal.terms),
            "measures": [msgspec.to_builtins(each) for each in proposal.measures],
            "evidence": [
                {"detection": p.item.detection, "family": p.item.family,
                 "base_rate": p.item.base_rate}
                for p in case.pieces("inference") if p.item.detection is not None
            ],
            "counter_evidence": len(case.pieces("counter")),
            "appeals": len(case.appeals),
            **({"reaches": reaches} if proposal.wider else {}),
        },
        accounts=change.commitments(case.id, proposal.accounts),
        **wider,
    )  # fmt: skip


def _proposal(change: Transaction, case: Case, draft: Draft) -> Proposed:
    """A draft that can stand."""
    if not case.weighed():
        raise CaseError(
            "counter-evidence: nobody has looked for what speaks for the accounts"
            f"{' since the appeal' if case.appeals else ''}; look, and add what you found "
            "(`stillwatch cases add --counter`), be it that there is nothing"
        )
    sentence(draft.reason)
    check_measures(draft.measures)
    if draft.measures and draft.verdict != "upheld":
        raise CaseError(f"measures: a verdict '{draft.verdict}' has none")
    suspends = any(each.kind == "suspend" for each in draft.measures)
    if suspends and len(case.families) < _LEAST_FAMILIES:
        raise CaseError(
            "suspend: a link is not a verdict; it needs two independent families of "
            f"evidence, and there is {', '.join(case.families) or 'none'}"
        )
    if (draft.orgs or draft.keys) and not draft.measures:
        raise CaseError("orgs, keys: a verdict without measures is about accounts; leave them out")
    wider = targets(change.connection, case.id, draft.orgs, draft.keys)
    numbers, standings = _targets(change.connection, case, draft, wider)
    terms: tuple[str, ...] = ()
    if draft.verdict == "upheld":
        terms = _terms(change.connection, draft, standings)
    message = draft.message.strip() or REASONS[draft.reason]
    if len(message) > _LONGEST_MESSAGE:
        raise CaseError(f"message: {_LONGEST_MESSAGE:,} characters at most")
    return Proposed(
        proposal=f"{case.id}.{case.events + 1}",
        verdict=draft.verdict,
        reason=draft.reason,
        summary=check_text("summary", draft.summary),
        message=message,
        measures=draft.measures,
        accounts=numbers,
        four_eyes=draft.second or four_eyes(draft.measures) or bool(draft.orgs),
        expires_at=max(change.now, case.changed_at) + PATIENCE,
        terms=terms,
        clause=draft.clause,
        without_terms=draft.without_terms.strip(),
        wider=wider,
    )


def _targets(
    connection: Connection, case: Case, draft: Draft, wider: Sequence[Target]
) -> tuple[tuple[int, ...], tuple[Standing, ...]]:
    """The numbers of the accounts that a draft is for, and what is known of them and of those whose
    orgs or keys it is for."""
    parties = parties_of(connection, case.id)
    if unknown := [name for name in draft.accounts if name not in parties]:
        raise CaseError(f"accounts: {unknown[0]!r} is none of {case.id}")
    named = draft.accounts or wider
    chosen = {
        number: standing
        for name, (number, standing) in parties.items()
        if (name in draft.accounts if named else number not in case.allowed)
    }
    if draft.measures and not chosen and not wider:
        raise CaseError(
            "accounts: all of this case are allow-listed, registered for a purpose, or erased; "
            "name those that you mean"
        )
    meant = chosen.keys() | {each.account for each in wider}
    known = tuple(standing for number, standing in parties.values() if number in meant)
    return tuple(chosen), known


def _terms(connection: Connection, draft: Draft, standings: Sequence[Standing]) -> tuple[str, ...]:
    """The versions of the terms that the accounts accepted; each must have the clause."""
    accepted = tuple(sorted({each.terms for each in standings if each.terms is not None}))
    if any(each.terms is None for each in standings) and not draft.without_terms.strip():
        raise CaseError(
            "without_terms: for some accounts no accepted terms are recorded; say why the verdict "
            "stands all the same"
        )
    if accepted and draft.clause is None:
        raise CaseError(f"clause: name the clause of the terms {', '.join(accepted)}")
    if draft.clause is not None:
        known = set(
            connection.scalars(select(CLAUSES.c.terms).where(CLAUSES.c.clause == draft.clause))
        )
        if missing := [each for each in accepted if each not in known] or (
            [] if known else ["any version"]
        ):
            raise CaseError(
                f"clause: {draft.clause} is not written down for the terms {missing[0]}; "
                "`stillwatch cases terms` does it"
            )
    return accepted
