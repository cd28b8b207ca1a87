#!/usr/bin/env python3
"""What it costs to keep what others can compare: processor time and bytes an exchange.

    python -m benchmarks.intel.compared [--exchanges 100000] [--words 60] [--rounds 5]

The same exchanges are sketched and written with no key of a community, with one and with two, in
turns. Texts are random words of a vocabulary of 5,000, `--words` in the prompt; each of 2,000
accounts has a card, a device and one of 200 system prompts of 60 words, every fifth exchange a set
of five tools. Identity is simulated; seed 7. Times are this process's processor time, of which the
ratios in one run are what counts.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

from stillwatch.campaigns.meeting import look_in
from stillwatch.events import EventStore
from stillwatch.exchange import RawExchange
from stillwatch.intel.community import CommunityKey
from stillwatch.intel.compared import ComparedKey
from stillwatch.intel.matching import Indicator, IndicatorMeeting, IndicatorSet, read_pattern
from stillwatch.sketches import Sketcher, SketchKey

KEYS = [CommunityKey("bench", epoch, bytes([n]) * 32) for n, epoch in enumerate(("a", "b"), 1)]
OWN = SketchKey(bytes(range(32)))
BATCH = 1_000
TOLD = 10_000


def made(count: int, words: int) -> list[RawExchange]:
    """Exchanges as a provider's gateway and billing know them."""
    chance = random.Random(7)
    vocabulary = ["".join(chance.choices("abcdefghijklmnoprstuvw", k=6)) for _ in range(5_000)]
    prompts = [" ".join(chance.choices(vocabulary, k=60)) for _ in range(200)]
    tools = [tuple("_".join(chance.choices(vocabulary, k=2)) for _ in range(5)) for _ in range(50)]
    cards = [(f"pm_{chance.randbytes(12).hex()}", chance.randbytes(16).hex()) for _ in range(2_000)]
    rows = []
    for number in range(count):
        account = chance.randrange(2_000)
        payment, device = cards[account]
        text = " ".join(chance.choices(vocabulary, k=words))
        rows.append(
            RawExchange(
                at=1_700_000_000_000_000 + number,
                account=f"account {account}",
                key=f"key {account}",
                prompt=text,
                system=prompts[account % 200],
                tools=tools[account % 50] if number % 5 == 0 else None,
                payment=payment,
                device=device,
                request_id=f"request-{number:012d}",
                model="model",
                completion=text,
                status=200,
            )
        )
    return rows


def sketched(rows: list[RawExchange], keys: int) -> float:
    """Seconds of processor time for all of them, in batches as a busy writer has them."""
    sketcher = Sketcher(OWN, compared=[ComparedKey(key) for key in KEYS[:keys]])
    sketcher.sketch(rows[:BATCH])
    began = time.process_time()
    for start in range(0, len(rows), BATCH):
        sketcher.sketch(rows[start : start + BATCH])
    return time.process_time() - began


def stored(rows: list[RawExchange], keys: int, folder: Path) -> tuple[float, float, EventStore]:
    """Bytes an exchange in Parquet and in the hot log, and the store."""
    sketcher = Sketcher(OWN, compared=[ComparedKey(key) for key in KEYS[:keys]])
    store = EventStore.create(folder / f"store-{keys}", key_id=OWN.key_id)
    for start in range(0, len(rows), BATCH):
        store.append(sketcher.sketch(rows[start : start + BATCH]))
    hot = sum(file.stat().st_size for file in store.path.glob("hot.sqlite*"))
    store.roll()
    parts = sum(file.stat().st_size for file in store.parquet_files())
    return parts / len(rows), hot / len(rows), store


def told() -> IndicatorSet:
    """Indicators of cards that nobody here has."""
    chance = random.Random(8)
    return IndicatorSet(
        [
            Indicator(
                id=f"indicator--{number}", sender="identity--a", valid_from=0, valid_until=2**40,
                pattern=read_pattern(
                    "stix", f"[x-stillwatch-digest:payment = '{chance.randbytes(16).hex()}']",
                    KEYS[0].scheme,
                ),
            )
            for number in range(TOLD)
        ],
        KEYS[0],
        1,
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--exchanges", type=int, default=100_000)
    parser.add_argument("--words", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print(
        f"{platform.machine()}, {os.cpu_count()} cores (load {os.getloadavg()[0]:.1f}), "
        f"Python {sys.version.split()[0]}; {options.exchanges:,} exchanges"
    )
    rows = made(options.exchanges, options.words)
    runs = [[sketched(rows, keys) for keys in range(3)] for _ in range(options.rounds)]
    for keys in range(3):
        each = statistics.median(run[keys] for run in runs) / len(rows) * 1e6
        ratio = statistics.median(run[keys] / run[0] for run in runs)
        print(f"sketching, {keys} keys: {each:6.1f} µs an exchange, {ratio:.2f} of without")
    with tempfile.TemporaryDirectory() as folder:
        for keys in range(3):
            parts, hot, store = stored(rows, keys, Path(folder))
            print(f"kept, {keys} keys: {parts:5.0f} bytes an exchange rolled, {hot:5.0f} hot")
            if keys == 1:
                meeting = IndicatorMeeting([told()])
                began = time.process_time()
                looked = look_in(store.parquet_files(), meeting)
                took = time.process_time() - began
                print(
                    f"looked for {TOLD:,} indicators in {looked.compared:,} exchanges: "
                    f"{took / looked.compared * 1e6:.2f} µs each"
                )
            store.close()


if __name__ == "__main__":
    main()
