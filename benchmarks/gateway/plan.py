"""How much is measured, and on which cores: all sizes of the benchmark."""

from __future__ import annotations

import os
from dataclasses import dataclass

__all__ = ["FULL", "QUICK", "SEED", "Cores", "Plan", "cores"]

#: of every random choice: prompts, starts of streams, facts of decisions
SEED = 7


@dataclass(frozen=True, kw_only=True)
class Plan:
    """`seconds` are those of one round of whole answers, `pace` those between two events."""

    keys: int
    requests: int  # different ones; whole answers repeat them in turn
    words: int = 60
    connections: int
    rounds: int
    seconds: float
    warming: float
    streams: int
    events: int
    repeats: int  # streams one after another, on each connection and in each round
    pace: float = 0.010
    decisions: int
    lag_connections: int
    lag_seconds: float


FULL = Plan(
    keys=100_000, requests=2_000, connections=32, rounds=7, seconds=8, warming=3,
    streams=50, events=100, repeats=8, decisions=3_000, lag_connections=64, lag_seconds=20,
)  # fmt: skip
QUICK = Plan(
    keys=2_000, requests=100, connections=4, rounds=1, seconds=1, warming=1,
    streams=5, events=20, repeats=2, decisions=100, lag_connections=4, lag_seconds=1,
)  # fmt: skip


@dataclass(frozen=True)
class Cores:
    """Where the proxies run, and where everything else does."""

    proxies: int
    load: int

    @property
    def apart(self) -> bool:
        """Whether these are two."""
        return self.proxies != self.load


def cores() -> Cores:
    """The last and the first core that this process may use."""
    usable = sorted(os.sched_getaffinity(0))
    return Cores(proxies=usable[-1], load=usable[0])
