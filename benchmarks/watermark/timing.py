"""How the parts of this benchmark take time: the best of some rounds, on one thread or on all."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["cpu_seconds", "wall_seconds"]


def cpu_seconds(work: Callable[[], object], rounds: int) -> float:
    """Processor time of this thread alone: what others do to the machine counts little."""
    return _best(work, rounds, time.thread_time)


def wall_seconds(work: Callable[[], object], rounds: int) -> float:
    """Time on the clock, for work that goes over all cores."""
    return _best(work, rounds, time.perf_counter)


def _best(work: Callable[[], object], rounds: int, clock: Callable[[], float]) -> float:
    work()  # compiled, and its memory touched
    best = float("inf")
    for _ in range(rounds):
        start = clock()
        work()
        best = min(best, clock() - start)
    return best
