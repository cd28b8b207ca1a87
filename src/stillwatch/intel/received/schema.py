"""The tables of what was received: beside cases, keys and actions, for SQLite and for PostgreSQL.

They stand in the database of `access`, so that an import which takes an indicator back and the end
of the actions that it caused are one transaction. Times are whole seconds since the epoch, UTC.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
)

__all__ = [
    "ABOUT",
    "APART",
    "BLOCKS",
    "FORMAT",
    "HITS",
    "IMPORTS",
    "MEMBERS",
    "METADATA",
    "OBJECTS",
    "REFUSALS",
    "SIGHTINGS",
]

FORMAT = "stillwatch.received/1"
METADATA = MetaData()

ABOUT = Table(
    "intel_received_about",
    METADATA,
    Column("one", Integer, CheckConstraint("one = 1"), primary_key=True, autoincrement=False),
    Column("format", Text, nullable=False),
)

#: Who may tell us something: the id of its STIX identity, and the key that it seals with.
MEMBERS = Table(
    "intel_received_members",
    METADATA,
    Column("identity", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("added_at", BigInteger, nullable=False),
    Column("added_by", Text, nullable=False),
    Column("removed_at", BigInteger),
    Column("removed_by", Text),
)

#: Every version of every object whose seal was checked. An id is its sender's alone: the same id
#: of two senders are two objects. `pattern` is that of an indicator that can be looked for.
OBJECTS = Table(
    "intel_received_objects",
    METADATA,
    Column("sender", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("modified", Text, primary_key=True),
    Column("type", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("newest", Boolean, nullable=False),
    Column("revoked", Boolean, nullable=False),
    Column("pattern", Text, index=True),
    Column("valid_from", BigInteger),
    Column("valid_until", BigInteger),
    Column("retain_until", BigInteger),
    Column("import_number", BigInteger, nullable=False),
)
Index("intel_received_newest", OBJECTS.c.type, OBJECTS.c.newest)

#: What came from whom nobody knows, or from a member that was removed: kept, and used for nothing.
APART = Table(
    "intel_received_apart",
    METADATA,
    Column("digest", Text, primary_key=True),
    Column("sender", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("import_number", BigInteger, nullable=False),
)

#: One row an import; `objects` is how many it held.
IMPORTS = Table(
    "intel_received_imports",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("objects", BigInteger, nullable=False),
    Column("fresh", BigInteger, nullable=False),
    Column("known", BigInteger, nullable=False),
    Column("apart", BigInteger, nullable=False),
    Column("refused", BigInteger, nullable=False),
)

#: What an import refused: the place in it, counted from 1, and why.
REFUSALS = Table(
    "intel_received_refusals",
    METADATA,
    Column("import_number", BigInteger, primary_key=True),
    Column("place", BigInteger, primary_key=True),
    Column("id", Text),
    Column("reason", Text, nullable=False),
)

#: Accounts of our own that met what was told. `accounts` met the same pattern in that log, which
#: had `of` accounts; times of the log are µs.
HITS = Table(
    "intel_received_hits",
    METADATA,
    Column("pattern", Text, primary_key=True),
    Column("account", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("exchanges", BigInteger, nullable=False),
    Column("first_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("accounts", BigInteger, nullable=False),
    Column("of", BigInteger, nullable=False),
    Column("matched_at", BigInteger, nullable=False),
)
Index("intel_received_hits_account", HITS.c.account)

#: The actions that hits caused. A block needs so many senders as `needed` says while it lasts, 0
#: where our own cases confirm the pattern; `share` is the bound that distrusts a sender.
BLOCKS = Table(
    "intel_received_blocks",
    METADATA,
    Column("action", Text, primary_key=True),
    Column("pattern", Text, nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("account", Text, nullable=False, index=True),
    Column("indicators", Text, nullable=False),
    Column("needed", Integer, nullable=False),
    Column("share", Double, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("ended_why", Text),
)

#: What we tell the senders of our own: one sighting an indicator, its latest version.
SIGHTINGS = Table(
    "intel_received_sightings",
    METADATA,
    Column("sender", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("outcome", Text, nullable=False),
    Column("body", Text, nullable=False),
)
