"""Tasks over processes that tell what happens while it happens, and end when they are told to."""

from __future__ import annotations

import contextlib
import queue
import signal
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import get_context
from typing import Any

from stillwatch.errors import StillwatchError

__all__ = ["Tell", "spread"]

#: how long to wait for news before looking whether the workers live
_PATIENCE = 1.0

Tell = Callable[[object], None]


def spread(
    work: Callable[[Any, Tell], None], tasks: Sequence[object], processes: int
) -> Iterator[object]:
    """Run ``work(task, tell)`` for every task; what is told comes out in the order of its coming.

    Workers are started afresh, so that `work` and the tasks must be importable and picklable.

    Raises:
        StillwatchError: a worker was killed, for want of memory perhaps.
        Exception: what `work` raised; the other workers are ended.
    """
    context = get_context("spawn")
    waiting, news = context.Queue(), context.Queue()
    for task in tasks:
        waiting.put(task)
    workers = [
        context.Process(target=_run, args=(work, waiting, news), daemon=True)
        for _ in range(min(processes, len(tasks)))
    ]
    for _ in workers:
        waiting.put(None)
    busy = len(workers)
    try:
        for worker in workers:
            worker.start()
        while busy:
            try:
                told = news.get(timeout=_PATIENCE)
            except queue.Empty:
                if any(worker.exitcode not in (None, 0) for worker in workers):
                    raise StillwatchError(
                        "a worker was killed; run fewer --processes, or free memory"
                    ) from None
                continue
            if isinstance(told, _Ended):
                busy -= 1
                if told.error is not None:
                    raise told.error
            else:
                yield told
    finally:
        for worker in workers:
            with contextlib.suppress(ValueError, AttributeError):
                worker.terminate()
        for worker in workers:
            worker.join()


class _Ended:
    def __init__(self, error: Exception | None) -> None:
        self.error = error


def _run(work: Callable[[Any, Tell], None], waiting: Any, news: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal tells all; the parent ends us
    try:
        for task in iter(waiting.get, None):
            work(task, news.put)
    except Exception as error:
        news.put(_Ended(error))
    else:
        news.put(_Ended(None))
