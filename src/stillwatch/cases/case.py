"""A case as it stands: computed from its events, in order, and from nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from stillwatch.cases.events import (
    Added,
    Appealed,
    Approved,
    Asked,
    Automated,
    Body,
    Claimed,
    Closed,
    Emergency,
    Event,
    Lifted,
    Opened,
    Proposed,
    Refused,
    Released,
    Updated,
    Verdict,
    Withdrawn,
)
from stillwatch.cases.evidence import Item
from stillwatch.cases.states import Move, State, next_state

__all__ = ["Case", "Decided", "Piece", "move_of", "replay"]


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of evidence in the file: which event brought it, and who."""

    number: int
    at: int
    by: str
    person: bool
    item: Item


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """A decision: what was proposed, by whom, and who made it hold. `reaches` is how many
    accounts the orgs among its subjects had."""

    at: int
    proposed_by: str
    approved_by: str
    proposal: Proposed
    actions: tuple[str, ...]
    reaches: int = 0


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """What is known and decided. `accounts` are numbers; `actions` all that were ever put in force
    for it and were not undone by the case."""

    id: str
    campaign: str
    state: State
    opened: Opened
    opened_at: int
    changed_at: int
    events: int
    score: float
    level: float | None
    families: tuple[str, ...]
    accounts: tuple[int, ...]
    allowed: tuple[int, ...]
    digests: frozenset[str]
    evidence: tuple[Piece, ...]
    claimed_by: str | None = None
    question: Asked | None = None
    pending: Proposed | None = None
    proposed_by: str | None = None
    decisions: tuple[Decided, ...] = ()
    appeals: tuple[Appealed, ...] = ()
    actions: tuple[str, ...] = ()
    #: people who had a part in a verdict that was appealed against
    barred: tuple[str, ...] = ()
    #: the event since which counter-evidence must be looked for: the opening, or the last appeal
    since: int = 1
    withdrawn: bool = False
    automated: tuple[Automated, ...] = ()
    #: what one person did at once, of a case that began so
    emergency: Emergency | None = None
    #: actions that a person ended before their time
    lifted: tuple[str, ...] = ()
    #: how often something was proposed
    proposals: int = 0

    @property
    def verdict(self) -> Verdict | None:
        """The one that holds; None while an appeal is open, too."""
        if self.state not in (State.DECIDED, State.CLOSED) or not self.decisions:
            return None
        return self.decisions[-1].proposal.verdict

    def pieces(self, kind: str) -> tuple[Piece, ...]:
        """The evidence of one kind."""
        return tuple(each for each in self.evidence if each.item.kind == kind)

    def weighed(self) -> bool:
        """Whether a person has added counter-evidence since the opening, or the last appeal."""
        return any(p.person and p.number > self.since for p in self.pieces("counter"))


def replay(case: str, events: Iterable[Event]) -> Case:
    """The case after its events, the first of which opened it.

    Raises:
        ConflictError: an event is not possible in the state that those before it led to.
        StopIteration: there is none.
    """
    following = iter(events)
    first = next(following)
    assert isinstance(first.body, Opened)
    body = first.body
    state = Case(
        id=case,
        campaign=body.campaign,
        state=State.OPEN,
        opened=body,
        opened_at=first.at,
        changed_at=first.at,
        events=1,
        score=body.score,
        level=body.level,
        families=body.families,
        accounts=body.accounts,
        allowed=body.allowed,
        digests=frozenset({body.digest}),
        evidence=_pieces(first, body.items),
    )
    for event in following:
        state = after(state, event)
    return state


def move_of(body: Body) -> Move:
    """Which move an event is."""
    match body:
        case Added(answer=answer):
            return Move.ANSWER if answer else Move.ADD
        case Opened():
            raise AssertionError("a case is opened once")
        case _:
            return _MOVES[type(body)]


_MOVES: dict[type[object], Move] = {
    Updated: Move.UPDATE,
    Withdrawn: Move.UPDATE,
    Claimed: Move.CLAIM,
    Released: Move.RELEASE,
    Asked: Move.ASK,
    Proposed: Move.PROPOSE,
    Refused: Move.REFUSE,
    Approved: Move.APPROVE,
    Automated: Move.AUTOMATE,
    Emergency: Move.EMERGENCY,
    Appealed: Move.APPEAL,
    Lifted: Move.UNDO,
    Closed: Move.CLOSE,
}


