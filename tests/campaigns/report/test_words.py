"""Numbers in words: short, honest at the edges, readable aloud."""

from __future__ import annotations

import datetime as dt
import math

import pytest

from stillwatch.campaigns import TrackRecord
from stillwatch.campaigns.report import words

NOON = dt.datetime(2026, 11, 3, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("rate", "said"),
    [
        (1 / 300, "About 1 in 300 honest accounts or groups looks like this"),
        (1 / 12_345, "About 1 in 12,000 honest accounts or groups looks like this"),
        (0.1, "About 1 in 10 honest accounts or groups looks like this"),
        (0.62, "About 62 in 100 honest accounts or groups look like this"),
        (1.0, "Practically every honest account or group looks like this"),
        (0.0, "None of the honest accounts or groups it was compared with looks like this"),
        (1e-9, "Fewer than 1 in a million honest accounts or groups look like this"),
        (None, "How often honest traffic looks like this has not been measured"),
        (math.nan, "How often honest traffic looks like this has not been measured"),
    ],
)
def test_a_base_rate_is_a_sentence(rate: float | None, said: str) -> None:
    assert words.base_rate(rate) == said


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [
        (0, 10, "0 %"),
        (10, 10, "100 %"),
        (9_999, 10_000, ">99 %"),
        (1, 100_000, "<0.01 %"),
        (1, 1_000, "0.1 %"),
        (23, 1_000, "2.3 %"),
        (2, 100, "2 %"),
        (1, 0, "–"),
    ],
)
def test_a_share_is_never_rounded_to_none_or_all(part: int, whole: int, said: str) -> None:
    assert words.percent(part, whole) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (22.0, "22"),
        (0.7916, "0.792"),
        (0.03, "0.03"),
        (-1.25, "−1.25"),
        (123_456.7, "123,457"),
        (1e-9, "1.0e-09"),
        (math.nan, "unknown"),
        (math.inf, "unbounded"),
    ],
)
def test_a_measured_value_has_three_digits(value: float, said: str) -> None:
    assert words.decimal(value) == said


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (dt.timedelta(seconds=3), "1 minute"),
        (dt.timedelta(minutes=90), "90 minutes"),
        (dt.timedelta(hours=47), "47 hours"),
        (dt.timedelta(hours=48), "2 days"),
        (dt.timedelta(days=90), "13 weeks"),
    ],
)
def test_a_span_of_time_is_told_in_the_unit_that_a_reader_would_choose(
    span: dt.timedelta, said: str
) -> None:
    assert words.duration(span) == said


def test_times_are_told_in_utc_whatever_their_zone() -> None:
    east = NOON.astimezone(dt.timezone(dt.timedelta(hours=9)))
    assert words.clock(east) == words.clock(NOON.replace(tzinfo=None)) == "2026-11-03 12:00"
    assert words.clock(None) == "–"


def test_a_period_names_its_day_and_year_once_where_they_are_one() -> None:
    hours, year = dt.timedelta(hours=3), dt.timedelta(days=365)
    assert words.period(NOON, NOON + hours) == "3 Nov 2026, 12:00 to 15:00 UTC"
    assert words.period(NOON, NOON + 8 * hours) == "3 Nov, 12:00 to 4 Nov 2026, 12:00 UTC"
    assert words.period(NOON, NOON + year) == "3 Nov 2026, 12:00 to 3 Nov 2027, 12:00 UTC"


def test_lists_and_counts_read_like_speech() -> None:
    assert words.listing(["a", "b", "c"]) == "a, b and c"
    assert words.listing(["a"]) == "a"
    assert words.listing([]) == ""
    assert words.plural(1, "account") == "1 account"
    assert words.plural(3, "campaign", words=True) == "three campaigns"
    assert words.plural(0, "campaign", words=True) == "no campaigns"


@pytest.mark.parametrize(
    ("upheld", "dismissed", "said"),
    [
        (29, 2, "Of 31 reviewed campaigns with this detection 29 were confirmed "
                "(94 %; 79 % to 99 % at 95 % confidence)"),
        (1, 0, "Of 1 reviewed campaign with this detection 1 was confirmed "
               "(100 %; 79 % to 99 % at 95 % confidence)"),
        (0, 0, "No campaign with this detection was decided by analysts yet"),
    ],
)  # fmt: skip
def test_what_analysts_found_is_a_sentence(upheld: int, dismissed: int, said: str) -> None:
    record = TrackRecord("echo", "*", upheld, dismissed, least=0.786, most=0.992)
    assert words.track_record(record) == said
    assert words.track_record(None) == "No campaign with this detection was decided by analysts yet"
