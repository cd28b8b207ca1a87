"""What is known of an account beside what it did: its terms, its registered uses, the allow-list.

Terms, tier and registered purposes are read from the keys of the account. The allow-list is for
evaluators and researchers: for a while, with a reason; what is found on such an account becomes a
case that says so, and no rule acts on it by itself.
"""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, insert, select, update

from stillwatch.access.database import Database
from stillwatch.access.registration import PURPOSES, check_name
from stillwatch.access.schema import KEYS
from stillwatch.cases.evidence import check_text
from stillwatch.cases.many import AT_ONCE, among
from stillwatch.cases.outbox import put_entry
from stillwatch.cases.people import Who
from stillwatch.cases.schema import ALLOWED, CLAUSES
from stillwatch.cases.transaction import Transaction, transaction
from stillwatch.errors import CaseError, InputError, UnknownCaseError

__all__ = [
    "UNKNOWN_SEGMENT",
    "Allowance",
    "Clause",
    "Registry",
    "Standing",
    "is_listed",
    "segment_of",
    "standings",
]

UNKNOWN_SEGMENT = "unknown"
LONGEST_ALLOWANCE = 366 * 86_400  # seconds


class Standing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An account when its case was opened. Without keys nothing is known of it."""

    org: str | None = None
    tier: str | None = None
    terms: str | None = None
    terms_accepted_at: int | None = None
    kyc_level: int = 0
    purposes: tuple[str, ...] = ()
    allowed: str | None = None


class Allowance(msgspec.Struct, frozen=True, kw_only=True):
    """An account on the allow-list, until `expires_at` (seconds, UTC) or until it was ended."""

    id: str
    account: str
    purpose: str
    why: str
    by: str
    created_at: int
    expires_at: int
    ended_at: int | None = None
    ended_by: str | None = None


class Clause(msgspec.Struct, frozen=True, kw_only=True):
    """What a version of the terms says under a clause."""

    terms: str
    clause: str
    text: str


class Registry:
    """Writes and reads the allow-list and the clauses. `clock` gives seconds since the epoch."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def allow(self, account: str, purpose: str, lasting: int, why: str, who: Who) -> Allowance:
        """Put an account on the allow-list for `lasting` seconds.

        Raises:
            CaseError: the purpose is not registered, there is no reason, or no end within a year.
            FourEyesError: `who` is a program.
        """
        who.checked().needs_person("an allowance")
        _check_names(account=account)
        if purpose not in PURPOSES:
            raise CaseError(
                f"purpose: {purpose!r} is not registered; it is one of {', '.join(PURPOSES)}"
            )
        if not 0 < lasting <= LONGEST_ALLOWANCE:
            raise CaseError("an allowance must end within 366 days; renew it then")
        now = int(self._clock())
        allowance = Allowance(
            id=f"allow-{secrets.token_hex(6)}",
            account=account,
            purpose=purpose,
            why=check_text("why", why),
            by=who.name,
            created_at=now,
            expires_at=now + lasting,
        )
        with transaction(self._database, now) as change:
            change.connection.execute(insert(ALLOWED).values(msgspec.structs.asdict(allowance)))
            _record(change, "made", allowance, who)
        return allowance

    def disallow(self, id: str, who: Who) -> Allowance:  # noqa: A002
        """End an allowance now; a second time changes nothing.

        Raises:
            UnknownCaseError: there is none of that id.
        """
        who.checked()
        with transaction(self._database, self._clock()) as change:
            ended = change.connection.execute(
                update(ALLOWED)
                .where(ALLOWED.c.id == id, ALLOWED.c.ended_at.is_(None))
                .values(ended_at=change.now, ended_by=who.name)
            ).rowcount
            found = _allowances(change.connection, ALLOWED.c.id == id)
            if not found:
                raise UnknownCaseError(f"there is no allowance {id!r}")
            if ended:
                _record(change, "ended", found[0], who)
        return found[0]

    def allowances(self) -> list[Allowance]:
        """All of them, also those that have ended, oldest first."""
        with self._database.reading() as (connection, _):
            return _allowances(connection)

    def add_clause(self, clause: Clause) -> None:
        """Write down what a clause says. The same again changes nothing.

        Raises:
            CaseError: the clause of this version says something else already.
        """
        _check_names(terms=clause.terms, clause=clause.clause)
        check_text("text", clause.text)
        with transaction(self._database, self._clock()) as change:
            known = change.connection.execute(
                select(CLAUSES.c.text).where(
                    CLAUSES.c.terms == clause.terms, CLAUSES.c.clause == clause.clause
                )
            ).scalar_one_or_none()
            if known is None:
                change.connection.execute(insert(CLAUSES).values(msgspec.structs.asdict(clause)))
            elif known != clause.text:
                raise CaseError(
                    f"clause {clause.clause} of the terms {clause.terms} says something else; "
                    "other words are another version"
                )

    def clauses(self) -> list[Clause]:
        """All of them, by version and clause."""
        with self._database.reading() as (connection, _):
            rows = connection.execute(select(CLAUSES).order_by(CLAUSES.c.terms, CLAUSES.c.clause))
            return [Clause(**row) for row in rows.mappings()]


