"""Threads over kernels that release the interpreter's lock.

Not numba's own threads: its default layer ends the process when two threads of a server enter it at
once.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["on_all_cores", "over_all_cores"]

Task = TypeVar("Task")
Result = TypeVar("Result")


def on_all_cores(run: Callable[[int, int], None], parts: int) -> None:
    """Call ``run(begin, step)`` on as many threads as are of use; together they do every part."""
    step = min(parts, len(os.sched_getaffinity(0)))
    over_all_cores(lambda begin: run(begin, step), range(step))


def over_all_cores(run: Callable[[Task], Result], tasks: Iterable[Task]) -> list[Result]:
    """The results of all tasks, in their order; a single task runs here."""
    waiting = list(tasks)
    if len(waiting) < 2:
        return [run(task) for task in waiting]
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        return list(pool.map(run, waiting))
