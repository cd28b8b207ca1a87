"""One change of the store: cases are read, events appended, rows for lists kept in step with them.

Writers take turns (they wait for one row, see ``access.schema``), so that what a transaction has
read still holds when it writes: of two people who do the same thing at once one wins.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, insert, select, update

from stillwatch.access.actions import Action
from stillwatch.access.database import Database
from stillwatch.access.enforcement import end_action, put_action, read_actions
from stillwatch.access.schema import ACTIONS
from stillwatch.cases.case import Case, after, replay
from stillwatch.cases.events import Body, Event, body_of, encoded
from stillwatch.cases.many import AT_ONCE, among
from stillwatch.cases.outbox import put_entry
from stillwatch.cases.people import Who
from stillwatch.cases.schema import ACCOUNTS, CASES, EVENTS
from stillwatch.errors import CaseError, InputError, UnknownCaseError
from stillwatch.ledger import commit
from stillwatch.ledger.commitments import new_salt

__all__ = [
    "Transaction",
    "names_of",
    "read_case",
    "read_cases",
    "read_events",
    "row_of",
    "transaction",
]

_AT_ONCE = 500  # values in one statement
_IN_ENTRY = 500  # names or ids in one entry of the ledger, which is 64 KiB at most


class Transaction:
    """A change under way. `now` is in seconds since the epoch; see :func:`transaction`."""

    def __init__(self, connection: Connection, version: int, now: int) -> None:
        self.connection = connection
        self._version = version
        self.now = now

    def case(self, id: str) -> Case:  # noqa: A002
        """A case as it stands.

        Raises:
            UnknownCaseError: there is none.
        """
        return read_case(self.connection, id)

    def append(self, case: Case, who: Who, body: Body) -> tuple[Case, Event]:
        """Add an event to a case. Its time is never before that of the event before it.

        Raises:
            ConflictError: it is not possible in the state of the case.
        """
        who.checked()
        event = Event(
            number=case.events + 1,
            at=max(self.now, case.changed_at),
            by=who.name,
            person=who.person,
            body=body,
        )
        changed = after(case, event)
        self.connection.execute(insert(EVENTS).values(event_row(case.id, event)))
        values = row_of(changed)
        self.connection.execute(update(CASES).where(CASES.c.id == case.id).values(values))
        return changed, event

    def put(self, action: Action) -> Action:
        """Put an action in force with this transaction.

        Raises:
            CaseError: it cannot stand as it is.
        """
        try:
            written, fresh = put_action(self.connection, self._version, action, self.now)
        except InputError as error:
            raise CaseError(str(error)) from error
        if not fresh:  # else what is decided might have been undone before
            raise CaseError(f"id: there is an action {action.id} already")
        return written

    def end(self, action: str, by: str) -> None:
        """End an action that is in force."""
        end_action(self.connection, self._version, action, by, self.now)

    def actions(self, ids: Sequence[str]) -> list[Action]:
        """Actions by their ids, those that are still known."""
        return [
            action
            for start in range(0, len(ids), _AT_ONCE)
            for _, action in read_actions(
                self.connection, ACTIONS.c.id.in_(ids[start : start + _AT_ONCE])
            )
        ]

    def in_force(self, actions: Sequence[str]) -> list[Action]:
        """Those of some actions that are in force now."""
        return [
            action
            for action in self.actions(actions)
            if action.undone_at is None and self.now < action.expires_at
        ]

    def record(
        self,
        case: str,
        event: Event,
        kind: str,
        body: Mapping[str, Any],
        **many: Sequence[str],
    ) -> None:
        """Tell the ledger of an event: what `body` says, and a commitment to all of it.

        The lists in `many` may be longer than an entry; they go into as many as it takes, each
        of which says which `part` it is.
        """
        salt = self.connection.execute(select(CASES.c.salt).where(CASES.c.id == case)).scalar_one()
        if not salt:  # it was forgotten, and speaks again: of an appeal, say
            salt = new_salt()
            self.connection.execute(update(CASES).where(CASES.c.id == case).values(salt=salt))
        whole = f"{case}\0{event.number}\0{event.at}\0{event.by}\0{encoded(event.body)}"
        said = {
            "case": case,
            "event": event.number,
            "said": commit(whole, bytes(salt), of="event"),
            **body,
        }
        parts = max([1, *(-(-len(each) // _IN_ENTRY) for each in many.values())])
        for part in range(parts):
            some = {
                name: list(each[part * _IN_ENTRY : (part + 1) * _IN_ENTRY])
                for name, each in many.items()
            }
            number = {"part": part + 1, "parts": parts} if parts > 1 else {}
            put_entry(
                self.connection, kind=kind, at=event.at, by=event.by,
                body=said | number | some,
            )  # fmt: skip

    def commitments(self, case: str, numbers: tuple[int, ...]) -> list[str]:
        """Salted commitments in place of the names of accounts; none of those that are erased."""
        wanted = select(ACCOUNTS.c.number, ACCOUNTS.c.account, ACCOUNTS.c.salt).where(
            ACCOUNTS.c.case_id == case
        )
        chosen = set(numbers)
        return [
            commit(account, bytes(salt))
            for number, account, salt in self.connection.execute(wanted)
            if number in chosen and account is not None
        ]


@contextlib.contextmanager
def transaction(database: Database, now: float) -> Iterator[Transaction]:
    """A change that counts when the block ends, whole or not at all."""
    with database.writing() as (connection, version):
        yield Transaction(connection, version, int(now))


def read_events(connection: Connection, case: str) -> list[Event]:
    """What happened to a case, in order; nothing if there is no such case."""
    wanted = (
        select(EVENTS.c.number, EVENTS.c.at, EVENTS.c.by, EVENTS.c.person, EVENTS.c.body)
        .where(EVENTS.c.case_id == case)
        .order_by(EVENTS.c.number)
    )
    return [
        Event(number=number, at=at, by=by, person=bool(person), body=body_of(body))
        for number, at, by, person, body in connection.execute(wanted)
    ]


def read_case(connection: Connection, case: str) -> Case:
    """A case as it stands.

    Raises:
        UnknownCaseError: there is none.
    """
    events = read_events(connection, case)
    if not events:
        raise UnknownCaseError(f"there is no case {case!r}; `stillwatch cases list` shows all")
    return replay(case, events)


def read_cases(connection: Connection, cases: Sequence[str]) -> dict[str, Case]:
    """Several cases as they stand, in few questions; those that there are."""
    found: dict[str, list[Event]] = {}
    for start in range(0, len(cases), AT_ONCE):
        some = cases[start : start + AT_ONCE]
        wanted = (
            select(EVENTS)
            .where(among(connection, EVENTS.c.case_id, some))
            .order_by(EVENTS.c.case_id, EVENTS.c.number)
        )
        for row in connection.execute(wanted):
            found.setdefault(row.case_id, []).append(
                Event(
                    number=row.number, at=row.at, by=row.by, person=bool(row.person),
                    body=body_of(row.body),
                )
            )  # fmt: skip
    return {case: replay(case, events) for case, events in found.items()}


def names_of(connection: Connection, case: str) -> dict[int, str | None]:
    """The accounts of a case by their numbers; None for those that are erased."""
    wanted = select(ACCOUNTS.c.number, ACCOUNTS.c.account).where(ACCOUNTS.c.case_id == case)
    rows = connection.execute(wanted.order_by(ACCOUNTS.c.number))
    return {row.number: row.account for row in rows}


def event_row(case: str, event: Event) -> dict[str, Any]:
    """An event as a row."""
    return {
        "case_id": case,
        "number": event.number,
        "at": event.at,
        "by": event.by,
        "person": event.person,
        "body": encoded(event.body),
    }


def row_of(case: Case) -> dict[str, Any]:
    """What lists show of a case, computed from it."""
    return {
        "id": case.id,
        "campaign": case.campaign,
        "state": str(case.state),
        "verdict": case.verdict,
        "claimed_by": case.claimed_by,
        "segment": case.opened.segment,
        "score": case.score,
        "accounts": len(case.accounts),
        "allowed": bool(case.allowed),
        "pending": None if case.pending is None else case.pending.proposal,
        "opened_at": case.opened_at,
        "changed_at": case.changed_at,
        "events": case.events,
    }
