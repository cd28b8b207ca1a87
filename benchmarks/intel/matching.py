#!/usr/bin/env python3
"""How fast accounts are matched with what others told, and whom that meets by mistake.

    python -m benchmarks.intel.matching [--accounts 1000000] [--indicators 100000]

Identifiers are random tokens, of which a share is told; wordings are random cells. Innocents are
those whom nobody told of: what they meet is a false match. The rate of real wordings among
simulated innocents is measured by benchmarks.intel.two_providers.
"""

from __future__ import annotations

import argparse
import os
import platform
import secrets
import sys
import time

import numpy as np

from stillwatch.exchange import RawExchange
from stillwatch.intel.community import CommunityKey
from stillwatch.intel.matching import Indicator, IndicatorMeeting, IndicatorSet, read_pattern
from stillwatch.intel.profile.patterns import TemplatePattern
from stillwatch.statistics import upper_bound

KEY = CommunityKey("bench", "2026", bytes(range(32)))
CELLS, LEAST, KEPT = 24, 3, 16
BATCH = 16_384


def indicator(number: int, kind: str, text: str) -> Indicator:
    return Indicator(
        id=f"indicator--{number}", sender="identity--a", valid_from=0, valid_until=2**40,
        pattern=read_pattern(kind, text, KEY.scheme),
    )  # fmt: skip


def identifiers(accounts: int, told: int) -> None:
    """Half of what was told is met by an account each; the others meet nothing."""
    values = [f"pay-{secrets.token_hex(16)}" for _ in range(accounts)]
    known = [*values[: told // 2], *(f"pay-{secrets.token_hex(16)}" for _ in range(told // 2))]
    digests = KEY.digests("payment", known, leaving=False)
    started = time.perf_counter()
    indicators = IndicatorSet(
        [
            indicator(n, "stix", f"[x-stillwatch-digest:payment = '{digest}']")
            for n, digest in enumerate(digests)
        ],
        KEY,
        1,
    )
    ready = time.perf_counter() - started
    started, begun = time.perf_counter(), time.process_time()
    met, meeting = np.zeros(accounts, bool), IndicatorMeeting([indicators])
    for at in range(0, accounts, BATCH):
        [found] = meeting.look(
            [
                RawExchange(at=0, account="a", prompt="", payment=value)
                for value in values[at : at + BATCH]
            ]
        )
        met[at + found.exchange] = True
    took, cpu = time.perf_counter() - started, time.process_time() - begun
    wrong = int(met[told // 2 :].sum())
    innocents = accounts - told // 2
    print(
        f"identifiers: {len(indicators):,} indicators ready in {ready:.1f} s; "
        f"{accounts:,} accounts matched in {took:.1f} s (CPU {cpu:.1f} s); "
        f"{int(met[: told // 2].sum()):,} of {told // 2:,} found; "
        f"false matches {wrong} of {innocents:,} innocents "
        f"(at most {1e6 * upper_bound(wrong, innocents):.1f} in a million, 95 %)"
    )


def wordings(accounts: int, told: int) -> None:
    """One exchange an account, 16 cells each; a tenth of them hold cells of a wording."""
    rng = np.random.default_rng(1)
    cells = rng.integers(-(2**63), 2**63 - 1, (told, CELLS))
    started = time.perf_counter()
    indicators = IndicatorSet(
        [
            indicator(
                n,
                "stillwatch-template",
                str(
                    TemplatePattern(KEY.scheme, LEAST, tuple(sorted(row, key=lambda c: c % 2**64)))
                ),
            )
            for n, row in enumerate(cells.tolist())
        ],
        KEY,
        1,
    )
    ready = time.perf_counter() - started
    sent = rng.integers(-(2**63), 2**63 - 1, (accounts, KEPT))
    some = accounts // 10
    picked = rng.integers(0, told, some)
    sent[:some, :LEAST] = cells[picked, :LEAST]
    offsets = np.arange(0, BATCH * KEPT + 1, KEPT).astype(np.int32)
    started, begun = time.perf_counter(), time.process_time()
    found = 0
    wrong = 0
    for at in range(0, accounts, BATCH):
        part = sent[at : at + BATCH]
        exchange, _ = indicators.worded(part.ravel(), offsets[: len(part) + 1])
        found += int((exchange + at < some).sum())
        wrong += int((exchange + at >= some).sum())
    took, cpu = time.perf_counter() - started, time.process_time() - begun
    print(
        f"wordings: {told:,} of {CELLS} cells ready in {ready:.1f} s; {accounts:,} exchanges "
        f"matched in {took:.1f} s (CPU {cpu:.1f} s); {found:,} of {some:,} found; "
        f"false matches {wrong} of {accounts - some:,} with random cells"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--accounts", type=int, default=1_000_000)
    parser.add_argument("--indicators", type=int, default=100_000)
    options = parser.parse_args()
    load = os.getloadavg()[0]
    print(
        f"{platform.machine()}, {os.cpu_count()} cores (load {load:.1f}), "
        f"Python {sys.version.split()[0]}"
    )
    identifiers(options.accounts, options.indicators)
    wordings(options.accounts, options.indicators // 10)


if __name__ == "__main__":
    main()
