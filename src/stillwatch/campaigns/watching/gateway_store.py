"""The event store that a watch follows, while a gateway writes it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from stillwatch.campaigns.registered import Registered, key_of
from stillwatch.durable import failures
from stillwatch.errors import InputError, KeyFileError
from stillwatch.events import EventStore
from stillwatch.sketches import SketchKey

__all__ = ["GatewayStore"]

Ints = npt.NDArray[np.int64]

_HOT, _WATCH = "hot.sqlite", "state.sqlite"


class GatewayStore:
    """A store at a path, opened again when another one stands there, and names for its accounts.

    Raises:
        InputError: it is the copy of a watch.
        KeyFileError: it was made with another key than `key`, or than the one beside it.
        StoreFormatError: it is gone, damaged, or of another version.
    """

    def __init__(self, path: Path, key: SketchKey | None, *, pseudonymous: bool) -> None:
        if (path.parent / _WATCH).exists():
            raise InputError(
                "is the state of a watch; name what that one reads with --source", path=path.parent
            )
        self.path = path
        self._file = self._inode()
        self._store = EventStore.open(path, tidy=False)
        try:
            self.key_id = self._store.key_id
            known = None if pseudonymous and key is None else key_of(self._store, key)
            self._registered = Registered(path, known, pseudonymous=pseudonymous)
        except BaseException:
            self._store.close()
            raise

    def open(self) -> EventStore:
        """The store that stands there now.

        Raises:
            KeyFileError: it is another one, with another key.
            StoreFormatError: it is gone, damaged, or of another version.
        """
        file = self._inode()
        if file != self._file:  # SQLite would read the one before for ever
            self._store.close()
            self._store, self._file = EventStore.open(self.path, tidy=False), file
            if self._store.key_id != self.key_id:
                raise KeyFileError(
                    f"another store stands here, made with the key {self._store.key_id}, not "
                    f"{self.key_id}: their digests do not meet. Begin a new state for it",
                    path=self.path,
                )
        return self._store

    def call(self, digests: Ints) -> list[str]:
        """What accounts are called now."""
        return self._registered.call(digests)

    def close(self) -> None:
        """Let go of the files."""
        self._registered.close()
        self._store.close()

    def _inode(self) -> tuple[int, int] | None:
        with failures(self.path):
            try:
                found = (self.path / _HOT).stat()
            except FileNotFoundError:
                return None
        return found.st_dev, found.st_ino
