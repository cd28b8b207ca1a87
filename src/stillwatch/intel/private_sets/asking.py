"""A raw log against a set: which accounts hold what is in it, and nothing of what is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from stillwatch.errors import IndicatorError
from stillwatch.intel.community import CommunityKey
from stillwatch.intel.identifiers import identifiers
from stillwatch.intel.private_sets.private_set import PrivateSet
from stillwatch.intel.profile.names import extension_of
from stillwatch.intel.profile.times import moment
from stillwatch.sources import Log

__all__ = ["Match", "ask", "digests_of"]

_ROWS: Final = 16_384


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """An account, as the log calls it, a field, and how many of its exchanges have such a value."""

    account: str
    field: str
    exchanges: int


def ask(found: PrivateSet, community: CommunityKey, log: Log, now: datetime) -> list[Match]:
    """Every account of `log` with a value that is in the set, those with most exchanges first.

    Raises:
        IndicatorError: the set is of another community, epoch or key, or no longer valid.
        InputError: the log cannot be read.
    """
    if found.header.scheme != community.scheme:
        raise IndicatorError(f"the set is of {found.header.scheme}, the key of {community.scheme}")
    if moment(found.header.valid_until) <= now:
        raise IndicatorError(f"the set was valid until {found.header.valid_until}")
    counts: Counter[tuple[str, str]] = Counter()
    for batch in log.batches(_ROWS):
        rows = [(row.account, identifiers(row)) for row in batch.rows]
        for field in found.header.fields:
            held = [(account, values[field]) for account, values in rows if field in values]
            digests = community.digests(field, (value for _, value in held), leaving=False)
            hits = found.holds(field, digests)
            counts.update((held[n][0], field) for n in hits.nonzero()[0].tolist())
    return [
        Match(account=account, field=field, exchanges=number)
        for (account, field), number in sorted(counts.items(), key=lambda c: (-c[1], c[0]))
    ]


def digests_of(
    objects: Iterable[Mapping[str, Any]], scheme: str, now: datetime
) -> list[tuple[str, str]]:
    """(field, digest) of the indicators under `scheme` that are neither revoked nor over.

    Raises:
        IndicatorError: there is none.
    """
    last: dict[str, Mapping[str, Any]] = {}
    for each in objects:
        if each.get("type") == "indicator" and "digest" in extension_of(dict(each)):
            name = str(each["id"])
            if name not in last or str(last[name]["modified"]) < str(each["modified"]):
                last[name] = each
    found = [
        (digest["field"], digest["value"])
        for each in last.values()
        if not each.get("revoked") and moment(each["valid_until"]) > now
        for digest in [extension_of(dict(each))["digest"]]
        if digest["scheme"] == scheme
    ]
    if not found:
        raise IndicatorError(f"there is no digest under {scheme} that holds now")
    return found
