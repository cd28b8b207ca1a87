"""What a request asks for in its query: filters, pages (TAXII 2.1, sections 3.4 and 3.5).

What is malformed is refused. Ids and types that no object can have match nothing, and fields that
the standard does not know are ignored, as it allows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from urllib.parse import parse_qsl

import msgspec

from stillwatch.intel.store.objects import is_object_id, is_type
from stillwatch.intel.store.reading import MOST_OBJECTS, Filter, Version
from stillwatch.intel.store.times import micros, version_key
from stillwatch.intel.taxii.answers import RefusedError

__all__ = ["DEFAULT_LIMIT", "Query", "read_query"]

#: objects of a page where no limit is asked for
DEFAULT_LIMIT = 1_000
_MOST_FIELDS = 64
_SINGLE = ("added_after", "limit", "next")


class Query(msgspec.Struct, frozen=True):
    """A filter, and how many objects a page may have."""

    filter: Filter
    limit: int


def read_query(raw: bytes, fields: Collection[str], *, versions: Version) -> Query:
    """The query of a request that may match these fields; `versions` are those that are meant
    where it says nothing.

    Raises:
        RefusedError: 400, it is malformed.
    """
    try:
        pairs = parse_qsl(
            raw.decode("latin-1"), keep_blank_values=True, errors="replace",
            max_num_fields=_MOST_FIELDS,
        )  # fmt: skip
    except ValueError:
        raise _malformed(f"there are more than {_MOST_FIELDS} fields") from None
    found: dict[str, str] = {}
    for name, value in pairs:
        known = name in _SINGLE or name.removeprefix("match[").removesuffix("]") in fields
        if known and name in found:
            raise _malformed(f"{name} is given twice")
        found[name] = value
    match = {each: found[f"match[{each}]"] for each in fields if f"match[{each}]" in found}
    after = _after(found.get("added_after"), found.get("next"))
    return Query(
        Filter(
            after=after,
            ids=_those(match.get("id"), is_object_id),
            types=_those(match.get("type"), is_type),
            versions=_versions(match["version"]) if "version" in match else versions,
            spec_versions=tuple(match["spec_version"].split(","))
            if "spec_version" in match
            else None,
        ),
        _limit(found.get("limit")),
    )


def _those(text: str | None, possible: Callable[[str], bool]) -> tuple[str, ...] | None:
    """What of a list can match at all."""
    return None if text is None else tuple(each for each in text.split(",") if possible(each))


def _after(added_after: str | None, following: str | None) -> int | None:
    """Behind which time of adding a page begins."""
    after = None
    if added_after is not None:
        try:
            after = micros(added_after)
        except ValueError:
            raise _malformed(
                "added_after must be a time such as 2026-11-22T12:00:00.000000Z"
            ) from None
    if following is not None:
        if not following.isascii() or not following.isdigit() or len(following) > 18:
            raise _malformed("next must be what the page before gave")
        after = max(int(following), after or 0)
    return after


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    if not text.isascii() or not text.isdigit() or len(text) > 18 or int(text) < 1:
        raise _malformed("limit must be a whole number above zero")
    return min(int(text), MOST_OBJECTS)


def _versions(text: str) -> Version:
    words = text.split(",")
    if len(set(words)) != len(words):
        raise _malformed("match[version] names a version twice")
    if "all" in words and len(words) > 1:
        raise _malformed("match[version]: all stands alone")
    try:
        exact = tuple(version_key(each) for each in words if each not in ("all", "first", "last"))
    except ValueError:
        raise _malformed(
            "match[version] must be all, first, last or a time such as 2026-11-22T12:00:00.000Z"
        ) from None
    return Version(every="all" in words, first="first" in words, last="last" in words, exact=exact)


def _malformed(message: str) -> RefusedError:
    return RefusedError(400, "the query is malformed", message)
