"""What a store asks of the machine: durable renames, one maintainer at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from stillwatch.durable import BUSY, failures, sync_folder
from stillwatch.errors import StorageError

__all__ = ["Lock", "whole"]

_BUSY = BUSY.format(what="the store")


def whole(aside: Path, place: Path) -> None:
    """Move a finished file to its place, both on one file system, durably."""
    created = not place.parent.exists()
    place.parent.mkdir(exist_ok=True)
    aside.replace(place)
    sync_folder(place.parent)
    if created:
        sync_folder(place.parent.parent)


class Lock:
    """Held by whoever adds or removes files of a store; readers and appends do not need it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mutex = threading.Lock()
        self._owner: int | None = None

    @contextlib.contextmanager
    def held(self, *, patience: float) -> Iterator[None]:
        """Hold the lock, waiting at most `patience` seconds for another thread or process.

        Raises:
            StorageError: somebody else holds it still, or this thread does already.
        """
        if self._owner == threading.get_ident():
            raise StorageError(
                "this thread is already writing to the store; close that writer first",
                path=self._path.parent,
            )
        deadline = time.monotonic() + patience
        if not self._mutex.acquire(timeout=patience):
            raise StorageError(_BUSY, path=self._path.parent)
        try:
            with self._file(deadline):
                self._owner = threading.get_ident()
                yield
        finally:
            self._owner = None
            self._mutex.release()

    @contextlib.contextmanager
    def _file(self, deadline: float) -> Iterator[None]:
        with failures(self._path):
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            while not _locked(descriptor):
                if time.monotonic() >= deadline:
                    raise StorageError(_BUSY, path=self._path.parent)
                time.sleep(0.05)
            yield
        finally:
            os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
