"""Arrival laws: they are the derived figures, and times behave as the rhythm says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from stillwatch.lab.traffic.arrivals import (
    DAY,
    HOUR,
    Rhythm,
    Span,
    Turns,
    Volume,
    arrivals,
    figures,
)

WEEK = Span(4 * DAY, 11 * DAY)  # from a Monday: day 0 of 1970 was a Thursday


def times(rhythm: Rhythm, zone: float = 0.0, accounts: int = 200) -> np.ndarray:
    return np.concatenate(
        [arrivals(np.random.default_rng(i), 40, WEEK, rhythm, zone) for i in range(accounts)]
    )


@pytest.mark.parametrize("rhythm", list(Rhythm))
def test_times_ascend_and_stay_within_the_span(rhythm: Rhythm) -> None:
    found = arrivals(np.random.default_rng(1), 300, WEEK, rhythm, 5.0)
    assert found.size == 300
    assert (np.diff(found) >= 0).all()
    assert WEEK.start <= found[0]
    assert found[-1] < WEEK.end


def test_people_are_awake_in_their_own_time_zone() -> None:
    hours = (times(Rhythm.HUMAN, zone=9.0) // HOUR + 9) % 24
    by_day, by_night = (hours >= 9) & (hours < 20), (hours >= 1) & (hours < 6)
    assert by_day.mean() / 11 > 5 * by_night.mean() / 5


def test_machines_hardly_know_the_hour_and_offices_know_the_weekend() -> None:
    hours = np.bincount(times(Rhythm.MACHINE) // HOUR % 24, minlength=24)
    assert hours.max() < 2 * hours.min()
    days = np.bincount((times(Rhythm.OFFICE) - WEEK.start) // DAY, minlength=7)
    assert days[5:].mean() < 0.4 * days[:5].mean()


def test_night_jobs_run_at_night() -> None:
    hours = times(Rhythm.NIGHT) // HOUR % 24
    assert ((hours >= 20) | (hours < 8)).mean() > 0.9


def test_gaps_are_as_bursty_as_those_of_the_trace() -> None:
    found = [arrivals(np.random.default_rng(i), 400, WEEK, Rhythm.MACHINE) for i in range(150)]
    spread = [np.diff(t).std() / np.diff(t).mean() for t in found]
    low, high = (
        figures()["servegen"]["interarrival_cv"][1],
        figures()["servegen"]["interarrival_cv"][5],
    )
    assert low < np.median(spread) < high
    assert np.quantile(spread, 0.9) > 2


def test_conversations_have_the_lengths_of_the_trace() -> None:
    lengths = Turns().lengths(np.random.default_rng(1), 20_000)
    shares = np.bincount(lengths, minlength=4)[1:4] / lengths.size
    assert shares == pytest.approx(figures()["mooncake"]["turns"][:3], abs=0.01)
    assert lengths.max() <= Turns().longest


def test_a_volume_has_the_median_it_names() -> None:
    rng = np.random.default_rng(1)
    counts = [Volume(8.0, 1.2, 1_000.0).draw(rng, 10.0) for _ in range(4_000)]
    assert np.median(counts) == pytest.approx(80, rel=0.1)
    assert np.log(counts).std() == pytest.approx(1.2, abs=0.1)


def test_the_shape_of_a_day_has_mean_one_and_24_hours() -> None:
    shape = figures()["servegen"]["daily_shape"]
    assert len(shape) == 24
    assert np.mean(shape) == pytest.approx(1.0, abs=0.01)


def test_every_trace_is_cited() -> None:
    assert all(section["source"] for section in figures().values() if isinstance(section, dict))


def test_the_derivation_says_how_it_is_called() -> None:
    script = Path(__file__).parents[2] / "tools" / "derive_arrivals.py"
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "usage" in done.stderr
