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
from sqlalchemy import Connection, insert, update

from stillwatch.access.actions import SubjectKind
from stillwatch.access.database import Database
from stillwatch.cases.case import Case
from stillwatch.cases.drafting import Draft, proposal_of
from stillwatch.cases.events import Approved, Event, Lifted, Proposed, Refused
from stillwatch.cases.evidence import check_text
from stillwatch.cases.freshness import check_fresh
from stillwatch.cases.measures import action_of
from stillwatch.cases.people import Who, folded
from stillwatch.cases.reach import check_reach, commitments_of, reach_of, subjects_of
from stillwatch.cases.schema import PROPOSALS
from stillwatch.cases.states import Move, next_state
from stillwatch.cases.tokens import check_pair
from stillwatch.cases.transaction import Transaction, names_of, transaction
from stillwatch.cases.working import check_own, check_unbarred
from stillwatch.errors import CaseError, ConflictError

__all__ = ["Bench"]


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
            body = proposal_of(change, case, draft)
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

    def approve(
        self, id: str, who: Who, reaches: int | None = None, proposal: str | None = None  # noqa: A002
    ) -> Case:  # fmt: skip
        """Make a proposal hold, as a second person; its measures are in force when this returns.

        `proposal` is the id of what is approved, as the case shows it: needed where something else
        was proposed before, so that nobody approves what came in place of what they read. `reaches`
        is how many accounts the orgs have that it is for, as the case shows it: needed where there
        are any, so that nobody approves what they have not seen.

        Raises:
            CaseError: `reaches` is missing, or `proposal` is.
            FourEyesError: `who` proposed it, made the token of who did (or the other way
                round), is a program, or had a part in the verdict that is
                appealed.
            ExpiredError: it was proposed too long ago.
            ConflictError: no proposal waits, perhaps because another person was first; another one
                does; it reaches another number of accounts by now; or what speaks against it has
                come since, or an account is on the allow-list since.
        """
        who.checked()
        with transaction(self._database, self._clock()) as change:
            case = change.case(id)
            pending = _pending(case, Move.APPROVE)
            assert case.proposed_by is not None
            check_pair(change.connection, case.proposed_by, who, "this proposal")
            check_unbarred(case, who)
            check_fresh(change, case, pending, proposal)
            found = reach_of(change.connection, id, pending.wider, change.now)
            return _decide(change, case, who, check_reach(found, reaches))

    def refuse(self, id: str, who: Who, why: str) -> Case:  # noqa: A002
        """Send a proposal back to whoever has the case; its author may take it back so.

        Raises:
            CaseError: there is no reason.
            ConflictError: no proposal waits.
            FourEyesError: `who` is a program, or had a part in the verdict that is appealed.
        """
        who.needs_person("this proposal")
        why = check_text("why", why)
        with transaction(self._database, self._clock()) as change:
            case = change.case(id)
            proposal = _pending(case, Move.REFUSE).proposal
            check_unbarred(case, who)
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
