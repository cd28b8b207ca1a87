#!/usr/bin/env python3
"""How long a scan of many exchanges takes, in what memory, and what state it rests on.

    python benchmarks/scan_scale.py --traffic FILE… [--exchanges 5000000 20000000] [--work DIR]

The rows come from the real sketcher, run over native logs (`stillwatch simulate`). They are then
multiplied: each copy gets accounts, contents and cells of its own, except the cells that several
accounts share in the original, so that templates, tools and campaigns are shared by as many more
accounts and nothing else is. Volumes keep their heavy tail. Reading and sketching are not part of
the figure (benchmarks/sketching.py, benchmarks/reading.py); everything after is.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stillwatch.campaigns.finding import find_campaigns, sampling_for
from stillwatch.campaigns.progress import Silent
from stillwatch.campaigns.reading import AccountNames
from stillwatch.detections import load_detections
from stillwatch.engines import open_engine
from stillwatch.events import EventStore
from stillwatch.sketches import Sketcher, SketchKey
from stillwatch.sources import open_log

ACCOUNTS = 60_000
IDENTITIES = ["account", "org", "payment", "device", "ip", "email_domain", "end_user", "key"]
DAY = 86_400_000_000
#: bytes of a column, uncompressed
WIDTHS = {"BOOLEAN": 1, "INTEGER": 4, "FLOAT": 4, "DATE": 4, "VARCHAR": 4}
#: stages that are computed from others and could be dropped each day
DERIVED = ("cell_spread", "returned", "shared")


def mix(values: np.ndarray, salt: int) -> np.ndarray:
    """A permutation of 64-bit integers that depends on `salt` (splitmix64)."""
    x = values.astype(np.uint64) + np.uint64((salt * 0x9E3779B97F4A7C15 + 1) & (2**64 - 1))
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (x ^ (x >> np.uint64(31))).astype(np.int64)


class Multiplied:
    """Copies of a base of real sketches."""

    def __init__(self, base: pa.Table) -> None:
        self._base = base.combine_chunks()
        self.rows = base.num_rows
        accounts = np.unique(base["account"].to_numpy())
        self.groups = max(1, ACCOUNTS // len(accounts))
        cells = self._list("cells")
        owner = np.repeat(self._base["account"].to_numpy(), self._lengths("cells"))
        order = np.argsort(cells, kind="stable")
        edges = np.flatnonzero(np.diff(cells[order])) + 1
        starts = np.concatenate([[0], edges])
        least = np.minimum.reduceat(owner[order], starts)
        most = np.maximum.reduceat(owner[order], starts)
        self._shared = np.sort(cells[order][starts][least != most])
        at = np.minimum(np.searchsorted(self._shared, cells), len(self._shared) - 1)
        self._is_shared = self._shared[at] == cells
        texts = len(np.unique(base["content"].to_numpy()))
        print(
            f"base: {self.rows:,} sketched rows, {texts:,} distinct prompts, {len(accounts):,} "
            f"accounts; {self._is_shared.mean():.1%} of cell uses are of cells that accounts share"
        )

    def _list(self, name: str) -> np.ndarray:
        return self._base[name].combine_chunks().flatten().to_numpy()

    def _lengths(self, name: str) -> np.ndarray:
        return pc.fill_null(pc.list_value_length(self._base[name]), 0).to_numpy()

    def copy(self, number: int, days: int) -> pa.RecordBatch:
        """Copy `number`: new contents, one of the account groups, another pair of days."""
        group = number % self.groups
        columns = {name: self._base[name] for name in self._base.column_names}
        for name in IDENTITIES:
            values = columns[name].combine_chunks()
            mixed = mix(pc.fill_null(values, 0).to_numpy(), group)
            columns[name] = pa.array(mixed, mask=values.is_null().to_numpy(False))
        for name in ("request", "content"):
            columns[name] = pa.array(mix(columns[name].to_numpy(), number + 1))
        cells = self._list("cells")
        cells = np.where(self._is_shared, cells, mix(cells, number + 1))
        columns["cells"] = self._replaced("cells", cells)
        for name in ("shingles", "output_shingles", "prefixes"):
            columns[name] = self._replaced(name, mix(self._list(name), number + 1))
        shift = (number // self.groups) % max(1, days // 2) * 2 * DAY
        at = pc.add(columns["at"].cast(pa.int64()), shift)
        columns["at"] = at.cast(self._base.schema.field("at").type)
        table = pa.table(columns, schema=self._base.schema)
        return table.combine_chunks().to_batches()[0]

    def _replaced(self, name: str, values: np.ndarray) -> pa.Array:
        column = self._base[name].combine_chunks()
        lengths = self._lengths(name)
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
        nulls = column.is_null()
        mask = nulls if nulls.true_count else None
        return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values), mask=mask)


def sketched(files: list[Path], key: SketchKey) -> pa.Table:
    """The rows of native logs, through the real sketcher."""
    sketcher = Sketcher(key)
    batches = [sketcher.sketch(b.rows) for f in files for b in open_log([f]).batches(16_384)]
    return pa.Table.from_batches(batches).unify_dictionaries()


def build(base: Multiplied, exchanges: int, store: Path, days: int) -> None:
    """An event store of about `exchanges` rows."""
    with EventStore.create(store, key_id="benchmark") as events, events.bulk() as writer:
        for number in range(max(1, round(exchanges / base.rows))):
            writer.write(base.copy(number, days))


def measure(store: Path, work: Path) -> None:
    """Scan an event store in this process and print what it took (run in a fresh process)."""
    started, worked = time.perf_counter(), time.process_time()
    with EventStore.open(store) as events, open_engine("duckdb", work, memory_mb=4_000) as engine:
        rows = events.rows()
        loaded = time.perf_counter()
        names = AccountNames(pseudonymous=True)
        accounts = engine.read(events.parquet_files()).select("account").distinct()
        digests = np.sort(engine.collect(accounts)["account"].to_numpy())
        names.add(digests, [""] * len(digests))
        found = find_campaigns(
            engine, events, load_detections(), names, lambda _: {}, work / "stages", Silent()
        )
        seconds = time.perf_counter() - started
        worked = time.process_time() - worked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"{rows:>12,} exchanges {len(digests):>8,} accounts: {seconds:7.1f} s ({worked:.0f} s of"
        f" CPU), peak {peak:5.2f} GB,"
        f" {len(found.detected.judged)} groups judged, {len(found.campaigns)} campaigns, "
        f"cells thinned by {sampling_for(rows)} (opening {loaded - started:.1f} s)"
    )
    _print_state(work / "stages")
    for name, spent in sorted(found.detected.seconds.items(), key=lambda pair: -pair[1])[:12]:
        print(f"{'':>14}{spent:6.1f} s  {name}")


def _print_state(stages: Path) -> None:
    """Bytes that the stages keep for each account and day, by the width of their columns.

    An account's own digest counts once; stages that are computed from other stages do not count.
    """
    con = duckdb.connect()
    parts = []
    for folder in sorted(stages.iterdir()):
        files = f"read_parquet('{folder}/*.parquet')"
        kinds = {r[0]: r[1] for r in con.sql(f"describe from {files}").fetchall()}
        if "account" in kinds and not folder.name.startswith(DERIVED):
            width = sum(WIDTHS.get(kind, 8) for name, kind in kinds.items() if name != "account")
            parts.append(f"select account, count(*) * {width} as bytes from {files} group by 1")
    query = f"""
        with days as (select account, count(*) as days, sum(exchanges) as exchanges
                      from read_parquet('{stages}/account_days/*.parquet') group by 1),
             kept as (select account, sum(bytes) as bytes from ({" union all ".join(parts)})
                      group by 1)
        select 8 + bytes / days as size, least(300 + 120 * exchanges / days, 4000) as allowed
        from kept join days using (account)"""
    (row,) = con.sql(
        f"select median(size), quantile_cont(size, 0.99), max(size), avg((size <= allowed)::int)"
        f" from ({query})"
    ).fetchall()
    print(
        f"{'':>14}state an account-day: p50 {row[0]:,.0f} B, p99 {row[1]:,.0f} B, max "
        f"{row[2]:,.0f} B; within 300 B + 120 B an exchange, at most 4 kB: {row[3]:.1%}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--traffic", type=Path, nargs="+", help="native logs to multiply")
    parser.add_argument("--exchanges", type=int, nargs="+", default=[5_000_000, 20_000_000])
    parser.add_argument("--days", type=int, default=14)
    parser.add_argument("--work", type=Path, help="folder with room for 20 GB")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure, options.work)
        return
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores")
    root = Path(tempfile.mkdtemp(dir=options.work))
    try:
        base = Multiplied(sketched(options.traffic, SketchKey(bytes(range(32)))))
        for exchanges in options.exchanges:
            started = time.perf_counter()
            store = root / f"events-{exchanges}"
            build(base, exchanges, store, options.days)
            size = sum(path.stat().st_size for path in store.rglob("*") if path.is_file())
            spent = time.perf_counter() - started
            print(f"built in {spent:.0f} s, {size / 1e9:.2f} GB", flush=True)
            work = root / f"work-{exchanges}"
            subprocess.run(
                [sys.executable, __file__, "--measure", store, "--work", work], check=True
            )
            shutil.rmtree(store)
            shutil.rmtree(work)
    finally:
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    main()
