"""The tables of keys and actions: one schema, for SQLite and for PostgreSQL.

Times are whole seconds since the epoch, UTC. Every write takes the next number of ``changes`` first
and puts it on the rows that it touches. The row of that number is locked until the write commits,
so numbers become visible in their order: who has read up to one has missed nothing below it, which
a sequence of the database would not promise.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

__all__ = ["ACTIONS", "CHANGES", "FORMAT", "KEYS", "LINKS", "METADATA", "SECRETS"]

FORMAT = "stillwatch.access/1"
METADATA = MetaData()

#: One row. `removed` is the version of the last write that deleted rows.
CHANGES = Table(
    "access_changes",
    METADATA,
    Column("one", Integer, CheckConstraint("one = 1"), primary_key=True, autoincrement=False),
    Column("format", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("removed", BigInteger, nullable=False),
)

#: Who a key speaks for; the key outlives its secrets. `purposes` are separated by blanks.
KEYS = Table(
    "access_keys",
    METADATA,
    Column("key_id", Text, primary_key=True),
    Column("account", Text, nullable=False, index=True),
    Column("org", Text),
    Column("tier", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("kyc_level", Integer, nullable=False),
    Column("kyc_country", Text, nullable=False),
    Column("purposes", Text, nullable=False),
    Column("terms_version", Text),
    Column("terms_accepted_at", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
)

#: The SHA-256 of each secret that speaks for a key: one, or several while a rotation overlaps.
#: `version` is that of the last change to the secret, its key, or the cluster of its account.
SECRETS = Table(
    "access_secrets",
    METADATA,
    Column("digest", LargeBinary, primary_key=True),
    Column("key_id", Text, ForeignKey(KEYS.c.key_id), nullable=False, index=True),
    Column("issued_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("version", BigInteger, nullable=False, index=True),
)

#: The cluster of an account that is linked to others; it holds for keys that are made later too.
LINKS = Table(
    "access_links",
    METADATA,
    Column("account", Text, primary_key=True),
    Column("cluster", Text, nullable=False),
)

#: Actions, in force and past. The last constraint is law 8: automation never suspends.
ACTIONS = Table(
    "access_actions",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("subject_kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("seconds", Double),
    Column("surface", Text),
    Column("reason", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("person", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
    Column("undone_at", BigInteger),
    Column("undone_by", Text),
    Column("version", BigInteger, nullable=False, index=True),
    CheckConstraint("kind <> 'suspend' OR (person AND by <> '')", name="a_person_suspends"),
)
