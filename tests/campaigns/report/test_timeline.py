"""The timeline: every exchange in one bar, round ticks, whatever the length."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stillwatch.campaigns.report.timeline import FEWEST, ROWS, TICKS, timeline

START = dt.datetime(2026, 11, 3, 5, tzinfo=dt.UTC)
BARS = 96
HOUR = dt.timedelta(hours=1)
PAIRS = st.tuples(st.integers(0, 900), st.integers(0, 900))


def steady(hours: int) -> dict[dt.datetime, tuple[int, int]]:
    return {START + i * HOUR: (3, 1) for i in range(hours)}


@pytest.mark.parametrize(
    ("hours", "step"),
    [(2, "1 hour"), (48, "1 hour"), (168, "2 hours"), (24 * 14, "4 hours"), (24 * 92, "1 day")],
)
def test_a_bar_is_a_round_span_of_time(hours: int, step: str) -> None:
    drawn = timeline(steady(hours), BARS)
    assert drawn is not None
    assert drawn.step == step


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.integers(0, 24 * 800), PAIRS, min_size=1, max_size=60))
def test_every_exchange_is_in_one_bar_and_in_one_row(hours: dict[int, tuple[int, int]]) -> None:
    drawn = timeline({START + i * HOUR: pair for i, pair in hours.items()}, BARS)
    assert drawn is not None
    for parts in (drawn.bars, drawn.rows):
        assert sum(part.marked for part in parts) == sum(pair[0] for pair in hours.values())
        assert sum(part.others for part in parts) == sum(pair[1] for pair in hours.values())
    assert FEWEST <= len(drawn.bars) <= BARS
    assert len(drawn.rows) <= ROWS
    assert len(drawn.across) <= TICKS
    assert all(0 <= tick.at <= 100 for tick in (*drawn.across, *drawn.up))


def test_no_bar_is_higher_than_the_axis() -> None:
    drawn = timeline({START: (130, 40), START + HOUR: (7, 0)}, BARS)
    assert drawn is not None
    assert drawn.up[-1].label == "200"
    found = re.findall(r" (\d+)v(-\d+)", drawn.marked + drawn.others)
    tops = [int(base) + int(height) for base, height in found]
    assert min(tops) == pytest.approx(1000 - 1000 * 170 / 200, abs=2)


def test_two_hours_stand_among_empty_ones() -> None:
    drawn = timeline(steady(2), BARS)
    assert drawn is not None
    assert [bar.marked for bar in drawn.bars] == [0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0]


def test_hours_are_ticked_with_their_day() -> None:
    drawn = timeline(steady(48), BARS)
    assert drawn is not None
    assert [(tick.label, tick.below) for tick in drawn.across][:4] == [
        ("06:00", "3 Nov"),
        ("12:00", ""),
        ("18:00", ""),
        ("00:00", "4 Nov"),
    ]


def test_months_are_ticked_with_their_year() -> None:
    drawn = timeline(steady(24 * 150), BARS)
    assert drawn is not None
    assert [(tick.label, tick.below) for tick in drawn.across] == [
        ("1 Dec", "2026"),
        ("1 Jan", "2027"),
        ("1 Feb", ""),
        ("1 Mar", ""),
        ("1 Apr", ""),
    ]


def test_bars_of_days_begin_at_midnight_utc() -> None:
    tokyo = dt.timezone(dt.timedelta(hours=9))
    drawn = timeline({hour.astimezone(tokyo): pair for hour, pair in steady(24 * 92).items()}, BARS)
    assert drawn is not None
    assert (drawn.bars[0].label, drawn.bars[0].marked) == ("3 Nov 2026", 19 * 3)


def test_fewer_bars_are_longer_ones() -> None:
    drawn = timeline(steady(48), 24)
    assert drawn is not None
    assert (drawn.step, len(drawn.bars)) == ("3 hours", 17)


def test_nothing_counted_is_nothing_drawn() -> None:
    assert timeline({}, BARS) is None
