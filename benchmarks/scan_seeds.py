#!/usr/bin/env python3
"""What a scan finds and whom it accuses, over seeds of simulated traffic.

    python benchmarks/scan_seeds.py [--preset demo] [--seeds 1000 … 1009] [--processes 2]
    python benchmarks/scan_seeds.py --every-preset --seeds 1000

Tune on seeds below 1000; report on seeds from 1000. Identity is simulated throughout.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from stillwatch.campaigns import ScanOptions, scan
from stillwatch.lab import corpus
from stillwatch.lab.demo import write_traffic
from stillwatch.lab.scoring import Score, score_folder
from stillwatch.lab.traffic import PRESETS, preset, simulate
from stillwatch.sketches import SketchKey
from stillwatch.statistics import upper_bound

KEY = SketchKey(bytes(range(32)))


def run(name: str, seed: int, prompts: Path | None) -> tuple[str, int, Score, float, int]:
    """Simulate, scan and score one log."""
    with tempfile.TemporaryDirectory() as folder:
        log, labels = Path(folder) / "traffic.parquet", Path(folder) / "labels.parquet"
        write_traffic(simulate(name, seed, corpus=corpus.load(prompts)), log, labels)
        started = time.perf_counter()
        report = scan(ScanOptions([log], Path(folder) / "out", key=KEY))
        seconds = time.perf_counter() - started
        return name, seed, score_folder(Path(folder) / "out", labels), seconds, report.considered


def show(name: str, seed: int, score: Score, seconds: float, considered: int) -> None:
    tiers = {campaign.name: str(campaign.tier) for campaign in preset(name).campaigns}
    for each in score.hidden:
        print(
            f"{name:<20} {seed:>5}  {each.campaign:<22} {tiers.get(each.campaign, '?'):<3} "
            f"{each.accounts:>6} {each.exchanges:>8} {each.share:>7.2%}  "
            f"{'found ' if each.found else 'missed'} {each.recall:>6.1%} {each.accused:>5}"
            f"   {len(score.false_campaigns):>3} {seconds:>6.0f} s {considered:>4}",
            flush=True,
        )
    if not score.hidden:
        print(f"{name:<20} {seed:>5}  nothing hidden; false campaigns {len(score.false_campaigns)}")


def summary(scores: list[Score]) -> None:
    """Totals: recall, innocents among the named, accused by kind with upper bounds."""
    planted: dict[str, list[bool]] = {}
    for score in scores:
        for each in score.hidden:
            planted.setdefault(each.campaign, []).append(each.found is not None)
    print()
    for campaign, found in planted.items():
        print(f"{campaign}: found in {sum(found)} of {len(found)}")
    named = sum(each.named for score in scores for each in score.hidden)
    there = sum(each.accounts for score in scores for each in score.hidden)
    wrong = sum(score.wrong for score in scores)
    print(f"accounts of campaigns named: {named} of {there} ({named / max(1, there):.1%})")
    share = wrong / max(1, wrong + named)
    print(f"innocents among the named: {wrong} of {wrong + named} ({share:.2%})")
    print(f"false campaigns: {sum(len(score.false_campaigns) for score in scores)}")
    accused, innocents = Counter[str](), Counter[str]()
    for score in scores:
        accused.update(score.accused)
        innocents.update(score.innocents)
    print(f"\n{'kind':<20} {'accounts':>8} {'accused':>8} {'share':>8} {'95 % bound':>11}")
    for kind, of in sorted(innocents.items()):
        hits = accused[kind]
        print(f"{kind:<20} {of:>8} {hits:>8} {hits / of:>8.2%} {upper_bound(hits, of):>11.2%}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="demo")
    parser.add_argument("--every-preset", action="store_true", help="all presets but demo")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(1000, 1010)))
    parser.add_argument("--prompts", type=Path, help="further texts, see docs/corpus.md")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    names = [n for n in PRESETS if n != "demo"] if options.every_preset else [options.preset]
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {sys.version.split()[0]}")
    print(
        f"{'preset':<20} {'seed':>5}  {'hidden':<22} {'':<3} {'accts':>6} {'exch.':>8} {'share':>7}"
        f"  {'':<6} {'recall':>6} {'wrong':>5} {'false':>5} {'scan':>8} {'groups':>4}"
    )
    scores = []
    with ProcessPoolExecutor(options.processes, get_context("spawn")) as pool:
        jobs = [
            pool.submit(run, name, seed, options.prompts)
            for name in names
            for seed in options.seeds
        ]
        for job in jobs:
            name, seed, score, seconds, considered = job.result()
            show(name, seed, score, seconds, considered)
            scores.append(score)
    summary(scores)


if __name__ == "__main__":
    main()
