"""The ledger: appends, durable and in batches, proofs, verification; beside SQLite and pymerkle.

Run: python -m benchmarks.ledger [--entries 1000000] [--folder DIR]

Prints docs/benchmarks/ledger.md. Rates are wall clock, for a disk is waited for; processor time
stands beside it, for a machine may be shared. "SQLite alone" writes rows of the same size into a
table of the same shape, with the same `synchronous = FULL`: the least that any ledger in SQLite
costs. Raw fsyncs are appends of 4 KiB to a file, each with an fsync.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import random
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from msgspec import structs

from stillwatch.ledger import Entry, Ledger
from stillwatch.ledger.merkle import leaf_hash

BATCH = 1_000
SINGLES = 300
PROOFS = 200


class Spent(NamedTuple):
    """Seconds on the clock and of the processor."""

    wall: float
    cpu: float

    def rate(self, times: int) -> str:
        return f"{times / self.wall:,.0f} ({times / self.cpu:,.0f})"


def measured(work: Callable[[], object]) -> Spent:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Spent(time.perf_counter() - wall, time.process_time() - cpu)


def entry(number: int) -> Entry:
    """A verdict of the size that one has: about 300 bytes."""
    return Entry(
        kind="verdict",
        at="2026-11-22T10:00:00Z",
        by="ana",
        body={
            "account": f"c1-{number:064x}", "case": f"case-{number}", "verdict": "distillation",
            "families": ["content", "purpose", "time"], "score": 0.25 + number / 7, "open": False,
        },
    )  # fmt: skip


def batches(entries: int) -> Iterator[list[Entry]]:
    for first in range(0, entries, BATCH):
        yield [entry(number) for number in range(first, min(first + BATCH, entries))]


@contextmanager
def plain(folder: Path, name: str) -> Iterator[sqlite3.Connection]:
    """A table like that of the ledger, in a file of its own."""
    db = sqlite3.connect(folder / name, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("CREATE TABLE entry (number INTEGER PRIMARY KEY, leaf BLOB, entry BLOB) STRICT")
    try:
        yield db
    finally:
        db.close()


def fill_ledger(ledger: Ledger, entries: int) -> Spent:
    """Appends in batches; making the entries is not counted."""
    wall = cpu = 0.0
    for batch in batches(entries):
        spent = measured(lambda: ledger.append(batch))  # noqa: B023 - called at once
        wall, cpu = wall + spent.wall, cpu + spent.cpu
    return Spent(wall, cpu)


def fill_plain(db: sqlite3.Connection, entries: int) -> Spent:
    wall = cpu = 0.0
    for number, batch in enumerate(batches(entries)):
        bodies = [each.encoded() for each in batch]
        rows = [(number * BATCH + i, bytes(32), body) for i, body in enumerate(bodies)]

        def write() -> None:
            db.execute("BEGIN IMMEDIATE")
            db.executemany("INSERT INTO entry VALUES (?, ?, ?)", rows)  # noqa: B023
            db.execute("COMMIT")

        spent = measured(write)
        wall, cpu = wall + spent.wall, cpu + spent.cpu
    return Spent(wall, cpu)


def singles(work: Callable[[int], object]) -> Spent:
    def all_of_them() -> None:
        for number in range(SINGLES):
            work(number)

    return measured(all_of_them)


def fsyncs(folder: Path) -> Spent:
    descriptor = os.open(folder / "raw", os.O_CREAT | os.O_WRONLY)

    def write(_: int) -> None:
        os.write(descriptor, bytes(4096))
        os.fsync(descriptor)

    try:
        return singles(write)
    finally:
        os.close(descriptor)


def milliseconds(work: Callable[[int], object], most: int) -> str:
    """Calls with random numbers below `most`: median, 99th percentile, mean of processor time."""
    draw, calls = random.Random(1), []
    for _ in range(PROOFS):
        number = draw.randrange(most)
        calls.append(measured(lambda: work(number)))  # noqa: B023 - called at once
    wall = sorted(spent.wall * 1e3 for spent in calls)
    cpu = statistics.mean(spent.cpu * 1e3 for spent in calls)
    return f"{statistics.median(wall):.2f}, {wall[int(0.99 * len(wall))]:.2f} ({cpu:.2f})"


def peer(folder: Path, entries: int) -> list[str]:
    """The same of pymerkle's tree in SQLite: its own commits, no signatures, no canonical form."""
    import pymerkle

    bodies = [entry(number).encoded() for number in range(entries)]
    tree = pymerkle.SqliteTree(str(folder / "peer.db"), algorithm="sha256")
    batch = measured(lambda: tree.append_entries(bodies))
    single = singles(lambda number: tree.append_entry(bodies[number % entries]))
    size = tree.get_size()
    proof = milliseconds(lambda number: tree.prove_inclusion(number + 1, size), size)
    tree.close()
    return [batch.rate(entries), single.rate(SINGLES), proof]


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--entries", type=int, default=1_000_000)
    words.add_argument("--peer-entries", type=int, default=100_000)
    words.add_argument("--folder", type=Path, help="on the disk to measure; default the temporary")
    options = words.parse_args()
    folder = Path(tempfile.mkdtemp(dir=options.folder))
    try:
        run(folder, options.entries, options.peer_entries)
    finally:
        shutil.rmtree(folder)


