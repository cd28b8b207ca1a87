"""The life of a case, as a table: which state it is in, and what may be done to it there.

``open`` waits for somebody; ``claimed`` has one analyst; ``asked`` waits for evidence; ``decided``
has a verdict; ``appealed`` waits for somebody who had no part in that verdict; ``closed`` rests.
What is not in the table is refused, with what could be done instead.
"""

from __future__ import annotations

from enum import StrEnum

from stillwatch.errors import ConflictError

__all__ = ["Move", "State", "next_state"]


class State(StrEnum):
    OPEN = "open"
    CLAIMED = "claimed"
    ASKED = "asked"
    DECIDED = "decided"
    APPEALED = "appealed"
    CLOSED = "closed"


class Move(StrEnum):
    """What is done to a case. Some moves leave it in its state."""

    CLAIM = "claim"
    RELEASE = "release"
    ASK = "ask"
    ADD = "add"
    ANSWER = "answer"
    PROPOSE = "propose"
    REFUSE = "refuse"
    APPROVE = "approve"
    APPEAL = "appeal"
    UNDO = "undo"
    CLOSE = "close"
    #: a later scan or watch says more about the same campaign, or less
    UPDATE = "update"
    #: a rule acts by itself
    AUTOMATE = "automate"
    #: one person acts at once, with which the case begins
    EMERGENCY = "emergency"


_O, _C, _Q, _D, _A, _X = State
_TABLE: dict[State, dict[Move, State]] = {
    _O: {
        Move.CLAIM: _C, Move.ADD: _O, Move.UNDO: _O, Move.UPDATE: _O, Move.AUTOMATE: _O,
        Move.EMERGENCY: _O,
    },
    _C: {
        Move.RELEASE: _O, Move.ASK: _Q, Move.ADD: _C, Move.PROPOSE: _C, Move.REFUSE: _C,
        Move.APPROVE: _D, Move.UNDO: _C, Move.UPDATE: _C,
    },
    _Q: {
        Move.RELEASE: _O, Move.ADD: _Q, Move.ANSWER: _C, Move.UNDO: _Q, Move.UPDATE: _Q,
    },
    _D: {Move.APPEAL: _A, Move.UNDO: _D, Move.CLOSE: _X, Move.UPDATE: _D, Move.ADD: _D},
    _A: {Move.CLAIM: _C, Move.ADD: _A, Move.UNDO: _A, Move.UPDATE: _A},
    _X: {Move.APPEAL: _A, Move.UNDO: _X},
}  # fmt: skip
_WORDS = {
    Move.CLAIM: "claimed",
    Move.RELEASE: "given back",
    Move.ASK: "asked about",
    Move.ADD: "added to",
    Move.ANSWER: "answered",
    Move.PROPOSE: "proposed on",
    Move.REFUSE: "refused",
    Move.APPROVE: "approved",
    Move.APPEAL: "appealed against",
    Move.UNDO: "undone",
    Move.CLOSE: "closed",
    Move.UPDATE: "updated",
    Move.AUTOMATE: "acted on by a rule",
    Move.EMERGENCY: "acted on at once",
}
#: what only follows from other things, and is no advice
_SILENT = (Move.UPDATE, Move.AUTOMATE, Move.EMERGENCY)


def next_state(case: str, state: State, move: Move) -> State:
    """The state after a move.

    Raises:
        ConflictError: the move is not possible in this state; says which are.
    """
    allowed = _TABLE[state]
    if move not in allowed:
        others = ", ".join(each for each in allowed if each not in _SILENT)
        raise ConflictError(
            f"{case} is {state} and cannot be {_WORDS[move]}; what can be done: {others}"
        )
    return allowed[move]
