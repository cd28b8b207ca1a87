"""How the parts of this benchmark take time: the best of some rounds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

__all__ = ["Rate", "cpu_seconds", "rate"]


class Rate(NamedTuple):
    """Units a second on the clock, and a second of one core: the threads' processor time."""

    clock: float
    core: float

    def __str__(self) -> str:
        return f"{self.clock:.2g} ({self.core:.2g})"


def cpu_seconds(work: Callable[[], object], rounds: int) -> float:
    """Processor time of this thread: what others do to the machine counts little."""
    work()  # compiled, and its memory touched
    return min(_took(work, time.thread_time) for _ in range(rounds))


def rate(work: Callable[[], object], units: int, rounds: int) -> Rate:
    """Of work that goes over all cores; on a machine that others use the two differ."""
    work()
    clock, core = float("inf"), float("inf")
    for _ in range(rounds):
        start, before = time.perf_counter(), time.process_time()
        work()
        clock = min(clock, time.perf_counter() - start)
        core = min(core, time.process_time() - before)
    return Rate(units / clock, units / core)


def _took(work: Callable[[], object], clock: Callable[[], float]) -> float:
    start = clock()
    work()
    return clock() - start