def run(folder: Path, entries: int, peer_entries: int) -> None:
    load = os.getloadavg()[0]
    with Ledger.open(folder / "state", create=True) as ledger, plain(folder, "plain.db") as db:
        batch, batch_plain = fill_ledger(ledger, entries), fill_plain(db, entries)
        single = singles(lambda number: ledger.append([entry(number)]))
        body = entry(0).encoded()
        single_plain = singles(
            lambda number: db.execute(
                "INSERT INTO entry VALUES (?, ?, ?)", (entries + number, bytes(32), body)
            )
        )
        raw = fsyncs(folder)
        head = ledger.head()
        later = measured(ledger.head)
        inclusion = milliseconds(lambda number: ledger.prove(number, head), entries)
        consistency = milliseconds(
            lambda number: ledger.prove_since(structs.replace(head, size=number + 1), head), entries
        )
        proof = ledger.prove(entries // 2, head)
        held = ledger.raw(entries // 2)
        offline = milliseconds(lambda _: (head.check(), proof.check(held, head)), 1)
        verify = measured(lambda: ledger.check([head]))
        hashing = measured(lambda: [leaf_hash(body) for _ in range(entries)])
    size = (folder / "state" / "ledger.db").stat().st_size
    theirs = peer(folder, peer_entries) if importlib.util.find_spec("pymerkle") else None
    print(
        f"Machine: {os.cpu_count()} cores ({platform.machine()}), Python "
        f"{platform.python_version()}, SQLite {sqlite3.sqlite_version}; load {load:.1f} at the "
        f"start. {entries:,} entries of {len(body)} bytes, {size / entries:,.0f} on disk each.\n"
    )
    table("appends a second on the clock (a second of processor time)", {
        f"batches of {BATCH:,}, an fsync each": batch.rate(entries),
        "… SQLite alone, its rows made before": batch_plain.rate(entries),
        "… on the clock the ledger takes": f"{batch.wall / batch_plain.wall:.1f} times as long",
        "one by one, an fsync each": single.rate(SINGLES),
        "… SQLite alone": single_plain.rate(SINGLES),
        "… on the clock the ledger takes that": f"{single.wall / single_plain.wall:.2f} times",
        "raw fsyncs of 4 KiB": raw.rate(SINGLES),
    })  # fmt: skip
    table(f"proofs at {entries:,} entries, ms: median, 99th percentile (mean of processor time)", {
        "inclusion, made": inclusion,
        "consistency with a random earlier size, made": consistency,
        "a head and an inclusion proof, checked without the ledger": offline,
        "a head, signed and on the disk, once": f"{later.wall * 1e3:.1f}",
    })  # fmt: skip
    table("verification of the whole ledger, seconds on the clock (processor)", {
        f"{entries:,} entries": f"{verify.wall:.2f} ({verify.cpu:.2f})",
        "… SHA-256 of as many entries, nothing else": f"{hashing.wall:.2f} ({hashing.cpu:.2f})",
    })  # fmt: skip
    if theirs is not None:
        table(f"pymerkle's SqliteTree, {peer_entries:,} of the same entries, in the same run", {
            "appends a second, all in one call": theirs[0],
            "appends a second, one by one": theirs[1],
            "inclusion proof, ms: median, 99th percentile (mean of processor time)": theirs[2],
        })  # fmt: skip


def table(heading: str, rows: dict[str, str]) -> None:
    print(f"| {heading} | |\n|---|---|")
    for name, value in rows.items():
        print(f"| {name} | {value} |")
    print()


if __name__ == "__main__":
    main()