def standings(connection: Connection, accounts: Sequence[str], now: int) -> dict[str, Standing]:
    """What is known of each account; nothing of most where no keys are kept here."""
    found: dict[str, Standing] = {}
    for start in range(0, len(accounts), AT_ONCE):
        some = accounts[start : start + AT_ONCE]
        rows = connection.execute(
            select(KEYS).where(among(connection, KEYS.c.account, some)).order_by(KEYS.c.created_at)
        )
        for row in rows.mappings():
            known = found.get(row["account"], Standing())
            newer = (row["terms_accepted_at"] or -1) >= (known.terms_accepted_at or -1)
            found[row["account"]] = Standing(
                org=row["org"] or known.org,
                tier=row["tier"],
                terms=(row["terms_version"] or known.terms) if newer else known.terms,
                terms_accepted_at=(row["terms_accepted_at"] if newer else None)
                or known.terms_accepted_at,
                kyc_level=max(known.kyc_level, row["kyc_level"]),
                purposes=tuple(sorted({*known.purposes, *row["purposes"].split()})),
            )
        for each in _allowances(
            connection,
            and_(among(connection, ALLOWED.c.account, some), ALLOWED.c.expires_at > now),
            ALLOWED.c.ended_at.is_(None),
        ):
            known = found.get(each.account, Standing())
            found[each.account] = msgspec.structs.replace(known, allowed=each.purpose)
    return {account: found.get(account, Standing()) for account in accounts}


def is_listed(standing: Standing) -> bool:
    """Whether an account is on the allow-list, or registered for a purpose."""
    return bool(standing.allowed or standing.purposes)


def segment_of(standings: Sequence[Standing]) -> str:
    """The tier that most of the accounts have, as far as it is known."""
    tiers = Counter(each.tier for each in standings if each.tier is not None)
    return min(tiers, key=lambda tier: (-tiers[tier], tier)) if tiers else UNKNOWN_SEGMENT


def _allowances(connection: Connection, *conditions: ColumnElement[bool]) -> list[Allowance]:
    wanted = select(ALLOWED).order_by(ALLOWED.c.created_at, ALLOWED.c.id)
    for condition in conditions:
        wanted = wanted.where(condition)
    return [Allowance(**row) for row in connection.execute(wanted).mappings()]


def _record(change: Transaction, outcome: str, allowance: Allowance, who: Who) -> None:
    """Tell the ledger; by its id, which says nothing of the account once that is erased."""
    body = {
        "allowance": allowance.id,
        "outcome": outcome,
        "purpose": allowance.purpose,
        "expires_at": allowance.expires_at,
    }
    put_entry(change.connection, kind="allowance", at=change.now, by=who.name, body=body)


def _check_names(**fields: str) -> None:
    for field, value in fields.items():
        try:
            check_name(field, value)
        except InputError as error:
            raise CaseError(str(error)) from error
