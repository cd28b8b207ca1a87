#!/usr/bin/env python3
"""How long an hourly look of `stillwatch watch` takes, step by step, and how fast it reads.

    python benchmarks/watching.py --traffic FILE --labels FILE [--earlier 3000000] [--work DIR]

The state holds real sketches of native logs (`stillwatch simulate`), multiplied as
benchmarks/scan_scale.py does it, over the days before; their look is made first, and shows what a
first look costs. Then fresh exchanges of one hour arrive, and the look over them is measured:
what was read already is in the state, so reading and sketching are a figure of their own.
The campaigns of the traffic are not multiplied: they come once, half of them fresh.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import scan_scale
from scan_scale import DAY, Multiplied, mix, sketched

from stillwatch.campaigns.promise import ALPHA
from stillwatch.campaigns.watching import waiting
from stillwatch.campaigns.watching.folder import Folder, open_folder
from stillwatch.campaigns.watching.intake import Intake
from stillwatch.campaigns.watching.look import Looks
from stillwatch.campaigns.watching.schedule import Schedule
from stillwatch.campaigns.watching.state import Taken
from stillwatch.detections import load_detections
from stillwatch.sketches import SketchKey
from stillwatch.sources import Follower, NativeWriter, open_log

HOUR = 3_600_000_000
SCHEDULE = Schedule(HOUR, 14 * DAY, 300_000_000)
KEY = SketchKey(bytes(range(32)))


class Arriving:
    """Puts copies of `base` into the waiting room of a state, as reading would."""

    def __init__(self, folder: Folder, base: Multiplied) -> None:
        self._folder, self._base = folder, base
        self._copies = 0

    def arrive(self, exchanges: int, once: pa.Table, begin: int, end: int, boundary: int) -> None:
        """`exchanges` and `once` from `begin` to before `end` (µs since 1970), for one look."""
        copies = [*once.combine_chunks().to_batches()]
        while exchanges > 0:
            copies.append(self._base.copy(self._copies + len(copies), 2).slice(0, exchanges))
            exchanges -= len(copies[-1])
        for copy in copies:
            self._copies += 1
            spread = mix(copy["request"].to_numpy(), 7).astype(np.uint64) % np.uint64(end - begin)
            at = pa.array(begin + spread.astype(np.int64)).cast(copy.schema.field("at").type)
            columns = [at, *copy.columns[1:]]
            batch = pa.RecordBatch.from_arrays(columns, schema=copy.schema)
            looks = np.full(len(batch), boundary)
            kept = waiting.keep(self._folder.waiting, self._copies, batch, looks)
            accounts = np.unique(batch["account"].to_numpy()).tolist()
            names = [(account, f"account-{account:x}") for account in accounts]
            self._folder.state.took(
                Taken(
                    places={}, waiting=kept, names=names, notes=[], format="native", newest=end,
                    read_at=end, rejected=0, rejects=0,
                )
            )  # fmt: skip


def reading(traffic: Path, work: Path) -> None:
    """Read a JSON Lines log into a fresh state, and nothing else."""
    log, rows = work / "log.jsonl", 0
    with NativeWriter(log) as writer:
        for batch in open_log([traffic]).batches():
            writer.write(batch.rows)
    with open_folder(work / "reading", KEY, pseudonymous=False) as folder:
        started, worked = time.perf_counter(), time.process_time()
        for step in Intake(folder, Follower([log], {}), SCHEDULE).read(2**60):
            rows += step
        seconds, worked = time.perf_counter() - started, time.process_time() - worked
    print(
        f"reading and sketching {rows:,} rows of JSON into the state: {seconds:.1f} s "
        f"({worked:.1f} s of CPU), {rows / seconds:,.0f} rows/s"
    )


def show(name: str, looks: Looks, boundary: int) -> None:
    worked = time.process_time()
    look = looks.look(boundary)
    worked = time.process_time() - worked
    steps = {step: spent for step, spent in look.seconds.items() if not step.startswith(" ")}
    print(
        f"{name}: {look.fresh:,} fresh of {look.rows:,} exchanges: {sum(steps.values()):.1f} s "
        f"({worked:.1f} s of CPU), {look.campaigns} campaigns"
    )
    for step, spent in steps.items():
        print(f"{spent:>10.1f} s  {step}")
    parts = [pair for pair in look.seconds.items() if pair[0].startswith(" ")]
    for step, spent in sorted(parts, key=lambda pair: -pair[1])[:14]:
        print(f"{'':>12}{spent:6.1f} s  {step.strip()}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--traffic", type=Path, required=True, help="a native log")
    parser.add_argument("--labels", type=Path, required=True, help="what simulate says of it")
    parser.add_argument("--fresh", type=int, default=1_000_000)
    parser.add_argument("--earlier", type=int, default=3_000_000)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--days", type=int, default=13, help="over which the earlier ones lie")
    parser.add_argument("--work", type=Path, help="folder with room for 10 GB")
    options = parser.parse_args()
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores")
    root = Path(tempfile.mkdtemp(dir=options.work))
    try:
        reading(options.traffic, root)
        scan_scale.ACCOUNTS = options.accounts
        rows = sketched([options.traffic], KEY)
        labels = pq.read_table(options.labels, columns=["request_id", "attack"])
        ids = labels.filter(labels["attack"])["request_id"].to_pylist()
        digests = pa.array([KEY.digest("request", each) for each in ids])
        attack = pc.is_in(rows["request"], value_set=digests)
        work, base = rows.filter(attack), Multiplied(rows.filter(pc.invert(attack)))
        half = len(work) // 2
        print(f"{len(work):,} exchanges belong to campaigns")
        today = 20_000 * DAY
        with open_folder(root / "state", KEY, pseudonymous=False) as folder:
            arriving = Arriving(folder, base)
            looks = Looks(
                folder,
                SCHEDULE,
                load_detections(),
                sources=[],
                engine="duckdb",
                memory_mb=4_000,
                fdr=ALPHA,
            )
            boundary = today + 12 * HOUR
            begin = today - options.days * DAY
            arriving.arrive(options.earlier, work.slice(0, half), begin, boundary, boundary)
            show("the first look", looks, boundary)
            end = boundary + HOUR
            arriving.arrive(options.fresh, work.slice(half), boundary, end, end)
            accounts = len(folder.state.names()[0])
            print(f"{accounts:,} accounts in the state")
            show("the next look", looks, end)
            print(f"state: {_size(folder.path) / 1e9:.2f} GB", end="; ")
        print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
