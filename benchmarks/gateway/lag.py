"""The lag of commits at half of the rate that saturates the gateway."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from benchmarks.gateway.plan import Plan
from benchmarks.gateway.subject import Subject
from benchmarks.gateway.whole import Contender, loaded

__all__ = ["Lag", "commit_lag"]

_LEAST = 50.0  # requests a second, on however slow a machine


class Lag(NamedTuple):
    """Seconds, at `rate` requests a second."""

    p50: float
    p99: float
    rate: float


def commit_lag(
    plan: Plan, subject: Subject, contender: Contender, requests: Path, saturated: float
) -> Lag:
    """Ask at half of `saturated` requests a second, and read what the gateway's metric says.

    wrk keeps no rate; each of its connections pauses between an answer and the next request. How
    long that must be is found with a short trial.
    """
    turn = plan.lag_connections / max(saturated / 2, _LEAST) * 1000  # ms, of one connection
    trial = _loaded(plan, contender, requests, seconds=plan.warming, pause=turn / 2)
    spent = plan.lag_connections / trial * 1000 - turn / 2
    contender.drain()
    before = subject.lags()
    rate = _loaded(
        plan, contender, requests, seconds=plan.lag_seconds, pause=max(0.5, turn - spent)
    )
    contender.drain()
    kept = {bound: count - before[bound] for bound, count in subject.lags().items()}
    return Lag(p50=_quantile(kept, 0.5), p99=_quantile(kept, 0.99), rate=rate)


def _loaded(
    plan: Plan, contender: Contender, requests: Path, *, seconds: float, pause: float
) -> float:
    load = loaded(
        contender, requests, connections=plan.lag_connections, seconds=seconds, pause=pause
    )
    return load.rate


def _quantile(buckets: dict[float, float], share: float) -> float:
    """As Prometheus does it: evenly spread within the bucket; the last bound beyond all."""
    wanted = share * buckets[float("inf")]
    lower, below = 0.0, 0.0
    for bound, count in sorted(buckets.items()):
        if count >= wanted and bound != float("inf"):
            return lower + (bound - lower) * (wanted - below) / max(count - below, 1.0)
        if bound != float("inf"):
            lower, below = bound, count
    return lower
