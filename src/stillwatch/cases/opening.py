"""Findings become cases: one a campaign, however often it is found again.

The same finding twice changes nothing. More about a campaign that has a case goes into that case,
unless it is closed: then there is a new one, which names the old. What a watch withdraws speaks
against the case that it made.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, select

from stillwatch.access.database import Database
from stillwatch.access.registration import check_name
from stillwatch.cases.automation import act, active_rules
from stillwatch.cases.case import Case, replay
from stillwatch.cases.events import Event, Opened, Updated, Withdrawn
from stillwatch.cases.findings import Finding, digest_of, flaw_of
from stillwatch.cases.many import AT_ONCE, among, insert_rows
from stillwatch.cases.people import Who
from stillwatch.cases.schema import ACCOUNTS, CASES, EVENTS
from stillwatch.cases.standing import Standing, is_listed, segment_of, standings
from stillwatch.cases.states import State
from stillwatch.cases.transaction import (
    Transaction,
    event_row,
    read_case,
    read_cases,
    row_of,
    transaction,
)
from stillwatch.errors import CaseError
from stillwatch.ledger.commitments import new_salt

__all__ = ["Fresh", "Intake", "Taken", "listed", "new_case_id", "write_cases"]

_TOGETHER = 200  # findings in one transaction
#: the number of an account in its case, its name, and what is known of it
_Party = tuple[int, tuple[str, Standing]]


class Taken(NamedTuple):
    """Ids of the cases that were opened, that have something new, and that were acted on."""

    opened: tuple[str, ...]
    updated: tuple[str, ...]
    automated: tuple[str, ...]


class Fresh(NamedTuple):
    """A new case, the event that opens it, and whom it is about."""

    case: Case
    event: Event
    parties: list[tuple[str, Standing]]


class Intake:
    """Takes findings in. `clock` gives seconds since the epoch."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def open(self, findings: Sequence[Finding], who: Who, *, segment: str | None = None) -> Taken:
        """Open a case for each finding, or add it to the case of its campaign.

        A few hundred findings are one transaction, all or none, so that nobody who writes keys or
        actions waits for long; whoever is interrupted gives the same findings again. Without a
        `segment` it is the tier that most of the accounts have.

        Raises:
            CaseError: a finding cannot stand as it is; says why.
            InputError: the name of the segment cannot.
        """
        who.checked()
        if segment is not None:
            check_name("segment", segment)
        for each in findings:
            if flaw := flaw_of(each):
                raise CaseError(flaw)
        taken = Taken((), (), ())
        for start in range(0, len(findings), _TOGETHER):
            with transaction(self._database, self._clock()) as change:
                some = _Part(change, who, segment).take(findings[start : start + _TOGETHER])
            taken = Taken(*(before + more for before, more in zip(taken, some, strict=True)))
        return Taken(*(tuple(dict.fromkeys(ids)) for ids in taken))


class _Part:
    """The findings of one transaction."""

    def __init__(self, change: Transaction, who: Who, segment: str | None) -> None:
        self._change, self._who, self._segment = change, who, segment
        self._fresh: list[Fresh] = []
        self._current: dict[str, tuple[str, str]] = {}
        self._cases: dict[str, Case] = {}

    def take(self, findings: Sequence[Finding]) -> Taken:
        change = self._change
        self._current = _current(change.connection, [each.id for each in findings])
        self._cases = read_cases(change.connection, [case for case, _ in self._current.values()])
        accounts = list(dict.fromkeys(name for each in findings for name in each.accounts))
        known = standings(change.connection, accounts, change.now)
        opened: list[str] = []
        updated: list[str] = []
        for finding in findings:
            if any(each.case.campaign == finding.id for each in self._fresh):  # twice in one list
                self._write()
            case_id, state = self._current.get(finding.id, (None, None))
            if case_id is not None and state != State.CLOSED:
                if self._more(case_id, finding, known):
                    updated.append(case_id)
            elif finding.event != "withdrawn":
                fresh = _opened(change, finding, known, self._who, self._segment, case_id)
                if fresh is not None:
                    self._fresh.append(fresh)
                    opened.append(fresh.case.id)
        self._write()
        rules = active_rules(change.connection, change.now)
        automated = [
            case
            for each in (dict.fromkeys(opened + updated) if rules else ())
            for case in act(change, change.case(each), rules)
        ]
        return Taken(tuple(opened), tuple(updated), tuple(automated))

    def _more(self, case_id: str, finding: Finding, known: dict[str, Standing]) -> bool:
        """Add a finding to a case that is not closed; whether it said anything new."""
        case = self._cases.get(case_id) or self._change.case(case_id)
        changed = _more(self._change, case, finding, known, self._who)
        self._cases[case_id] = changed or case
        return changed is not None

    def _write(self) -> None:
        write_cases(self._change, self._fresh)
        self._current |= {each.case.campaign: (each.case.id, State.OPEN) for each in self._fresh}
        self._fresh = []


