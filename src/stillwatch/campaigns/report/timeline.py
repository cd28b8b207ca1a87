"""Hourly counts → bars, ticks and a table: what a campaign did when, from two hours to years.

Everything is UTC. Bars of equal length (1 hour up to weeks) cover the campaign's own period, no
more of them than the page has room for, aligned to midnight and to Mondays; an hour without a
count is zero.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from stillwatch.campaigns.report.words import day, number, plural, utc

__all__ = ["Bar", "Row", "Tick", "Timeline", "timeline"]

FEWEST = 12
"""Bars of a short campaign; those before and after it are empty."""
ROWS = 16
TICKS = 9
HOURLY = 96
"""Hours up to which ticks name the time of day."""
HOUR = dt.timedelta(hours=1)
#: a Monday, so that bars of weeks begin on one
ORIGIN = dt.datetime(1970, 1, 5, tzinfo=dt.UTC)

_STEPS = (1, 2, 3, 4, 6, 12, 24, 48, 96, 168)


@dataclass(frozen=True)
class Bar:
    """Exchanges of one span of time: with the campaign's marks, and others of its accounts."""

    label: str
    marked: int
    others: int


@dataclass(frozen=True)
class Tick:
    """A mark on an axis, `at` in percent from the left or the bottom."""

    at: float
    label: str
    below: str = ""
    minor: bool = False
    """whether a narrow screen leaves it out"""


@dataclass(frozen=True)
class Row:
    """A line of the table that says the same in numbers."""

    label: str
    marked: int
    others: int


@dataclass(frozen=True)
class Timeline:
    """Paths are drawn in tenths of a bar across and in 1,000 units from the top down."""

    bars: tuple[Bar, ...]
    marked: str
    others: str
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    step: str
    rows: tuple[Row, ...]
    row_step: str


def timeline(hours: Mapping[dt.datetime, tuple[int, int]], bars: int) -> Timeline | None:
    """The timeline of a campaign in at most `bars` bars, or None where no hour was counted."""
    if not hours:
        return None
    counts = {utc(hour): pair for hour, pair in hours.items()}
    size = _step(counts, max(bars, FEWEST))
    start, drawn = _binned(counts, size, FEWEST)
    most = max(max(bar.marked + bar.others for bar in drawn), 1)
    top, up = _scale(most)
    row_size = _step(counts, ROWS)
    return Timeline(
        bars=tuple(drawn),
        marked=_path(drawn, top, stacked=False),
        others=_path(drawn, top, stacked=True),
        across=tuple(_across(start, len(drawn) * size)),
        up=up,
        step=_span(size),
        rows=tuple(Row(b.label, b.marked, b.others) for b in _binned(counts, row_size)[1]),
        row_step=_span(row_size),
    )


def _span(hours: int) -> str:
    for unit, size in (("week", 168), ("day", 24)):
        if hours % size == 0:
            return plural(hours // size, unit)
    return plural(hours, "hour")


def _floor(moment: dt.datetime, size: int) -> dt.datetime:
    return ORIGIN + (moment - ORIGIN) // (size * HOUR) * (size * HOUR)


def _step(counts: Mapping[dt.datetime, tuple[int, int]], most: int) -> int:
    """The smallest step, in hours, that needs at most `most` bars."""
    first, last = min(counts), max(counts)
    size, larger = _STEPS[0], iter(_STEPS[1:])
    while (_floor(last, size) - _floor(first, size)) // (size * HOUR) + 1 > most:
        size = next(larger, size * 2)
    return size


def _binned(
    counts: Mapping[dt.datetime, tuple[int, int]], size: int, fewest: int = 1
) -> tuple[dt.datetime, list[Bar]]:
    start = _floor(min(counts), size)
    length = (_floor(max(counts), size) - start) // (size * HOUR) + 1
    if length < fewest:
        start -= (fewest - length) // 2 * size * HOUR
        length = fewest
    marked, others = [0] * length, [0] * length
    for hour, (with_marks, without) in counts.items():
        place = (hour - start) // (size * HOUR)
        marked[place] += with_marks
        others[place] += without
    return start, [
        Bar(_label(start + i * size * HOUR, size), marked[i], others[i]) for i in range(length)
    ]


def _label(begins: dt.datetime, size: int) -> str:
    if size < 24:
        return f"{day(begins)}, {begins:%H:%M}"
    ends = begins + (size - 1) * HOUR
    return day(begins) if size == 24 else f"{day(begins, year=False)} to {day(ends)}"


def _path(bars: list[Bar], top: int, *, stacked: bool) -> str:
    """All bars of one series as one path; the others stand on the marked ones."""
    parts = []
    for i, bar in enumerate(bars):
        value = bar.others if stacked else bar.marked
        if value:
            base = 1000 - (1000 * bar.marked // top if stacked else 0)
            height = max(1, 1000 * value // top)
            parts.append(f"M{10 * i + 1} {base}v-{height}h8v{height}z")
    return "".join(parts)


def _scale(most: int) -> tuple[int, tuple[Tick, ...]]:
    """A round top of the axis, and its ticks."""
    size = 1
    while size * 10 < most:
        size *= 10
    unit = next(u * size for u in (1, 2, 3, 4, 5, 6, 8, 10) if u * size >= most)
    parts = 2 if unit % 2 == 0 else 3 if unit % 3 == 0 else 1
    return unit, tuple(
        Tick(round(100 * i / parts, 1), number(unit * i // parts)) for i in range(1, parts + 1)
    )


def _across(start: dt.datetime, length: int) -> Iterator[Tick]:
    """At most TICKS round moments of an axis that is `length` hours long."""
    previous = None
    for row, moment in enumerate(_moments(start, start + length * HOUR, length)):
        if length <= HOURLY:
            label = f"{moment:%H:%M}"
            new = previous is None or moment.date() != previous.date()
            below = day(moment, year=False) if new else ""
        else:
            label = day(moment, year=False)
            below = str(moment.year) if previous is None or moment.year != previous.year else ""
        previous = moment
        at = round(100 * ((moment - start) / HOUR) / length, 2)
        yield Tick(at, label, below, minor=row % 2 == 1)


def _moments(start: dt.datetime, end: dt.datetime, length: int) -> Iterator[dt.datetime]:
    size = next((s for s in (1, 2, 3, 6, 12, 24, 48, 168, 336) if length / s < TICKS), None)
    if size is not None:
        moment = _floor(start + size * HOUR - dt.timedelta(microseconds=1), size)
        while moment < end:
            yield moment
            moment += size * HOUR
        return
    months = next(m for m in (1, 2, 3, 6, 12, 24, 60, 120, 1200) if length / (m * 730) < TICKS)
    index = start.year * 12 + start.month - 1
    index = -(-index // months) * months
    while (moment := dt.datetime(index // 12, index % 12 + 1, 1, tzinfo=dt.UTC)) < end:
        if moment >= start:
            yield moment
        index += months
