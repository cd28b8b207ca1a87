#!/usr/bin/env python3
"""One campaign, split between two providers: found alone, and with the other's indicators.

    python -m benchmarks.intel.two_providers [--seeds 1000-1019] [--queries 5] [--share 0.5]

Each provider scans its log. Whoever finds the campaign, promised or for review, upholds the case
(people are taken to decide rightly: only groups with a majority of members) and exports it under a
policy, as docs/intel.md does; the other one scans again with those indicators.
A seed is simulated, scanned and scored at once, and its line kept: a run that was killed goes on.
Accounts and their infrastructure are simulated. Tune on seeds below 1000.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from stillwatch.campaigns import ScanOptions, scan
from stillwatch.cases import Draft, Item, Who, open_cases, read_findings
from stillwatch.intel.community import CommunityKey
from stillwatch.intel.exporting import Own, prepare
from stillwatch.intel.exporting.own import identity_id
from stillwatch.intel.matching import IndicatorMeeting, IndicatorSet, indicators_of, match_log
from stillwatch.intel.policy import Policy
from stillwatch.intel.policy.policy import Minimum
from stillwatch.intel.profile import Tlp
from stillwatch.lab.two_providers import Split, split_campaign, write_two_providers
from stillwatch.ledger import SigningKey
from stillwatch.sketches import SketchKey
from stillwatch.sources import open_log
from stillwatch.statistics import share_interval, upper_bound

KEY = SketchKey(bytes(range(32)))
COMMUNITY = CommunityKey("bench", "2026", bytes(range(32)))
ANA, SCAN = Who(name="ana"), Who(name="scan", person=False)
POLICY = Policy(
    name="bench", tlp=Tlp.AMBER, recipients=("other",), purpose="bench", legal_basis="none",
    fields=frozenset({"window", "accounts", "payment", "device", "template"}), valid_days=60,
    retention_days=90, minimum=Minimum(false_positives=0.03, level=None),
)  # fmt: skip
NAMES = "ab"
#: innocent accounts send so many times as much as in the presets: logs are small, seeds are many
VOLUME = 0.3


def report(log: Path, out: Path, meeting: IndicatorMeeting | None = None) -> dict[str, Any]:
    scan(ScanOptions([log], out, key=KEY, meeting=meeting))
    found: dict[str, Any] = json.loads((out / "campaigns.json").read_text("utf-8"))
    return found


def scored(found: dict[str, Any], part: str, members: frozenset[str]) -> tuple[int, int]:
    """Members and innocents among those whom groups with a majority of members name, or others."""
    named = [set(each["accounts"]) for each in found[part]]
    right = set().union(*(each & members for each in named if len(each & members) * 2 >= len(each)))
    wrong = set().union(*(each - members for each in named))
    return len(right), len(wrong)


def told(folder: Path, split: Split, which: int, found: Path) -> list[dict[str, Any]]:
    """What a provider tells of the campaign that it found, the best group; nothing if none."""
    members = split.members[which]
    cases_of = [
        each
        for each in read_findings(found / "campaigns.json", review=True)
        if 2 * len(members.intersection(each.accounts)) >= len(each.accounts)
    ]
    if not cases_of:
        return []
    state = folder / f"state-{NAMES[which]}"
    with open_cases(state, create=True) as cases:
        opened = cases.intake.open(cases_of[:1], SCAN).opened[0]
        cases.desk.claim(opened, ANA)
        cases.desk.add(opened, ANA, Item(kind="counter", text="looked: nothing"))
        said = Draft(
            verdict="upheld", reason="coordinated-extraction", summary="bench", message="bench",
            measures=(), without_terms="bench",
        )  # fmt: skip
        cases.bench.propose(opened, ANA, said)
    key = SigningKey(bytes([which + 1]) * 32)
    own = Own(NAMES[which], identity_id(key.public), key, COMMUNITY, None)
    draft = prepare(
        str(state), state, opened, own, POLICY, datetime.now(UTC), logs=[str(split.logs[which])]
    )
    return list(draft.objects)


def one(seed: int, queries: float, accounts: int, innocents: int, share: float) -> dict[str, Any]:
    """Both providers of one seed, alone and with what the other told."""
    scenario = split_campaign(innocents, volume=VOLUME, per_account=queries, accounts=accounts)
    line: dict[str, Any] = {"seed": seed, "queries": queries, "providers": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        split = write_two_providers(folder / "logs", scenario, seed, share=share)
        alone = [report(split.logs[i], folder / f"alone-{i}") for i in (0, 1)]
        objects = [told(folder, split, i, folder / f"alone-{i}") for i in (0, 1)]
        for i in (0, 1):
            members = split.members[i]
            heard = objects[1 - i]
            each: dict[str, Any] = {
                "members": len(members),
                "innocents": split.accounts[i] - len(members),
                "alone": {part: scored(alone[i], part, members) for part in PARTS},
                "told": sum(thing["type"] == "indicator" for thing in heard),
            }
            if heard:
                indicators = IndicatorSet(indicators_of(heard), COMMUNITY, time.time() + 1)
                with_them = report(
                    split.logs[i], folder / f"with-{i}", IndicatorMeeting([indicators])
                )
                each["with"] = {part: scored(with_them, part, members) for part in PARTS}
                hits = match_log(open_log([split.logs[i]]), [indicators]).hits
                for kind in ("wording", "identifier"):
                    met = {h.account for h in hits if (h.kind == "wording") == (kind == "wording")}
                    each[kind] = [len(met & members), len(met - members)]
            line["providers"].append(each)
    return line


PARTS = ("campaigns", "review")


def summary(every: list[dict[str, Any]]) -> None:
    """What providers found, alone and with what the other one told."""
    heard = [each for each in every if "with" in each]
    print(f"\n{len(every)} providers; the other one told in {len(heard)}")

    def shown(name: str, some: list[dict[str, Any]], at: str, parts: tuple[str, ...]) -> None:
        found = sum(any(each[at][part][0] for part in parts) for each in some)
        named = sum(max(each[at][part][0] for part in parts) for each in some)
        there = sum(each["members"] for each in some)
        wrong = sum(each[at][part][1] for each in some for part in parts)
        innocents = sum(each["innocents"] for each in some)
        low, high = share_interval(found, len(some))
        print(
            f"{name:<44} found {found}/{len(some)} ({low:.0%} to {high:.0%})  members named "
            f"{named}/{there} ({named / max(1, there):.0%})  innocents named {wrong}/{innocents}"
        )

    shown("alone, promised", every, "alone", ("campaigns",))
    shown("alone, promised or for review", every, "alone", PARTS)
    if not heard:
        return
    shown("… where the other one told", heard, "alone", PARTS)
    shown("with indicators, promised", heard, "with", ("campaigns",))
    shown("with indicators, promised or for review", heard, "with", PARTS)
    missed = [each for each in heard if not any(each["alone"][part][0] for part in PARTS)]
    if missed:
        shown("… of those that found nothing alone", missed, "with", PARTS)
    for kind in ("identifier", "wording"):
        right, wrong = (sum(each[kind][i] for each in heard) for i in (0, 1))
        innocents = sum(each["innocents"] for each in heard)
        members = sum(each["members"] for each in heard)
        print(
            f"matched by {kind}: {right} of {members} members, {wrong} of {innocents} innocents "
            f"({1e6 * wrong / max(1, innocents):,.0f} in a million; at most "
            f"{1e6 * upper_bound(wrong, innocents):,.0f}, 95 %)"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", default="1000-1019", help="first-last")
    parser.add_argument("--queries", type=float, default=5.0, help="attack queries an account")
    parser.add_argument("--accounts", type=int, default=36, help="of the campaign, at both")
    parser.add_argument("--innocents", type=int, default=400, help="at both")
    parser.add_argument(
        "--share", type=float, default=0.5, help="of the campaign's accounts, those at the first"
    )
    parser.add_argument("--out", type=Path, default=Path("out/two_providers.jsonl"))
    options = parser.parse_args()
    first, _, last = options.seeds.partition("-")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    asked = (options.queries, options.accounts, options.innocents, options.share)
    kept = [json.loads(line) for line in _lines(options.out)]
    lines = {each["seed"]: each for each in kept if tuple(each["asked"]) == asked}
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {sys.version.split()[0]}")
    for seed in range(int(first), int(last or first) + 1):
        if seed not in lines:
            began = time.perf_counter()
            lines[seed] = one(seed, *asked) | {"asked": asked}
            with options.out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(lines[seed]) + "\n")
            print(f"seed {seed}: {time.perf_counter() - began:.0f} s", flush=True)
    done = [lines[seed]["providers"] for seed in range(int(first), int(last or first) + 1)]
    if options.share == 0.5:
        summary([each for providers in done for each in providers])
        return
    for which, name in enumerate(("of the larger part", "of the smaller part")):
        print(f"\nProviders {name}")
        summary([providers[which] for providers in done])


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines() if path.exists() else []


if __name__ == "__main__":
    main()