def _current(connection: Connection, campaigns: Sequence[str]) -> dict[str, tuple[str, str]]:
    """The latest case of each campaign, and its state."""
    found: dict[str, tuple[str, str]] = {}
    for start in range(0, len(campaigns), AT_ONCE):
        rows = connection.execute(
            select(CASES.c.campaign, CASES.c.id, CASES.c.state)
            .where(among(connection, CASES.c.campaign, campaigns[start : start + AT_ONCE]))
            .order_by(CASES.c.opened_at, CASES.c.id)
        )
        found |= {campaign: (case, state) for campaign, case, state in rows}
    return found


def _opened(
    change: Transaction,
    finding: Finding,
    known: dict[str, Standing],
    who: Who,
    segment: str | None,
    previous: str | None,
) -> Fresh | None:
    """A new case; None where the closed one before it has seen this very finding."""
    digest = digest_of(finding)
    if previous is not None and digest in read_case(change.connection, previous).digests:
        return None
    parties = [(account, known[account]) for account in finding.accounts]
    body = Opened(
        campaign=finding.id,
        segment=segment or segment_of([standing for _, standing in parties]),
        score=finding.score,
        level=finding.level,
        log10_e=finding.log10_e,
        first_seen=finding.first_seen,
        last_seen=finding.last_seen,
        exchanges=finding.exchanges,
        tokens=finding.tokens,
        families=finding.families,
        promised=finding.promised,
        withheld=finding.withheld,
        digest=digest,
        seen=finding.at or finding.last_seen,
        accounts=tuple(range(1, len(parties) + 1)),
        items=finding.items(),
        allowed=listed(enumerate(parties, 1)),
        previous=previous,
    )
    event = Event(number=1, at=change.now, by=who.name, person=who.person, body=body)
    return Fresh(replay(new_case_id(), [event]), event, parties)


def new_case_id() -> str:
    """An id that no case has."""
    return f"case-{secrets.token_hex(6)}"


def listed(parties: Iterable[_Party]) -> tuple[int, ...]:
    """The numbers of those that are on the allow-list or registered for a purpose."""
    return tuple(number for number, (_, standing) in parties if is_listed(standing))


def write_cases(change: Transaction, fresh: Sequence[Fresh]) -> None:
    """Write new cases."""
    if not fresh:
        return
    parties = [
        row
        for each in fresh
        for row in _party_rows(
            each.case.id, enumerate(each.parties, 1), each.case.opened.seen, change.now
        )
    ]
    salted = [row_of(each.case) | {"salt": new_salt()} for each in fresh]
    insert_rows(change.connection, CASES, salted)
    events = [event_row(each.case.id, each.event) for each in fresh]
    insert_rows(change.connection, EVENTS, events)
    insert_rows(change.connection, ACCOUNTS, parties)


def _party_rows(case: str, parties: Iterable[_Party], seen: str, now: int) -> list[dict[str, Any]]:
    at = seconds_of(seen, now)
    return [
        {
            "case_id": case,
            "number": number,
            "account": account,
            "salt": new_salt(),
            "standing": msgspec.json.encode(standing).decode(),
            "seen_at": at,
        }
        for number, (account, standing) in parties
    ]


def seconds_of(text: str, otherwise: int) -> int:
    """An RFC 3339 time in seconds since the epoch; `otherwise` where it is none."""
    try:
        return int(datetime.fromisoformat(text).timestamp())
    except ValueError:
        return otherwise


def _more(
    change: Transaction, case: Case, finding: Finding, known: dict[str, Standing], who: Who
) -> Case | None:
    """The case with a finding; None where that says nothing new."""
    digest = digest_of(finding)
    if digest in case.digests:
        return None
    if finding.event == "withdrawn":
        reason = finding.reason or "no reason"
        return change.append(case, who, Withdrawn(digest=digest, reason=reason))[0]
    rows = change.connection.execute(
        select(ACCOUNTS.c.number, ACCOUNTS.c.account).where(ACCOUNTS.c.case_id == case.id)
    )
    numbers = {account: number for number, account in rows}
    first = max(numbers.values(), default=0) + 1
    new = [
        (number, (account, known[account]))
        for number, account in enumerate(
            (name for name in finding.accounts if name not in numbers), first
        )
    ]
    seen = finding.at or finding.last_seen
    if new:
        insert_rows(change.connection, ACCOUNTS, _party_rows(case.id, new, seen, change.now))
        numbers |= {account: number for number, (account, _) in new}
    changed, _ = change.append(
        case,
        who,
        Updated(
            digest=digest,
            score=finding.score,
            level=finding.level,
            last_seen=finding.last_seen,
            exchanges=finding.exchanges,
            families=finding.families,
            seen=seen,
            accounts=tuple(numbers[account] for account in finding.accounts),
            items=finding.items(),
            allowed=listed(
                (numbers[account], (account, known[account])) for account in finding.accounts
            ),
        ),
    )
    return changed
