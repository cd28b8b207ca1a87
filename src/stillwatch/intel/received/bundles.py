"""A file or an answer of a server → its objects, each by itself: one bad object spoils no other.

Read are bundles of STIX 2.1, envelopes of TAXII 2.1, lists of objects, and JSON Lines. Strangers
write them, so that sizes are bounded and nothing is nested deeper than the ledger's canonical JSON.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from stillwatch.errors import IndicatorError
from stillwatch.ledger import parsed

__all__ = ["LARGEST_OBJECT", "MOST_BYTES", "Unread", "read_objects"]

#: bytes of one object, and of all together
LARGEST_OBJECT: Final = 16 << 20
MOST_BYTES: Final = 512 << 20
#: commas in all: each may begin another object, and whatever is in it takes some 80 bytes
_MOST_PARTS: Final = 8_000_000


class _Bundle(msgspec.Struct):
    objects: list[msgspec.Raw] | msgspec.UnsetType = msgspec.UNSET


class Unread(msgspec.Struct, frozen=True):
    """What stands in the place of an object that could not be read, and why."""

    reason: str


def read_objects(data: bytes) -> list[dict[str, Any] | Unread]:
    """The objects of a bundle, in order; an object that is no bundle is one by itself.

    Raises:
        IndicatorError: it is no list of objects at all, or too large.
    """
    if len(data) > MOST_BYTES:
        raise IndicatorError(f"{len(data):,} bytes; {MOST_BYTES:,} at most are read at a time")
    if (parts := data.count(b",")) > _MOST_PARTS:
        raise IndicatorError(f"{parts:,} parts; {_MOST_PARTS:,} at most are read at a time")
    return [_object(bytes(raw)) for raw in _parts(data)]


def _parts(data: bytes) -> Iterator[msgspec.Raw | bytes]:
    text = data.lstrip()
    try:
        if text[:1] == b"[":
            yield from msgspec.json.decode(data, type=list[msgspec.Raw])
            return
        objects = msgspec.json.decode(data, type=_Bundle).objects
        yield from [data] if isinstance(objects, msgspec.UnsetType) else objects
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        lines = [line for line in data.splitlines() if line.strip()]
        if len(lines) < 2 or not all(line.lstrip()[:1] == b"{" for line in lines):
            raise IndicatorError(
                f"this is no bundle of STIX objects ({str(error)[:120]}); give a bundle, an "
                "envelope of TAXII, a list, or one object a line"
            ) from error
        yield from lines


def _object(raw: bytes) -> dict[str, Any] | Unread:
    if len(raw) > LARGEST_OBJECT:
        return Unread(f"it has {len(raw):,} bytes; {LARGEST_OBJECT:,} at most are taken")
    try:
        value = parsed(raw)
    except (ValueError, RecursionError) as error:
        return Unread(str(error)[:300])
    if not isinstance(value, dict):
        return Unread("it is no object")
    return value
