"""Times as the profile writes them: RFC 3339, UTC, ``Z``.

``created`` and ``modified`` have three digits of a second, every other time has none: so the stix2
library writes them, and a seal is of every byte.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from stillwatch.errors import IndicatorError

__all__ = ["moment", "to_the_second", "written"]

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", re.ASCII)


def written(at: datetime) -> str:
    """`at`, which has an offset, such as ``2026-11-22T10:00:00.000Z``."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def to_the_second(at: datetime) -> str:
    """`at`, which has an offset, such as ``2026-11-22T10:00:00Z``; what is less than a second is
    left out."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: object) -> datetime:
    """The time that an object gives, to the microsecond at most.

    Raises:
        IndicatorError: this is no time of STIX.
    """
    if not isinstance(text, str) or not _TIME.fullmatch(text):
        raise IndicatorError(f"{str(text)[:60]!r} is no time such as 2026-11-22T10:00:00.000Z")
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise IndicatorError(f"{text!r} is no time: {error}") from error
