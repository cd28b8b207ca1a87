"""Rows of the store as callers, as few objects as their number allows."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, select

from stillwatch.access.facts import Caller
from stillwatch.access.schema import KEYS, LINKS, SECRETS

__all__ = ["read_callers"]

#: rows are fetched so many at a time, beside the callers that they become
_IN_PARTS = {"yield_per": 1_000}
_SELECT = (
    select(
        SECRETS.c.digest,
        KEYS.c.key_id,
        KEYS.c.account,
        KEYS.c.org,
        LINKS.c.cluster,
        KEYS.c.tier,
        KEYS.c.level,
        KEYS.c.kyc_level,
        KEYS.c.kyc_country,
        KEYS.c.purposes,
        KEYS.c.terms_version,
        KEYS.c.terms_accepted_at,
        KEYS.c.created_at,
        SECRETS.c.expires_at,
        KEYS.c.revoked_at,
    )
    .select_from(SECRETS)
    .join(KEYS)
    .outerjoin(LINKS, LINKS.c.account == KEYS.c.account)
)


def read_callers(
    connection: Connection, *conditions: ColumnElement[bool], ordered: bool = False
) -> Iterator[tuple[bytes, Caller]]:
    """The digest of each secret under some conditions, and the caller that it speaks for."""
    wanted: Select[*tuple[Any, ...]] = _SELECT.where(*conditions)
    if ordered:
        wanted = wanted.order_by(KEYS.c.account, KEYS.c.created_at, KEYS.c.key_id)
        wanted = wanted.order_by(SECRETS.c.issued_at, SECRETS.c.digest)
    shared: dict[object, tuple[str, ...]] = {"": ()}
    with connection.execute(wanted, execution_options=_IN_PARTS) as rows:
        for (
            digest, key_id, account, org, cluster, tier, level, kyc_level, country, purposes,
            terms, accepted, created, expires, revoked,
        ) in rows:  # fmt: skip
            if (uses := shared.get(purposes)) is None:
                uses = shared[purposes] = tuple(purposes.split())
            yield (
                bytes(digest),
                Caller(
                    key_id=key_id,
                    account=account,
                    org=org and sys.intern(org),
                    cluster=sys.intern(cluster) if cluster else account,
                    tier=sys.intern(tier),
                    level=sys.intern(level),
                    kyc_level=kyc_level,
                    kyc_country=sys.intern(country),
                    purposes=uses,
                    terms_version=terms and sys.intern(terms),
                    terms_accepted_at=accepted,
                    created_at=created,
                    expires_at=expires,
                    revoked_at=revoked,
                ),
            )
