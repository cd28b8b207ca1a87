"""The tables of a TAXII server and of a poll: one schema for SQLite and for PostgreSQL.

They stand in a store of their own, laid out as that of keys and actions (``access.database``).
Writers take turns, so that what one has read still holds when it writes, and whoever has seen one
``added`` of a collection has missed none below it. Times of objects are in microseconds since 1970,
those of members and tokens in seconds, UTC.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

from stillwatch.access.database import Layout

__all__ = [
    "COLLECTIONS",
    "FORMAT",
    "LAYOUT",
    "MEMBERS",
    "METADATA",
    "OBJECTS",
    "POSITIONS",
    "RIGHTS",
    "STATUSES",
    "TOKENS",
]

FORMAT = "stillwatch.intel/1"
METADATA = MetaData()
#: text in the order of its bytes, whatever the language of the server
_ORDERED = Text().with_variant(Text(collation="C"), "postgresql")

_CHANGES = Table(
    "intel_taxii_changes",
    METADATA,
    Column("one", Integer, CheckConstraint("one = 1"), primary_key=True, autoincrement=False),
    Column("format", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("removed", BigInteger, nullable=False),
)

LAYOUT = Layout(
    file="intel.db",
    tables=METADATA,
    changes=_CHANGES,
    format=FORMAT,
    absent="there are no collections here (intel.db); `stillwatch intel collection add` makes one",
)

#: `root` is the API root, the trust group. `last` is the latest `added` that was ever given, so
#: that none is given twice even when objects are deleted. `keep` is in seconds.
COLLECTIONS = Table(
    "intel_taxii_collections",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False, unique=True),
    Column("root", Text, nullable=False),
    Column("alias", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("keep", BigInteger),
    Column("last", BigInteger, nullable=False),
)
Index("intel_taxii_aliases", COLLECTIONS.c.root, COLLECTIONS.c.alias, unique=True)

#: One row for each version of each object. `version` is the key of :mod:`.times`, `shown` what the
#: object says. `ends` is its `valid_until`, or else `added`; `author` its `created_by_ref`;
#: `member` who sent it. The body, canonical JSON, stands last: who looks for rows does not read it.
OBJECTS = Table(
    "intel_taxii_objects",
    METADATA,
    Column("collection", Integer, ForeignKey(COLLECTIONS.c.number), primary_key=True),
    Column("object_id", Text, primary_key=True),
    Column("version", _ORDERED, primary_key=True),
    Column("added", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("shown", Text, nullable=False),
    Column("versioned", Boolean, nullable=False),
    Column("member", Text, nullable=False),
    Column("author", Text),
    Column("ends", BigInteger, nullable=False),
    Column("size", Integer, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
Index("intel_taxii_added", OBJECTS.c.collection, OBJECTS.c.added, unique=True)
Index("intel_taxii_ends", OBJECTS.c.collection, OBJECTS.c.ends)
Index("intel_taxii_types", OBJECTS.c.collection, OBJECTS.c.type, OBJECTS.c.added)

#: What became of each request that added objects; `body` is JSON, compressed.
STATUSES = Table(
    "intel_taxii_statuses",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("root", Text, nullable=False),
    Column("member", Text, nullable=False),
    Column("at", BigInteger, nullable=False, index=True),
    Column("body", LargeBinary, nullable=False),
)

#: Who takes part. Objects that name `identity` as their author come from this member alone.
MEMBERS = Table(
    "intel_taxii_members",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("identity", Text, unique=True),
    Column("created_at", BigInteger, nullable=False),
)

RIGHTS = Table(
    "intel_taxii_rights",
    METADATA,
    Column("member", Text, ForeignKey(MEMBERS.c.name), primary_key=True),
    Column("collection", Integer, ForeignKey(COLLECTIONS.c.number), primary_key=True),
    Column("read", Boolean, nullable=False),
    Column("write", Boolean, nullable=False),
)

#: The SHA-256 of each secret, and whom it speaks for.
TOKENS = Table(
    "intel_taxii_tokens",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("member", Text, ForeignKey(MEMBERS.c.name), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
)

#: How far a collection of another server was fetched: see :mod:`.positions`.
POSITIONS = Table(
    "intel_taxii_positions",
    METADATA,
    Column("collection", Text, primary_key=True),
    Column("after", Text),
    Column("next", Text),
    Column("reached", Text),
    Column("pages", BigInteger, nullable=False),
    Column("objects", BigInteger, nullable=False),
)