def after(case: Case, event: Event) -> Case:
    """The case after one more event.

    Raises:
        ConflictError: it is not possible in this state.
    """
    case = msgspec.structs.replace(
        case,
        state=next_state(case.id, case.state, move_of(event.body)),
        changed_at=event.at,
        events=event.number,
    )
    match event.body:
        case Claimed():
            return msgspec.structs.replace(case, claimed_by=event.by)
        case Released():
            return msgspec.structs.replace(
                case, claimed_by=None, question=None, pending=None, proposed_by=None
            )
        case Asked() as asked:
            return msgspec.structs.replace(case, question=asked)
        case Added(item=item, answer=answer):
            return msgspec.structs.replace(
                case,
                evidence=(*case.evidence, *_pieces(event, (item,))),
                question=None if answer else case.question,
            )
        case Updated() as updated:
            return _updated(case, event, updated)
        case Withdrawn(digest=digest, reason=reason):
            item = Item(kind="counter", text=f"a later look withdrew it: {reason}", source="watch")
            return msgspec.structs.replace(
                case,
                withdrawn=True,
                digests=case.digests | {digest},
                evidence=(*case.evidence, *_pieces(event, (item,))),
            )
        case Proposed() as proposal:
            return msgspec.structs.replace(
                case, pending=proposal, proposed_by=event.by, proposals=case.proposals + 1
            )
        case Refused():
            return msgspec.structs.replace(case, pending=None, proposed_by=None)
        case Approved() as approved:
            return _decided(case, event, approved)
        case Automated(actions=actions) as automated:
            return msgspec.structs.replace(
                case, actions=(*case.actions, *actions), automated=(*case.automated, automated)
            )
        case Emergency(actions=actions) as emergency:
            return msgspec.structs.replace(
                case, actions=(*case.actions, *actions), emergency=emergency
            )
        case Appealed() as appeal:
            parts = (each for d in case.decisions for each in (d.proposed_by, d.approved_by))
            return msgspec.structs.replace(
                case,
                claimed_by=None,
                appeals=(*case.appeals, appeal),
                barred=tuple(dict.fromkeys(parts)),
                since=event.number,
            )
        case Lifted(actions=actions):
            lifted = (*case.lifted, *actions)
            return msgspec.structs.replace(_without(case, actions), lifted=lifted)
        case Closed() | Opened():
            return case


def _updated(case: Case, event: Event, updated: Updated) -> Case:
    known = {piece.item for piece in case.evidence}
    fresh = tuple(item for item in updated.items if item not in known)
    return msgspec.structs.replace(
        case,
        score=updated.score,
        level=updated.level,
        families=tuple(sorted({*case.families, *updated.families})),
        accounts=tuple(sorted({*case.accounts, *updated.accounts})),
        allowed=tuple(sorted({*case.allowed, *updated.allowed})),
        digests=case.digests | {updated.digest},
        withdrawn=False,
        evidence=(*case.evidence, *_pieces(event, fresh)),
    )


def _decided(case: Case, event: Event, approved: Approved) -> Case:
    assert case.pending is not None
    assert case.proposed_by is not None
    decision = Decided(
        at=event.at,
        proposed_by=case.proposed_by,
        approved_by=event.by,
        proposal=case.pending,
        actions=approved.actions,
        reaches=approved.reaches,
    )
    left = _without(case, approved.undone)
    return msgspec.structs.replace(
        left,
        decisions=(*case.decisions, decision),
        actions=(*left.actions, *approved.actions),
        pending=None,
        proposed_by=None,
    )


def _without(case: Case, actions: Sequence[str]) -> Case:
    left = tuple(each for each in case.actions if each not in actions)
    return msgspec.structs.replace(case, actions=left)


def _pieces(event: Event, items: Sequence[Item]) -> tuple[Piece, ...]:
    return tuple(
        Piece(number=event.number, at=event.at, by=event.by, person=event.person, item=item)
        for item in items
    )
