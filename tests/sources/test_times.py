"""Clocks of every kind, and those that are refused."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillwatch.exchange import RawExchange
from stillwatch.sources.remarks import Remarks
from stillwatch.sources.times import read_time
from stillwatch.sources.values import UnfitError

_MOMENT = datetime(2025, 11, 21, 4, 40, 0, 123456, tzinfo=UTC)
_MICROS = 1_763_700_000_123_456
Row = Callable[..., RawExchange]


@pytest.mark.parametrize(
    "written",
    [
        "2025-11-21T04:40:00.123456Z",
        "2025-11-21t04:40:00.123456z",
        "2025-11-21 04:40:00.123456Z",
        "2025-11-21 04:40:00.123456 UTC",
        "2025-11-21T05:40:00.123456+01:00",
        "2025-11-20T23:40:00.123456-0500",
        "2025-11-21T04:40:00.123456",
        "2025-11-21T04:40:00.123456000Z",
        1_763_700_000.123456,
        "1763700000.123456",
        1_763_700_000_123.456,
        1_763_700_000_123_456,
        "1763700000123456",
        1_763_700_000_123_456_000,
    ],
)
def test_a_moment_reads_the_same_however_it_is_written(read_row: Row, written: Any) -> None:
    assert read_row(at=written).at == _MICROS


@pytest.mark.parametrize(
    ("written", "unit"),
    [
        (1_763_700_000_123, "milliseconds"),
        (1_763_700_000_123_456, "microseconds"),
        (1_763_700_000_123_456_789, "nanoseconds"),
    ],
)
def test_a_clock_that_does_not_count_seconds_is_named_once(
    read_lines: Any, written: int, unit: str
) -> None:
    row = {"account": "a", "prompt": "p"}
    reading = read_lines(*({"at": written + i, **row} for i in range(3)))
    (note,) = reading.log.notes
    assert note.startswith(f"'at' holds {unit} since 1970, converted (3 times, first at ")
    assert note.endswith("log.jsonl:1)")


def test_seconds_need_no_remark(read_lines: Any) -> None:
    assert read_lines({"at": 1_763_700_000, "account": "a", "prompt": "p"}).log.notes == ()


def test_a_time_without_a_zone_is_taken_as_utc_and_that_is_said(read_lines: Any) -> None:
    reading = read_lines({"at": "2025-11-21 04:40:00", "account": "a", "prompt": "p"})
    assert reading.rows[0].at == 1_763_700_000_000_000
    assert "no time zone and is taken as UTC" in reading.log.notes[0]


@pytest.mark.parametrize("written", [0, "1970-01-01T00:00:00Z", 1_400_000_000, -5, "2014-12-31"])
def test_times_before_2015_are_refused(refusal: Callable[..., str], written: Any) -> None:
    assert refusal(at=written) == "'at' lies before 2015"


def test_times_in_the_future_are_refused_after_a_day(
    refusal: Callable[..., str], read_row: Row
) -> None:
    assert refusal(at=time.time() + 90_000) == "'at' lies more than a day in the future"
    assert refusal(at="9999-12-31T23:59:59Z") == "'at' lies more than a day in the future"
    assert read_row(at=time.time() + 80_000).at > time.time() * 1e6


@pytest.mark.parametrize("written", ["yesterday", "", "2025-13-01", [], {}, True, "12:00", "NaN"])
def test_what_is_no_time_is_refused(refusal: Callable[..., str], written: Any) -> None:
    assert refusal(at=written) == "'at' is no time: give RFC 3339 or seconds since 1970"


@pytest.mark.parametrize("written", [10**21, -(10**21), 1e300])
def test_a_number_that_no_unit_explains_is_refused(
    refusal: Callable[..., str], written: Any
) -> None:
    assert "too large for nanoseconds" in refusal(at=written)


def test_a_registration_that_cannot_be_is_unknown_and_loses_no_row(read_lines: Any) -> None:
    row = {"at": 1_763_700_000, "account": "a", "prompt": "p"}
    reading = read_lines(
        {**row, "registered_at": 0, "blocked_at": "9999-12-31"},
        {**row, "registered_at": "2019-03-01", "blocked_at": "2025-11-21T04:40:00Z"},
    )
    first, second = reading.rows
    assert (first.registered_at, first.blocked_at) == (None, None)
    assert second.registered_at == 1_551_398_400_000_000
    assert second.blocked_at == 1_763_700_000_000_000
    assert any("'blocked_at' lies before 1990 or in the future" in n for n in reading.log.notes)


@given(st.datetimes(timezones=st.just(UTC)), st.integers(-14 * 60, 14 * 60))
def test_rfc_3339_is_read_exactly_in_every_zone(moment: datetime, minutes: int) -> None:
    offset = timedelta(minutes=minutes)
    try:
        local = (moment + offset).replace(tzinfo=None)
    except OverflowError:
        return
    sign = "-" if minutes < 0 else "+"
    zone = f"{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    micros = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert read_time(local.isoformat() + zone, "at", Remarks()) == micros


@given(st.text(max_size=40) | st.integers() | st.floats() | st.booleans() | st.none())
def test_anything_else_is_a_time_or_unfit(value: Any) -> None:
    with contextlib.suppress(UnfitError):
        assert isinstance(read_time(value, "at", Remarks()), int)
