"""The tables of cases: beside those of keys and actions, one schema for SQLite and PostgreSQL.

They stand in the database of `access`, so that a decision and the actions that it puts in force are
one transaction. What happened to a case is in ``cases_events`` and is never changed; the row of
``cases_cases`` is computed from it, for lists. Times are whole seconds since the epoch, UTC.

Accounts stand by name in ``cases_accounts`` alone; events speak of them by their numbers, so that
erasing one erases it from the history too.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    false,
)

__all__ = [
    "ABOUT",
    "ACCOUNTS",
    "ALLOWED",
    "CASES",
    "CLAUSES",
    "EARLIER",
    "EVENTS",
    "FORMAT",
    "METADATA",
    "OUTBOX",
    "PROPOSALS",
    "RULES",
    "TOKENS",
]

FORMAT = "stillwatch.cases/2"
#: knew no `named` and no `made_by`, and would decide a proposal on an org on nobody; see `upgrade`
EARLIER = "stillwatch.cases/1"
METADATA = MetaData()

#: One row: the format of the tables below; whether people are told apart by tokens, which they are
#: from the first token on, even when all of them have ended.
ABOUT = Table(
    "cases_about",
    METADATA,
    Column("one", Integer, CheckConstraint("one = 1"), primary_key=True, autoincrement=False),
    Column("format", Text, nullable=False),
    Column("named", Boolean, nullable=False, server_default=false()),
)

#: What a list shows of a case. `salt` hides what the ledger says of it.
CASES = Table(
    "cases_cases",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("campaign", Text, nullable=False, index=True),
    Column("state", Text, nullable=False),
    Column("verdict", Text),
    Column("claimed_by", Text),
    Column("segment", Text, nullable=False),
    Column("score", Double, nullable=False),
    Column("accounts", Integer, nullable=False),
    Column("allowed", Boolean, nullable=False),
    Column("pending", Text),
    Column("opened_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("events", Integer, nullable=False),
    Column("salt", LargeBinary, nullable=False),
)
Index("cases_queue", CASES.c.state, CASES.c.score)

#: Everything that happened, numbered from 1 in each case; `body` is JSON.
EVENTS = Table(
    "cases_events",
    METADATA,
    Column("case_id", Text, ForeignKey(CASES.c.id), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("person", Boolean, nullable=False),
    Column("body", Text, nullable=False),
)

#: Who a case is about, numbered from 1; without a name and a salt once it is erased.
ACCOUNTS = Table(
    "cases_accounts",
    METADATA,
    Column("case_id", Text, ForeignKey(CASES.c.id), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("account", Text, index=True),
    Column("salt", LargeBinary),
    Column("standing", Text),
    Column("seen_at", BigInteger, nullable=False),
)

#: Who proposed and who approved what needs two: the last constraint is four eyes, whatever
#: program writes here. Names are folded, so that Ana is no second person beside ana.
PROPOSALS = Table(
    "cases_proposals",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("proposer", Text, nullable=False),
    Column("four_eyes", Boolean, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("approver", Text),
    Column("outcome", Text),
    CheckConstraint(
        "outcome IS NULL OR outcome <> 'approved' OR NOT four_eyes"
        " OR (approver IS NOT NULL AND approver <> proposer)",
        name="a_second_person_approves",
    ),
)

#: Rules that may act by themselves; a version is never changed. `body` is JSON.
RULES = Table(
    "cases_rules",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("body", Text, nullable=False),
    Column("proposed_by", Text, nullable=False),
    Column("proposed_at", BigInteger, nullable=False),
    Column("approved_by", Text),
    Column("approved_at", BigInteger),
    Column("expires_at", BigInteger, nullable=False),
    Column("revoked_by", Text),
    Column("revoked_at", BigInteger),
)

#: Evaluators and researchers; `purpose` is one of those that keys may have.
ALLOWED = Table(
    "cases_allowed",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("account", Text, nullable=False, index=True),
    Column("purpose", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("ended_by", Text),
)

#: The clauses of each version of the terms, as a verdict names them.
CLAUSES = Table(
    "cases_clauses",
    METADATA,
    Column("terms", Text, primary_key=True),
    Column("clause", Text, primary_key=True),
    Column("text", Text, nullable=False),
)

#: The SHA-256 of each token, whom it speaks for, as what, and who made it; nobody did where whoever
#: may write the store made it without a token.
TOKENS = Table(
    "cases_tokens",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("person", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    Column("made_by", Text),
)

#: What the ledger must be told, in order; `place` is its index there once it was.
OUTBOX = Table(
    "cases_outbox",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("entry", Text, nullable=False),
    Column("place", BigInteger, index=True),
)
