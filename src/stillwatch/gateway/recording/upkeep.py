"""What is done with old rows, every hour, beside the writing: rolled to Parquet, then expired."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from stillwatch.errors import StillwatchError
from stillwatch.events import EventStore

__all__ = ["Upkeep"]

_EVERY = 3600.0  # seconds
#: a day counts as finished only then: exchanges are recorded when they end, under their beginning
_GRACE = timedelta(hours=1)
_NICE = 10


class Upkeep(threading.Thread):
    """Runs from :meth:`start` until the process ends, which may be at any moment.

    Args:
        retention_days: UTC days that began longer ago than that are removed; None keeps all.
        say: is told what went wrong; None once it goes right again.
    """

    def __init__(
        self, store: EventStore, retention_days: int | None, say: Callable[[str | None], None]
    ) -> None:
        super().__init__(name="upkeep", daemon=True)
        self._store, self._retention, self._say = store, retention_days, say

    def run(self) -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)  # of this thread alone
        failed = False
        while True:
            try:
                self.tend(datetime.now(UTC))
            except StillwatchError as error:
                failed = True
                self._say(f"old exchanges could not be rolled or expired: {error}")
            else:
                if failed:
                    self._say(None)
                failed = False
            threading.Event().wait(_EVERY)

    def tend(self, now: datetime) -> None:
        """Roll the days that are finished, and remove those beyond the retention.

        Raises:
            StorageError: the machine failed, or another process works on the files.
        """
        self._store.roll((now - _GRACE).date())
        if self._retention is not None:
            self._store.expire((now - timedelta(days=self._retention)).date())
