"""The work on a case up to a decision, and after it: claim, ask, add, appeal, close.

Whoever has claimed a case is the one who asks, adds and proposes; anybody may add evidence to a
case that waits. Deciding is in :mod:`stillwatch.cases.deciding`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from sqlalchemy import select

from stillwatch.access.database import Database
from stillwatch.cases.case import Case
from stillwatch.cases.events import Added, Appealed, Asked, Body, Claimed, Closed, Event, Released
from stillwatch.cases.evidence import Item, check_item, check_text
from stillwatch.cases.people import Who, folded
from stillwatch.cases.schema import CASES
from stillwatch.cases.states import State
from stillwatch.cases.transaction import read_case, read_events, transaction
from stillwatch.errors import ConflictError, FourEyesError

__all__ = ["Desk", "Row", "check_own", "check_unbarred"]

_COLUMNS = tuple(column for column in CASES.columns if column.name != "salt")


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A case in a list. Times are seconds since the epoch, UTC; `accounts` is how many."""

    id: str
    campaign: str
    state: State
    verdict: str | None
    claimed_by: str | None
    segment: str
    score: float
    accounts: int
    allowed: bool
    pending: str | None
    opened_at: int
    changed_at: int
    events: int


class Desk:
    """Reads cases and works on them. `clock` gives seconds since the epoch.

    Besides what they say, all methods raise UnknownCaseError where there is no such case,
    ConflictError where its state does not allow what is asked, and StorageError.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def queue(
        self,
        state: State | None = None,
        *,
        claimed_by: str | None = None,
        after: tuple[float, str] | None = None,
        most: int | None = None,
    ) -> Iterator[Row]:
        """The cases by score, highest first: all of them, or those in a state or of somebody.

        `after` is the score and id of the last one of a page before this.
        """
        wanted = select(*_COLUMNS).order_by(CASES.c.score.desc(), CASES.c.id)
        if state is not None:
            wanted = wanted.where(CASES.c.state == str(state))
        if claimed_by is not None:
            wanted = wanted.where(CASES.c.claimed_by == claimed_by)
        if after is not None:
            score, last = after
            wanted = wanted.where(
                (CASES.c.score < score) | ((CASES.c.score == score) & (CASES.c.id > last))
            )
        if most is not None:
            wanted = wanted.limit(most)
        with self._database.reading() as (connection, _):
            for row in connection.execute(wanted, execution_options={"yield_per": 1_000}):
                fields: dict[str, Any] = dict(row._mapping)
                yield Row(**fields | {"state": State(fields["state"]),
                                      "allowed": bool(fields["allowed"])})  # fmt: skip

    def case(self, id: str) -> Case:  # noqa: A002
        """A case as it stands."""
        with self._database.reading() as (connection, _):
            return read_case(connection, id)

    def events(self, id: str) -> list[Event]:  # noqa: A002
        """Everything that happened to a case, in order."""
        with self._database.reading() as (connection, _):
            read_case(connection, id)
            return read_events(connection, id)

    def claim(self, id: str, who: Who) -> Case:  # noqa: A002
        """Take a case; of two who do so at once one does.

        Raises:
            FourEyesError: `who` is a program, or had a part in the verdict that is appealed.
            ConflictError: somebody else has it.
        """
        who.needs_person("a case")
        with transaction(self._database, self._clock()) as change:
            case = change.case(id)
            if case.claimed_by is not None and case.state in (State.CLAIMED, State.ASKED):
                raise ConflictError(f"{id} is claimed by {case.claimed_by}")
            check_unbarred(case, who)
            return change.append(case, who, Claimed())[0]

    def release(self, id: str, who: Who) -> Case:  # noqa: A002
        """Give a case back, with what was proposed; anybody may, so that none is stuck."""
        return self._do(id, who, Released(), own=False)

    def ask(self, id: str, who: Who, question: str, of: str = "operator") -> Case:  # noqa: A002
        """Ask for evidence; the case waits for an answer.

        Raises:
            CaseError: there is no question.
        """
        body = Asked(question=check_text("question", question), of=check_text("of", of))
        return self._do(id, who, body)

    def add(self, id: str, who: Who, item: Item, *, answer: bool = False) -> Case:  # noqa: A002
        """Add evidence or counter-evidence; with `answer` it is what was asked for.

        Raises:
            CaseError: a fact without a source, an inference without a base rate.
        """
        check_item(item)
        return self._do(id, who, Added(item=item, answer=answer), own=False)

    def appeal(self, id: str, who: Who, text: str, through: str) -> Case:  # noqa: A002
        """Write down the owner's appeal; `through` is how it was received, such as ``mail``.

        What is in force stays so until somebody else has decided; undo it where that is right.

        Raises:
            CaseError: there is no text.
        """
        body = Appealed(text=check_text("text", text), through=check_text("through", through))
        with transaction(self._database, self._clock()) as change:
            case, event = change.append(change.case(id), who, body)
            change.record(id, event, "appeal", {"appeal": len(case.appeals)})
            return case

    def close(self, id: str, who: Who, why: str) -> Case:  # noqa: A002
        """Lay a decided case to rest; its measures last as long as they would have.

        Raises:
            CaseError: there is no reason.
            FourEyesError: `who` is a program.
        """
        who.needs_person("the end of a case")
        return self._do(id, who, Closed(why=check_text("why", why)), own=False)

    def _do(self, id: str, who: Who, body: Body, *, own: bool = True) -> Case:  # noqa: A002
        with transaction(self._database, self._clock()) as change:
            case = change.case(id)
            changed, _ = change.append(case, who, body)
            if own:
                check_own(case, who)
            return changed


def check_own(case: Case, who: Who) -> None:
    """Refuse who has not claimed a case.

    Raises:
        ConflictError: somebody else has.
    """
    if case.claimed_by is None or folded(case.claimed_by) != folded(who.name):
        raise ConflictError(f"{case.id} is claimed by {case.claimed_by}, not by {who.name}")


def check_unbarred(case: Case, who: Who) -> None:
    """Refuse who had a part in the verdict that is appealed against.

    Raises:
        FourEyesError: so it is.
    """
    if folded(who.name) in map(folded, case.barred):
        raise FourEyesError(
            f"{who.name} had a part in the verdict that is appealed; let somebody else look"
        )
