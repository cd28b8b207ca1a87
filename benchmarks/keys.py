"""What 100,000 keys cost a process that follows the store: what docs/keys.md quotes.

    python benchmarks/keys.py [--keys 100000]

Every key has an account, a name and times of its own; half have an org that ten share, a tenth
belong to clusters. Resident memory is that of a fresh process, read from /proc.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
import timeit
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from stillwatch.access.database import open_database
from stillwatch.access.following import Follower
from stillwatch.access.keys import KeyStore


def write(state: Path, count: int) -> None:
    """Import `count` keys; the secret of key i is ``secret-i``."""
    shape = random.Random(1)
    lines = state / "keys.jsonl"
    with lines.open("w") as out:
        for i in range(count):
            key = {
                "sha256": sha256(f"secret-{i}".encode()).hexdigest(),
                "account": f"acct-{i:08d}",
                "org": f"org-{i // 10}" if i % 20 < 10 else None,
                "cluster": f"cluster-{i // 50}" if i % 10 == 0 else None,
                "tier": shape.choice(["free", "default", "large"]),
                "level": shape.choice(["closed", "default", "full"]),
                "kyc_level": shape.randrange(4),
                "kyc_country": shape.choice(["CH", "DE", "US", "IN", "unknown"]),
                "purposes": ["research"] if i % 9 == 0 else [],
                "terms_version": "2026-03",
                "terms_accepted_at": 1_770_000_000 + i,
                "created_at": 1_770_000_000 + i,
                "expires_at": 1_900_000_000 + i,
            }
            out.write(json.dumps(key) + "\n")
    database = open_database(state, create=True)
    KeyStore(database).import_file(lines)
    database.close()


def resident() -> float:
    """Megabytes of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    line = next(each for each in lines if each.startswith("VmRSS"))
    return int(line.split()[1]) / 1000


def nanoseconds(call: Callable[[], object], number: int = 100_000) -> float:
    """The median of nine runs."""
    return statistics.median(timeit.repeat(call, number=number, repeat=9)) / number * 1e9


def follow(state: Path, count: int) -> None:
    """In a fresh process: load, look up, follow a change."""
    database = open_database(state)
    with database.reading():
        bare = resident()
    started = time.process_time()
    follower = Follower(database)
    loading = time.process_time() - started
    print(f"{len(follower.snapshot):,} secrets: {resident() - bare:.1f} MB over {bare:.1f} MB")
    print(f"loading: {loading:.2f} s of CPU")
    if not count:
        return
    snapshot, secret = follower.snapshot, f"secret-{count // 2}"
    caller = snapshot.caller_of(secret)
    assert caller is not None
    hashing = nanoseconds(lambda: sha256(secret.encode()).digest())
    finding = nanoseconds(lambda: snapshot.caller_of(secret))
    print(f"caller_of: {finding:.0f} ns, of which SHA-256 {hashing:.0f} ns")
    print(
        f"actions_on, none in force: {nanoseconds(lambda: snapshot.actions_on(caller, 0)):.0f} ns"
    )
    print(f"a look, nothing new: {nanoseconds(follower.refresh, 300) / 1e3:.0f} µs")
    changes = []
    for i in range(20):
        KeyStore(database).relink({f"acct-{i:08d}": "ring"})
        started = time.process_time()
        follower.refresh()
        changes.append(time.process_time() - started)
    print(f"a look, one key changed: {statistics.median(changes) * 1e3:.1f} ms of CPU")
    print(f"after 20 changes: {resident() - bare:.1f} MB over {bare:.1f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=100_000)
    parser.add_argument("--follow", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.follow:
        follow(asked.follow, asked.keys)
        return
    for count in (0, asked.keys):
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            write(Path(folder), count)
            print(f"\nimporting {count:,} keys: {time.perf_counter() - started:.1f} s")
            subprocess.run(
                [sys.executable, __file__, "--keys", str(count), "--follow", folder], check=True
            )


if __name__ == "__main__":
    main()
