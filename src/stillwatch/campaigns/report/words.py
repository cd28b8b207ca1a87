"""Numbers, shares, times and base rates, in the words that the report uses."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence

from stillwatch.campaigns.track_record import TrackRecord

__all__ = [
    "base_rate",
    "clock",
    "count",
    "day",
    "decimal",
    "duration",
    "listing",
    "number",
    "percent",
    "period",
    "plural",
    "track_record",
    "utc",
]

_SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
          "eleven", "twelve")  # fmt: skip
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def number(value: int) -> str:
    """``4210`` → ``4,210``."""
    return f"{value:,}"


def count(value: int) -> str:
    """Small numbers as a word: ``3`` → ``three``, ``40`` → ``40``, ``0`` → ``no``."""
    return _SMALL[value] if 0 <= value < len(_SMALL) else number(value)


def plural(value: int, noun: str, *, words: bool = False) -> str:
    """``1, "account"`` → ``1 account``; with `words`, ``two accounts``."""
    said = count(value) if words else number(value)
    return f"{said} {noun}" if value == 1 else f"{said} {noun}s"


def decimal(value: float) -> str:
    """Three significant digits, thousands apart; what is no number is said to be none."""
    if math.isnan(value):
        return "unknown"
    if math.isinf(value):
        return "unbounded" if value > 0 else "−unbounded"
    sign = "−" if value < 0 else ""
    value = abs(value)
    if value >= 100 or value == int(value):
        return f"{sign}{value:,.0f}"
    digits = 0 if value == 0 else max(0, 2 - math.floor(math.log10(value)))
    text = f"{value:.{min(digits, 6)}f}".rstrip("0").rstrip(".")
    return f"{sign}{text}" if text != "0" else f"{sign}{value:.1e}"


def percent(part: float, whole: float = 1.0) -> str:
    """A share with two significant digits, and never a 0 % or 100 % that is not one."""
    if not whole or math.isnan(part):
        return "–"
    share = 100 * part / whole
    if share <= 0:
        return "0 %"
    if share < 0.01:
        return "<0.01 %"
    if share < 1:
        return f"{share:.2g} %"
    if share < 10:
        return f"{share:.1f} %".replace(".0 ", " ")
    return f"{share:.0f} %" if share >= 100 or round(share) < 100 else ">99 %"


def base_rate(rate: float | None) -> str:
    """How often honest traffic looks like that, as a sentence without its full stop.

    Args:
        rate: share of comparable honest groups or accounts, 0 to 1, or None where none is known.
    """
    if rate is None or math.isnan(rate):
        return "How often honest traffic looks like this has not been measured"
    if rate <= 0:
        return "None of the honest accounts or groups it was compared with looks like this"
    if rate >= 0.995:
        return "Practically every honest account or group looks like this"
    if rate >= 0.15:
        return f"About {round(100 * rate)} in 100 honest accounts or groups look like this"
    one_in = 1 / rate
    if one_in >= 1e6:
        return "Fewer than 1 in a million honest accounts or groups look like this"
    size = 10 ** max(0, math.floor(math.log10(one_in)) - 1)
    return f"About 1 in {round(one_in / size) * size:,} honest accounts or groups looks like this"


def track_record(record: TrackRecord | None) -> str:
    """What analysts found of campaigns with a detection, as a sentence without its full stop."""
    if record is None or not record.judged:
        return "No campaign with this detection was decided by analysts yet"
    return (
        f"Of {plural(record.judged, 'reviewed campaign')} with this detection "
        f"{number(record.upheld)} {'was' if record.upheld == 1 else 'were'} confirmed "
        f"({percent(record.upheld, record.judged)}; {percent(record.least)} to "
        f"{percent(record.most)} at 95 % confidence)"
    )


def listing(parts: Sequence[str]) -> str:
    """``a, b and c``."""
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1]))) if parts else ""


def utc(moment: dt.datetime) -> dt.datetime:
    """The moment in UTC; one without a zone is taken to be UTC already."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)


def day(moment: dt.datetime, *, year: bool = True) -> str:
    """``3 Nov 2026``."""
    return f"{moment.day} {_MONTHS[moment.month - 1]}" + (f" {moment.year}" if year else "")


def clock(moment: dt.datetime | None) -> str:
    """``2026-11-03 09:12``, sortable; a dash for None."""
    return "–" if moment is None else f"{utc(moment):%Y-%m-%d %H:%M}"


def period(first: dt.datetime, last: dt.datetime) -> str:
    """``3 Nov 2026, 09:12 to 5 Nov 2026, 08:40 UTC``; the day only once where it is one."""
    first, last = utc(first), utc(last)
    if first.date() == last.date():
        return f"{day(first)}, {first:%H:%M} to {last:%H:%M} UTC"
    return (
        f"{day(first, year=first.year != last.year)}, {first:%H:%M} to "
        f"{day(last)}, {last:%H:%M} UTC"
    )


def duration(span: dt.timedelta) -> str:
    """``40 minutes``, ``9 hours``, ``2 days``, ``13 weeks``: the unit a reader would choose."""
    minutes = max(1, round(span.total_seconds() / 60))
    for unit, size, least in (("week", 10080, 6), ("day", 1440, 2), ("hour", 60, 2)):
        if minutes >= least * size:
            return plural(round(minutes / size), unit)
    return plural(minutes, "minute")
