"""What an engine says when memory or disk runs out."""

from __future__ import annotations

from pathlib import Path

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stillwatch.engines import Engine, open_engine
from stillwatch.errors import SettingsError, StorageError


def distinct_pairs(engine: Engine, folder: Path) -> ibis.Table:
    """More groups than fit into the memory of the engines below."""
    number = np.arange(3_000_000)
    pq.write_table(pa.table({"i": number, "h": number * 7919}), folder / "numbers.parquet")
    return engine.read([folder / "numbers.parquet"]).group_by("i", "h").agg(n=ibis._.count())


def test_an_engine_that_may_hold_too_little_names_the_setting(tmp_path: Path) -> None:
    with open_engine("duckdb", tmp_path, memory_mb=40) as engine:
        engine._backend.raw_sql("SET temp_directory = ''")  # nowhere to spill
        with pytest.raises(StorageError, match=r"more than the 40 MB.*--memory-mb"):
            engine.collect(distinct_pairs(engine, tmp_path))


def test_a_disk_that_fills_up_while_spilling_is_named(tmp_path: Path) -> None:
    with open_engine("duckdb", tmp_path, memory_mb=40) as engine:
        engine._backend.raw_sql("SET max_temp_directory_size = '2MB'")
        with pytest.raises(StorageError, match="the disk is full"):
            engine.write(distinct_pairs(engine, tmp_path), tmp_path / "pairs.parquet")
    assert not list(tmp_path.glob("pairs*"))


def test_an_engine_that_does_not_exist_is_a_mistake_in_the_settings(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="duckdb, polars"):
        open_engine("abacus", tmp_path)
