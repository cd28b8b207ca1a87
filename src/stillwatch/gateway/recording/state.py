"""The state folder of a gateway's records: the event store, and the key of its digests."""

from __future__ import annotations

import os
from pathlib import Path

from stillwatch.durable import failures
from stillwatch.errors import KeyFileError, OutputError
from stillwatch.events import EventStore
from stillwatch.events.disk import Lock
from stillwatch.sketches import SketchKey

__all__ = ["EVENTS", "prepare", "reopen"]

#: the name of the store in a state folder
EVENTS = "events"
_KEY, _LOCK = "sketch.key", "recording.lock"
_WATCH = "state.sqlite"  # a watch keeps rows of its own beside it
_PATIENCE = 30.0  # seconds to wait for another gateway that makes the same folder


def prepare(state: Path, key_file: Path | None = None) -> tuple[EventStore, SketchKey]:
    """Open the store ``events`` of the folder `state`, and its key; whatever is absent is made.

    Everything in the folder is for its owner only. Digests are made with `key_file`, or with
    ``sketch.key`` in the folder, which is made with the store. Several gateways may share a folder.

    Raises:
        OutputError: the folder holds the state of a watch.
        KeyFileError: the store was made with another key, or its key is gone.
        StoreFormatError: another version wrote the store, or it is damaged.
        StorageError: the folder cannot be written.
    """
    umask = os.umask(0o077)
    try:
        with failures(state):
            state.mkdir(mode=0o700, parents=True, exist_ok=True)
            if (state / _WATCH).exists():
                raise OutputError("is the state of a watch; name another folder", path=state)
            with Lock(state / _LOCK).held(patience=_PATIENCE):
                return _agree(state / EVENTS, key_file or state / _KEY, given=key_file is not None)
    finally:
        os.umask(umask)


def reopen(state: Path, key_file: Path | None = None) -> tuple[EventStore, SketchKey]:
    """The same for a store that was there a moment ago: nothing is made.

    Raises:
        KeyFileError: the key is gone, or another one.
        StoreFormatError: the store is gone, or damaged.
    """
    file = key_file or state / _KEY
    key = SketchKey.from_file(file)
    return _checked(EventStore.open(state / EVENTS), key, file), key


def _agree(events: Path, file: Path, *, given: bool) -> tuple[EventStore, SketchKey]:
    """Make the key and the store where they are absent; they belong together."""
    begun = (events / "hot.sqlite").exists()
    if not begun and not given and not file.exists():
        SketchKey.generate().write(file)
    key = SketchKey.from_file(file)
    if not begun:
        return EventStore.create(events, key_id=key.key_id), key
    return _checked(EventStore.open(events), key, file), key


def _checked(store: EventStore, key: SketchKey, file: Path) -> EventStore:
    if store.key_id == key.key_id:
        return store
    store.close()
    raise KeyFileError(
        f"the store {store.path} was begun with the key {store.key_id}, and this is "
        f"{key.key_id}: their digests do not meet. Name the first one",
        path=file,
    )
