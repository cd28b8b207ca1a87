#!/usr/bin/env python3
"""Weeks without any campaign: how often a test with a promise says otherwise.

    python benchmarks/campaign_free.py [--weeks 50] [--accounts 700] [--processes 2] [--first 0]

Fails (status 1) when more than one tested group in twenty has an e-value of 20 or more, or when
campaigns are reported in significantly more than 5 % of the weeks. Identity is simulated. Seeds
below 1000 are for tuning; CI runs seeds from 0, reports run seeds from 1000.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import os
import platform
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from stillwatch.campaigns import Silent
from stillwatch.campaigns.finding import find_campaigns
from stillwatch.campaigns.promise import ALPHA
from stillwatch.campaigns.reading import AccountNames, read_log
from stillwatch.detections import load_detections
from stillwatch.engines import open_engine
from stillwatch.events import EventStore
from stillwatch.lab.demo import write_traffic
from stillwatch.lab.traffic import KINDS, PERIODS, Scenario, simulate
from stillwatch.sketches import SketchKey
from stillwatch.sources import open_log
from stillwatch.statistics import binomial_tail, upper_bound

KEY = SketchKey(bytes(range(32)))
LARGE = 20.0
#: a third of what people send on a day, so that a week is no larger than the two days of the demo
VOLUME = 0.35
#: every other week has another mix: twice the classes, evaluators, researchers and graders
OTHER_MIX = {"classroom": 2.0, "evaluator": 2.0, "researcher": 2.0, "grader": 2.0}


@dataclass(frozen=True)
class Week:
    """What one week gave: e-values of its tested groups (nats), and what was reported."""

    seed: int
    rows: int
    log_e: Sequence[float]
    reported: Sequence[int]
    review: Sequence[int]
    withheld: Sequence[str]


def scenario(seed: int, accounts: int) -> Scenario:
    week = Scenario(
        name="campaign-free", about="a week", days=7.0, accounts=accounts, period=seed % PERIODS
    )
    week = dataclasses.replace(week, volume=VOLUME)
    kinds = {name: KINDS[name].share * factor for name, factor in OTHER_MIX.items()}
    return week if seed % 2 else dataclasses.replace(week, kinds=kinds)


def run(seed: int, accounts: int) -> Week:
    """Simulate a week and look for campaigns in it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_traffic(
            simulate(scenario(seed, accounts), seed), folder / "log.parquet", folder / "labels"
        )
        names, log = AccountNames(), open_log([folder / "log.parquet"], format="native")
        with (
            EventStore.create(folder / "events", key_id=KEY.key_id) as store,
            open_engine("duckdb", folder / "work", threads=1) as engine,
        ):
            read = read_log(log, KEY, store, names, folder / "rejects.jsonl", Silent())
            found = find_campaigns(
                engine, store, load_detections(), names, lambda _: {}, folder / "stages", Silent()
            )
    return Week(
        seed,
        read.rows,
        [j.e_values.log_e for _, j in found.detected.judged if not j.vetoed],
        [len(each.members) for each in found.campaigns],
        [len(each.members) for each in found.review],
        [each.segment for each in found.withheld],
    )


def show(weeks: Sequence[Week]) -> bool:
    """Print what all weeks say together; whether the promise held."""
    log_e = [nats for week in weeks for nats in week.log_e]
    large = sum(nats >= math.log(LARGE) for nats in log_e)
    mean = sum(math.exp(min(nats, 50)) for nats in log_e) / max(1, len(log_e))
    wrong = sum(bool(week.reported) for week in weeks)
    print(
        f"\n{len(weeks)} weeks, {sum(week.rows for week in weeks):,} exchanges, "
        f"{len(log_e):,} groups tested"
    )
    print(
        f"e-value of {LARGE:.0f} and more: {large} ({large / max(1, len(log_e)):.2%}, at most "
        f"{upper_bound(large, len(log_e)):.2%} with 95 % confidence; 5 % are allowed)"
    )
    print(f"mean e-value: {mean:.3f} (1 is allowed)")
    print(
        f"weeks in which a campaign was reported: {wrong} ({wrong / len(weeks):.1%}, at most "
        f"{upper_bound(wrong, len(weeks)):.1%}; alpha is {ALPHA:.0%})"
    )
    print(f"groups for review, a week: {sum(len(w.review) for w in weeks) / len(weeks):.2f}")
    held = Counter(segment for week in weeks for segment in week.withheld)
    print(f"weeks with withheld verdicts: {dict(held) or 0}")
    broken = float(binomial_tail(wrong, len(weeks), ALPHA)) <= math.log10(0.05)
    return large <= 0.05 * len(log_e) and not broken


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weeks", type=int, default=50)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--accounts", type=int, default=700)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {sys.version.split()[0]}")
    weeks = []
    with ProcessPoolExecutor(options.processes, get_context("spawn")) as pool:
        seeds = range(options.first, options.first + options.weeks)
        for job in [pool.submit(run, seed, options.accounts) for seed in seeds]:
            week = job.result()
            weeks.append(week)
            best = max(week.log_e, default=-math.inf)
            print(
                f"seed {week.seed:>4}: {week.rows:>7,} exchanges, {len(week.log_e):>3} tested, "
                f"largest e-value {math.exp(min(best, 50)):>8.3g}, reported "
                f"{list(week.reported) or 'nothing'}, for review {list(week.review) or 'nothing'}",
                flush=True,
            )
    return 0 if show(weeks) else 1


if __name__ == "__main__":
    sys.exit(main())
