"""Times as STIX and TAXII write them, and how versions are put in order.

A STIX timestamp (STIX 2.1, section 2.16) is RFC 3339 in UTC with any number of digits behind the
second; TAXII's (TAXII 2.1, section 2) has six. Here a time is in microseconds since 1970.
"""

from __future__ import annotations

import functools
import re
from datetime import UTC, datetime, timedelta

__all__ = ["micros", "version_key", "written"]

_FORM = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:)([0-9]{2})(?:\.([0-9]{1,32}))?Z"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@functools.lru_cache(maxsize=4096)  # objects of one request share most of their times
def micros(text: str) -> int:
    """Microseconds since 1970, rounded down.

    Raises:
        ValueError: it is no timestamp of STIX.
    """
    minute, second, fraction = _parts(text)
    # RFC 3339 knows a 60th second, Python does not: it is the one after the 59th
    whole = datetime.fromisoformat(f"{minute}{min(int(second), 59):02}+00:00")
    leap = 1_000_000 if second == "60" else 0
    return (whole - _EPOCH) // _MICROSECOND + leap + int(fraction[:6].ljust(6, "0"))


@functools.lru_cache(maxsize=4096)
def version_key(text: str) -> str:
    """The same for every way to write one moment, and in the order of time as text.

    Raises:
        ValueError: it is no timestamp of STIX.
    """
    micros(text)
    minute, second, fraction = _parts(text)
    fraction = fraction.rstrip("0")
    return f"{minute}{second}.{fraction}" if fraction else f"{minute}{second}"


def written(time: int) -> str:
    """A time as TAXII writes it."""
    moment = _EPOCH.replace(tzinfo=None) + timedelta(microseconds=time)
    return f"{moment.isoformat(timespec='microseconds')}Z"


def _parts(text: str) -> tuple[str, str, str]:
    found = _FORM.fullmatch(text)
    if found is None or int(found[2]) > 60:
        raise ValueError(f"{text[:64]!r} is no time such as 2026-11-22T12:00:00.000Z")
    return found[1], found[2], found[3] or ""
