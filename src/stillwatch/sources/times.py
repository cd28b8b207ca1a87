"""Clocks: RFC 3339 text and numbers since 1970, in any unit, to microseconds of UTC.

A number's unit is told by its magnitude, which is unambiguous for every time between 1973 and 5138:
below 10¹¹ seconds, below 10¹⁴ milliseconds, below 10¹⁷ microseconds, above that nanoseconds.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from stillwatch.sources.remarks import Remarks
from stillwatch.sources.values import UnfitError

__all__ = ["EARLIEST", "Micros", "elapsed_ms", "from_datetime", "from_epoch", "read_time"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_NAIVE = datetime(1970, 1, 1)
_NUMBER = re.compile(r"[+-]?\d{1,20}(\.\d{1,20})?")
#: (upper bound of the magnitude, name of the unit, microseconds in one, units in a microsecond)
_UNITS = (
    (10**11, "seconds", 1_000_000, 1),
    (10**14, "milliseconds", 1_000, 1),
    (10**17, "microseconds", 1, 1),
    (10**20, "nanoseconds", 1, 1_000),
)

#: 2015-01-01: no API of a language model has older requests
EARLIEST = 1_420_070_400_000_000


class Micros(int):
    """Microseconds since 1970 UTC: a time that was read already."""


def from_datetime(value: datetime, column: str, remarks: Remarks) -> int:
    """Microseconds since 1970 UTC. A time without a zone is taken as UTC, and that is noted."""
    if value.tzinfo is None:
        remarks.note(f"'{column}' has no time zone and is taken as UTC")
        return _micros(value - _EPOCH_NAIVE)
    return _micros(value - _EPOCH)


def from_epoch(value: int | float, column: str, remarks: Remarks) -> int:
    """Microseconds since 1970 UTC of a number in s, ms, µs or ns; all but seconds are noted.

    Raises:
        UnfitError: NaN, infinite, or too large for any unit.
    """
    for bound, unit, factor, divisor in _UNITS:
        if -bound < value < bound:
            if bound != _UNITS[0][0]:
                remarks.note(f"'{column}' holds {unit} since 1970, converted")
            if isinstance(value, int):
                return value * factor // divisor
            return round(value * factor / divisor)
    raise UnfitError("is no time: not a finite number, or too large for nanoseconds since 1970")


def read_time(value: object, column: str, remarks: Remarks) -> int:
    """Microseconds since 1970 UTC of whatever a log gives as a time.

    Accepts RFC 3339 and its common relatives (a space for the T, ' UTC' for the Z, no zone, a
    date alone), numbers since 1970, and such numbers as text.

    Raises:
        UnfitError: it is none of these.
    """
    if isinstance(value, Micros):
        return int(value)
    if isinstance(value, str):
        text = value.strip()
        if _NUMBER.fullmatch(text):
            return from_epoch(float(text) if "." in text else int(text), column, remarks)
        try:
            moment = datetime.fromisoformat(
                text.removesuffix(" UTC") + ("Z" * text.endswith(" UTC"))
            )
            return from_datetime(moment, column, remarks)
        except (ValueError, OverflowError):
            raise UnfitError("is no time: give RFC 3339 or seconds since 1970") from None
    if isinstance(value, datetime):
        return from_datetime(value, column, remarks)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnfitError("is no time: give RFC 3339 or seconds since 1970")
    return from_epoch(value, column, remarks)


def elapsed_ms(start: object, end: object) -> float | None:
    """Milliseconds from a time to a later one; None if one is no time, or they are swapped."""
    silent = Remarks()  # the start is read again as a column, and noted there
    try:
        micros = read_time(end, "", silent) - read_time(start, "", silent)
    except UnfitError:
        return None
    return micros / 1000 if micros >= 0 else None


def _micros(since: timedelta) -> int:
    return since.days * 86_400_000_000 + since.seconds * 1_000_000 + since.microseconds
