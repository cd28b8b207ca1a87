"""Keeps a snapshot up to date while other processes write.

The version of the store is read every half second, one row; when it has grown, what changed is read
and a new snapshot takes the place of the last. So a revocation holds everywhere within a second,
and an action within two.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from types import TracebackType

from stillwatch.access.database import Database
from stillwatch.access.snapshot import Snapshot, next_snapshot
from stillwatch.errors import StillwatchError, StorageError

__all__ = ["EVERY", "PATIENCE", "Follower"]

EVERY = 0.5  # seconds between looks
#: seconds for which the last snapshot is used while the store cannot be read. It is a choice
#: between two harms: everybody refused for a hiccup of the store, or a revoked key that works
PATIENCE = 60.0

_log = logging.getLogger(__name__)


class Follower:
    """The current snapshot of a store; a thread of its own renews it between start and close.

    Safe to use from any thread: `snapshot` waits for nothing.
    """

    def __init__(
        self,
        database: Database,
        *,
        every: float = EVERY,
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Read the store for the first time; `every` and `patience` are in seconds.

        Raises:
            StorageError: it cannot be reached.
            StoreFormatError: it is gone, or damaged.
        """
        self._database = database
        self._every = every
        self._patience = patience
        self._clock = clock
        self._mutex = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._snapshot: Snapshot | None = None
        self._error: str | None = None
        self._seen = (0.0, 0.0)
        self.refresh()

    @property
    def snapshot(self) -> Snapshot:
        """The last snapshot.

        Raises:
            StorageError: the store could not be read for longer than our patience. Who may ask
                what is then unknown, and unknown is refused (law 6).
        """
        snapshot = self._snapshot
        assert snapshot is not None  # the first look raises its errors
        silent = time.monotonic() - self._seen[0]
        if silent > self._patience:
            raise StorageError(
                f"keys and actions could not be read for {silent:.0f} seconds "
                f"({self._error or 'nobody looked'}); nobody is let in until they can",
                path=self._database.name,
            )
        return snapshot

    @property
    def stale_since(self) -> float | None:
        """When the store was last read, in seconds since the epoch, if a look failed or is late."""
        monotonic, wall = self._seen
        late = self._thread is not None and time.monotonic() - monotonic > 2 * self._every + 1
        return wall if self._error is not None or late else None

    @property
    def error(self) -> str | None:
        """Why the last look failed, or ``None``."""
        return self._error

    def refresh(self) -> bool:
        """Look once, now; whether anything had changed.

        Raises:
            StorageError: the store cannot be reached; the last snapshot stays.
            StoreFormatError: it is gone, or damaged; the last snapshot stays.
        """
        with self._mutex:
            try:
                asked = (time.monotonic(), self._clock())
                last = snapshot = self._snapshot
                with self._database.reading() as (connection, version):
                    if last is None or last.version != version:
                        snapshot = next_snapshot(connection, last, version, asked[1])
            except Exception as error:
                self._error = str(error)
                raise
            self._snapshot, self._seen, self._error = snapshot, asked, None
            return snapshot is not last

    def start(self) -> Follower:
        """Look again and again, until :meth:`close`."""
        self._thread = threading.Thread(target=self._follow, name="stillwatch-access", daemon=True)
        self._thread.start()
        return self

    def close(self) -> None:
        """Look no more; the database stays open."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def __enter__(self) -> Follower:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _follow(self) -> None:
        while not self._stop.wait(self._every):
            before = self._error
            try:
                self.refresh()
            except Exception as error:  # the thread must outlive whatever the store does
                if before is None:
                    _log.warning(
                        "keys and actions cannot be read: %s",
                        error,
                        exc_info=not isinstance(error, StillwatchError),
                    )
                continue
            if before is not None:
                _log.warning("keys and actions can be read again")
