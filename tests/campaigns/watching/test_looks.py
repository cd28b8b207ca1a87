"""Looks go by the time of the exchanges: which look a row counts in, what leaves the window."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from stillwatch.campaigns.watching import WatchOptions, watch
from stillwatch.campaigns.watching.schedule import Schedule
from stillwatch.errors import SettingsError
from tests.campaigns.watching.standin import (
    DAY,
    HOUR,
    KEY,
    START,
    answers,
    row,
    run,
    write,
)

pytestmark = pytest.mark.usefixtures("quick")


def rejects(state: Path) -> list[tuple[int, str]]:
    entries = map(json.loads, (state / "rejects.jsonl").read_text("utf-8").splitlines())
    return [(each["line"], each["reason"]) for each in entries]


def test_a_look_covers_what_came_before_its_boundary_and_was_in_none_before(
    tmp_path: Path,
) -> None:
    log = write(tmp_path / "log.jsonl", *[row(h, f"a-{h}") for h in (0.2, 0.9, 1.0, 1.5, 5.1)])
    looks = run(log, tmp_path / "state")
    assert [(look.boundary - START) // HOUR for look in looks] == [1, 2, 6]
    assert [look.fresh for look in looks] == [2, 2, 1]
    assert [look.rows for look in looks] == [2, 4, 5]


def test_a_late_row_counts_in_the_look_that_is_open(tmp_path: Path) -> None:
    """Up to the grace it is in time; after it, it belongs to the next look."""
    rows = [row(0.5, "a"), row(1.05, "b"), row(0.6, "in time"), row(1.2, "c"), row(0.7, "late")]
    log = write(tmp_path / "log.jsonl", *rows)
    looks = run(log, tmp_path / "state", grace=HOUR // 10)
    assert [look.fresh for look in looks] == [2, 3]


def test_a_time_ahead_of_the_clock_closes_nothing(tmp_path: Path) -> None:
    log = write(tmp_path / "log.jsonl", row(0.5, "a"), row(20, "fast clock"), row(0.6, "b"))
    made: list[tuple[int, int]] = []
    for hours in (0.9, 1, 20, 21):
        watch(
            WatchOptions([log], tmp_path / "state", once=True, key=KEY, grace=0),
            clock=lambda hours=hours: START + int(hours * HOUR),  # type: ignore[misc]
            seen=lambda look: made.append(((look.boundary - START) // HOUR, look.fresh)),
        )
    assert made == [(1, 2), (21, 1)]


def test_a_row_older_than_the_window_is_rejected_with_its_line(tmp_path: Path) -> None:
    rows = [row(0.5, "a"), row(24 * 20, "b"), row(1, "old")]
    run(write(tmp_path / "log.jsonl", *rows), tmp_path / "state")
    assert rejects(tmp_path / "state") == [(3, "is older than the 14 days that are watched")]


def test_a_repeated_request_id_is_rejected_across_runs(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    write(log, row(0.5, "a", request_id="x"))
    run(log, tmp_path / "state")
    second = write(tmp_path / "more.jsonl", row(1.5, "a", request_id="x"), row(1.6, "a"))
    with log.open("ab") as file:
        file.write(second.read_bytes())
    looks = run(log, tmp_path / "state")
    assert [look.fresh for look in looks] == [1]
    assert rejects(tmp_path / "state") == [
        (2, "the request id was met before; the first row with it is kept")
    ]


def test_days_that_left_the_window_are_deleted_with_their_names(tmp_path: Path) -> None:
    log = write(tmp_path / "log.jsonl", row(1, "gone"), row(24, "kept"), row(24 * 3 - 1, "new"))
    looks = run(log, tmp_path / "state", window=2 * DAY)
    assert [look.rows for look in looks] == [1, 2, 2]
    kept = answers(tmp_path / "state")
    assert len(kept["days"]) == 2
    assert {name for _, name in kept["rows"]["account"]} == {"kept", "new"}


def test_an_idle_watch_deletes_what_has_left_the_window(tmp_path: Path) -> None:
    log = write(tmp_path / "log.jsonl", row(1, "a"))
    for passed, kept in ((0, 1), (DAY, 1), (16 * DAY, 0)):
        options = WatchOptions([log], tmp_path / "state", once=True, key=KEY)
        now = START + 3 * HOUR + passed
        watch(options, clock=lambda now=now: now)  # type: ignore[misc]
        assert len(answers(tmp_path / "state")["days"]) == kept


def test_once_makes_only_looks_that_are_complete(tmp_path: Path) -> None:
    log = write(tmp_path / "log.jsonl", row(0.5, "a"), row(1.5, "b"))
    made: list[int] = []

    def once(hours: float) -> None:
        options = WatchOptions([log], tmp_path / "state", once=True, key=KEY, grace=HOUR // 4)
        made.append(0)
        watch(
            options,
            clock=lambda: START + int(hours * HOUR),
            seen=lambda look: made.append((look.boundary - START) // HOUR),
        )

    once(1.6)  # the newest row has passed 1:00 and its grace
    once(2.2)
    once(2.3)  # and the clock 2:00
    assert made == [0, 1, 0, 0, 2]


@pytest.mark.slow
def test_a_replay_in_pieces_says_what_a_replay_in_one_says(tmp_path: Path) -> None:
    rows = [row(n / 3, f"crew-{n % 3}-{n % 10}") for n in range(60)]
    run(write(tmp_path / "log.jsonl", *rows), tmp_path / "whole")
    whole = (tmp_path / "log.jsonl").read_bytes()
    ends = [0, *(n + 1 for n, sign in enumerate(whole) if sign == 10)]
    for end in (ends[7], ends[30], ends[-1]):  # the clock closes the last look of each piece
        (tmp_path / "log.jsonl").write_bytes(whole[:end])
        run(tmp_path / "log.jsonl", tmp_path / "pieces")
    one, other = (json.loads((tmp_path / each / "campaigns.json").read_text())
                  for each in ("whole", "pieces"))  # fmt: skip
    assert one["source"] == other["source"]
    assert [c["accounts"] for c in one["campaigns"]] == [c["accounts"] for c in other["campaigns"]]
    assert answers(tmp_path / "whole")["exchanges"] == answers(tmp_path / "pieces")["exchanges"]


def test_steps_of_a_day_and_of_minutes_cover_the_same(tmp_path: Path) -> None:
    rows = [row(n / 3, f"crew-{n % 3}-{n % 10}") for n in range(100)]
    log = write(tmp_path / "log.parquet", *rows)
    for every in (DAY, 12 * HOUR, 6 * HOUR):
        run(log, tmp_path / str(every), every=every)
    found = [(tmp_path / str(e) / "campaigns.json").read_text() for e in (DAY, 6 * HOUR)]
    accounts = [[c["accounts"] for c in json.loads(each)["campaigns"]] for each in found]
    assert accounts[0] == accounts[1]


def test_small_parts_of_a_day_are_written_together(tmp_path: Path) -> None:
    log = write(tmp_path / "log.jsonl", *[row(n / 2, "a") for n in range(40)])
    run(log, tmp_path / "state")
    assert len(list((tmp_path / "state" / "events" / "days").rglob("*.parquet"))) < 9


@pytest.mark.parametrize(
    ("every", "window"), [(1, DAY), (HOUR, HOUR), (HOUR, DAY + 1), (2 * DAY, DAY)]
)
def test_times_that_make_no_sense_are_refused(tmp_path: Path, every: int, window: int) -> None:
    with pytest.raises(SettingsError):
        WatchOptions([tmp_path], tmp_path, every=every, window=window)


def test_the_look_of_a_row_depends_on_the_rows_before_it_only() -> None:
    schedule = Schedule(10, 100, 3)
    at = np.array([5, 12, 13, 8, 40, 12])
    newest = np.maximum.accumulate(at)
    whole = schedule.looks(at, newest, 0).tolist()
    assert whole == [10, 20, 20, 20, 50, 40]
    parts = [schedule.looks(at[i : i + 1], newest[i : i + 1], 0).tolist() for i in range(6)]
    assert whole == [each for part in parts for each in part]
