"""Whether a proposal still is what its approver read: the same one, in time, with nothing new
against it."""

from __future__ import annotations

from stillwatch.cases.automation import PATIENCE
from stillwatch.cases.case import Case
from stillwatch.cases.events import Lifted, Proposed, Withdrawn
from stillwatch.cases.standing import is_listed, standings
from stillwatch.cases.transaction import Transaction, names_of, read_events
from stillwatch.errors import CaseError, ConflictError, ExpiredError

__all__ = ["check_fresh"]

_AGAIN = "refuse it, look again and propose it anew"


def check_fresh(change: Transaction, case: Case, pending: Proposed, named: str | None) -> None:
    """Refuse to approve a proposal that is not, or not any more, what was looked at.

    Args:
        named: the id of the proposal that the approver means, if they said so.

    Raises:
        CaseError: it must be named, for another one stood in its place.
        ConflictError: another one is named; or counter-evidence was added, the finding was
            withdrawn, measures were undone, or an account came onto the allow-list since it was
            proposed.
        ExpiredError: it was proposed too long ago.
    """
    if named is None and case.proposals > 1:
        raise CaseError(
            f"proposal: something else was proposed on {case.id} before; look, and name the one "
            f"that you approve (now {pending.proposal} waits)"
        )
    if named is not None and named != pending.proposal:
        raise ConflictError(f"{named} does not wait; {pending.proposal} does, look again")
    if max(change.now, case.changed_at) >= pending.expires_at:
        raise ExpiredError(
            f"{pending.proposal} waited for longer than {PATIENCE // 86_400} days; {_AGAIN}"
        )
    _check_against(change, case, pending)
    _check_listed(change, case, pending)


def _check_against(change: Transaction, case: Case, pending: Proposed) -> None:
    if pending.verdict != "upheld":
        return
    proposed = int(pending.proposal.rpartition(".")[2])
    if any(p.person and p.number > proposed for p in case.pieces("counter")):
        raise ConflictError(
            f"somebody added counter-evidence after {pending.proposal} was proposed; {_AGAIN}"
        )
    later = [e.body for e in read_events(change.connection, case.id) if e.number > proposed]
    if case.withdrawn and any(isinstance(body, Withdrawn) for body in later):
        raise ConflictError(
            f"a watch withdrew the finding after {pending.proposal} was proposed; {_AGAIN}"
        )
    if any(isinstance(body, Lifted) for body in later):
        raise ConflictError(
            f"somebody undid measures of this case after {pending.proposal} was proposed; {_AGAIN}"
        )


def _check_listed(change: Transaction, case: Case, pending: Proposed) -> None:
    """Those on the list before were named by whoever proposed; others nobody has weighed."""
    if not pending.measures:
        return
    names = names_of(change.connection, case.id)
    known = {number: names[number] for number in pending.accounts if number not in pending.listed}
    standing = standings(change.connection, [n for n in known.values() if n], change.now)
    for name in known.values():
        if name is not None and is_listed(standing[name]):
            raise ConflictError(
                f"{name} is on the allow-list, or registered for a purpose, since "
                f"{pending.proposal} was proposed; {_AGAIN}"
            )
