"""How fast the event store is on one core, and how large its files: what docs/events.md quotes.

    python benchmarks/events.py [--rows 1000000]

Rows are worst cases: every hash, every digest of a request and every number is random, a fifth of
the hashes is popular, accounts have a heavy tail. Identity is simulated.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stillwatch.events import EventStore
from stillwatch.exchange import SCHEMA

DAY = 86_400_000_000  # microseconds
LENGTHS = {"cells": 16, "prefixes": 3, "shingles": 8, "output_shingles": 8}
UNIQUE = ("request", "content", "conversation", "end_user")
ACCOUNTS = 60_000


def exchanges(rows: int, days: int, seed: int) -> pa.RecordBatch:
    """`rows` random exchanges in order of time."""
    random = np.random.default_rng(seed)
    of_account = np.random.default_rng(1)
    account = (random.pareto(1.1, rows) * 200).astype(np.int64) % ACCOUNTS
    popular = of_account.integers(-(2**63), 2**63, 100_000)
    columns = []
    for field in SCHEMA:
        kind = field.type
        digests = of_account.integers(-(2**63), 2**63, ACCOUNTS)
        if field.name == "at":
            column = pa.array(np.sort(random.integers(0, days * DAY, rows))).cast(kind)
        elif field.name == "compared":  # as without a key of a community
            column = pa.nulls(rows, kind)
        elif pa.types.is_list(kind):
            length = LENGTHS[field.name]
            hashes = random.integers(-(2**63), 2**63, rows * length)
            common = random.random(len(hashes)) < 0.2
            hashes[common] = random.choice(popular, common.sum())
            column = pa.ListArray.from_arrays(np.arange(rows + 1, dtype=np.int32) * length, hashes)
        elif pa.types.is_dictionary(kind):
            names = pa.array([f"{field.name} {i}" for i in range(5)])
            column = pa.DictionaryArray.from_arrays((account % 5).astype(np.int32), names)
        elif field.name in UNIQUE:
            column = pa.array(random.integers(-(2**63), 2**63, rows))
        elif kind == pa.int64():
            missing = (account % 3 == 0) if field.nullable else None
            column = pa.array(digests[account], mask=missing)
        elif kind == pa.bool_():
            column = pa.array(random.random(rows) < 0.5)
        elif pa.types.is_timestamp(kind):
            column = pa.nulls(rows, kind)
        else:
            column = pa.array(random.integers(0, 400, rows)).cast(kind)
        columns.append(column)
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def measured(what: str, unit: str, amount: float, work: Callable[[], object]) -> None:
    """Print the rate of `work` by processor time of this process, and by the clock."""
    cpu, clock = time.process_time(), time.perf_counter()
    work()
    cpu, clock = time.process_time() - cpu, time.perf_counter() - clock
    print(f"{what:46s} {amount / cpu:12,.0f} {unit}/s of CPU {amount / clock:12,.0f} {unit}/s")


def encodings(batch: pa.RecordBatch, folder: Path) -> None:
    """Write the same rows under several encodings; the last is the store's."""
    batch = batch.drop_columns(["compared"])
    names = batch.schema.names
    paths = {
        n: f"{n}.list.element" if pa.types.is_list(batch.schema.field(n).type) else n for n in names
    }
    plain = [n for n in names if n in UNIQUE or n in LENGTHS]
    rest = [n for n in names if n not in plain]

    def split(of_plain: str) -> dict[str, object]:
        how = {paths[n]: of_plain if n in plain else "zstd" for n in names}
        levels = {path: 1 for path, what in how.items() if what == "zstd"}
        return {"compression": how, "compression_level": levels, "use_dictionary": rest}

    table = pa.Table.from_batches([batch])
    for what, options in (
        ("dictionaries and zstd 1 for all", {"compression": "zstd", "compression_level": 1}),
        ("dictionaries and snappy for all (the default)", {}),
        ("lists zstd 1 without dictionaries", split("zstd")),
        ("lists plain: the store's", split("NONE")),
    ):
        best = float("inf")
        for _ in range(3):
            cpu = time.process_time()
            pq.write_table(table, folder / "file", row_group_size=122_880, **options)
            best = min(best, time.process_time() - cpu)
        size = (folder / "file").stat().st_size / len(table)
        print(f"{what:46s} {len(table) / best:12,.0f} rows/s of CPU {size:9,.0f} bytes a row")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    pa.set_cpu_count(1)
    print(f"{rows:,} exchanges over 4 days, seed 7, {os.cpu_count()} cores, one used")
    batch = exchanges(rows, 4, seed=7)
    with tempfile.TemporaryDirectory() as folder:
        encodings(batch.slice(0, rows // 2), Path(folder))
        with EventStore.create(Path(folder) / "bulk", key_id="measured") as store:

            def bulk() -> None:
                with store.bulk() as writer:
                    for start in range(0, rows, 10_000):
                        writer.write(batch.slice(start, 10_000))

            measured("bulk: a whole log to Parquet", "rows", rows, bulk)
            size = sum(path.stat().st_size for path in store.parquet_files())
            print(f"{'Parquet':46s} {size / rows:12,.0f} bytes a row")
            files = [str(path) for path in store.parquet_files()]
            engine = duckdb.connect(config={"threads": 1})
            for what, query in (
                ("DuckDB: count and sum by account", "account, count(*), sum(prompt_tokens)"),
                ("DuckDB: cells, unnested and hashed", "count(DISTINCT c % 4096)"),
            ):
                source = "read_parquet($files)"
                if "c %" in query:
                    source = f"(SELECT unnest(cells) AS c FROM {source})"
                sql = f"SELECT {query} FROM {source}" + (" GROUP BY 1" if "," in query else "")
                measured(
                    what,
                    "rows",
                    rows,
                    lambda sql=sql: engine.execute(sql, {"files": files}).fetchall(),
                )
            measured("check: every byte", "rows", rows, store.check)
            one = batch["account"][0].as_py()
            measured("erase: one account of the largest", "rows", rows, lambda: store.erase([one]))
        with EventStore.create(Path(folder) / "hot", key_id="measured") as store:
            for size in (1, 10, 250, 2_000):
                times = min(200, 40_000 // size)
                measured(
                    f"append: {size} rows at a time, each synced",
                    "rows",
                    size * times,
                    lambda size=size, times=times: [
                        store.append(batch.slice(i * size, size)) for i in range(times)
                    ],
                )
            measured("roll: hot rows to Parquet", "rows", store.rows(), store.roll)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{'peak memory, the measured rows included':46s} {peak:12,.0f} MiB")


if __name__ == "__main__":
    main()
