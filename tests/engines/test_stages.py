"""Stages run once, and again only when their expression or their input changed."""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from ibis.expr.types import Table

from stillwatch.engines import Stage, open_engine, run_stages
from stillwatch.errors import SettingsError, StorageError

MONDAY, TUESDAY = dt.date(2026, 3, 2), dt.date(2026, 3, 3)


def visits(inputs: Mapping[str, Table]) -> Table:
    rows = inputs["exchanges"]
    return rows.group_by("account").agg(visits=rows.count())


def busiest(inputs: Mapping[str, Table]) -> Table:
    rows = inputs["visits"]
    return rows.group_by("account").agg(most=rows.visits.max())


STAGES = [
    Stage("visits", visits, daily=True),
    Stage("busiest", busiest, reads=("visits",)),
]


@pytest.fixture
def days(tmp_path: Path) -> dict[dt.date, list[Path]]:
    files = {}
    for day, accounts in {MONDAY: [1, 1, 2], TUESDAY: [2, 2, 2, 3]}.items():
        files[day] = [tmp_path / f"{day}.parquet"]
        pq.write_table(pa.table({"account": pa.array(accounts, pa.int64())}), files[day][0])
    return files


@pytest.mark.parametrize("engine", ["duckdb", "polars"])
def test_daily_stages_run_a_day_at_a_time_and_others_over_all_days(
    engine: str, days: dict[dt.date, list[Path]], tmp_path: Path
) -> None:
    with open_engine(engine, tmp_path / "engine") as opened:
        run = run_stages(opened, STAGES, days, tmp_path / "work")
        rows = opened.collect(run.tables["busiest"]).sort_by("account").to_pylist()
    assert rows == [
        {"account": 1, "most": 2},
        {"account": 2, "most": 3},
        {"account": 3, "most": 1},
    ]
    assert run.reused == 0


def test_a_second_run_computes_nothing(days: dict[dt.date, list[Path]], tmp_path: Path) -> None:
    with open_engine("duckdb", tmp_path / "engine") as engine:
        run_stages(engine, STAGES, days, tmp_path / "work")
        again = run_stages(engine, STAGES, days, tmp_path / "work")
    assert again.reused == 3  # two days of visits, one of busiest


def test_a_new_day_costs_that_day_only(days: dict[dt.date, list[Path]], tmp_path: Path) -> None:
    with open_engine("duckdb", tmp_path / "engine") as engine:
        run_stages(engine, STAGES, {MONDAY: days[MONDAY]}, tmp_path / "work")
        grown = run_stages(engine, STAGES, days, tmp_path / "work")
        assert grown.reused == 1
        assert engine.collect(grown.tables["busiest"]).num_rows == 3


def test_a_changed_expression_runs_again(days: dict[dt.date, list[Path]], tmp_path: Path) -> None:
    def twice(inputs: Mapping[str, Table]) -> Table:
        rows = inputs["exchanges"]
        return rows.group_by("account").agg(visits=rows.count() * 2)

    with open_engine("duckdb", tmp_path / "engine") as engine:
        run_stages(engine, STAGES, days, tmp_path / "work")
        changed = run_stages(
            engine, [Stage("visits", twice, daily=True), STAGES[1]], days, tmp_path / "work"
        )
        assert changed.reused == 0
        most = engine.collect(changed.tables["busiest"]).to_pydict()["most"]
    assert sorted(most) == [2, 4, 6]


def test_a_result_that_was_cut_short_is_not_taken_for_whole(
    days: dict[dt.date, list[Path]], tmp_path: Path
) -> None:
    def fails(inputs: Mapping[str, Table]) -> Table:
        return inputs["exchanges"].mutate(wrong=ibis.literal("x").cast("int64"))

    with (
        open_engine("duckdb", tmp_path / "engine") as engine,
        pytest.raises(Exception, match="Could not convert"),
    ):
        run_stages(engine, [Stage("broken", fails)], days, tmp_path / "work")
    assert not list((tmp_path / "work").rglob("*.parquet"))
    assert not list((tmp_path / "work").rglob("*.partial"))


def test_an_unknown_engine_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="duckdb, polars"):
        open_engine("mysql", tmp_path)


def test_a_result_that_cannot_be_written_names_the_file(
    days: dict[dt.date, list[Path]], tmp_path: Path
) -> None:
    (tmp_path / "work").write_text("a file where the folder should be")
    with open_engine("duckdb", tmp_path / "engine") as engine, pytest.raises(StorageError):
        run_stages(engine, STAGES, days, tmp_path / "work")


def test_a_tidy_run_leaves_only_what_it_used(
    days: dict[dt.date, list[Path]], tmp_path: Path
) -> None:
    with open_engine("duckdb", tmp_path / "engine") as engine:
        run_stages(engine, STAGES, days, tmp_path / "work")
        (tmp_path / "work" / "visits" / "torn.partial").touch()
        before = set((tmp_path / "work").glob("*/*"))
        run_stages(engine, STAGES, {TUESDAY: days[TUESDAY]}, tmp_path / "work", tidy=True)
        left = set((tmp_path / "work").glob("*/*"))
        again = run_stages(engine, STAGES, {TUESDAY: days[TUESDAY]}, tmp_path / "work", tidy=True)
    assert sorted(path.name.partition(".")[0] for path in left) == ["2026-03-03", "all"]
    assert len(before) == 4
    assert again.reused == 2
