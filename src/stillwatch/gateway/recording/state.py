"""The state folder of a gateway's records: the event store, and the key of its digests."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from stillwatch.errors import KeyFileError, OutputError
from stillwatch.events import EventStore
from stillwatch.events.disk import Lock, failures
from stillwatch.gateway.recording.recorder import Recorder
from stillwatch.sketches import SketchKey

__all__ = ["open_recording"]

_EVENTS, _KEY, _LOCK = "events", "sketch.key", "recording.lock"
_WATCH = "state.sqlite"  # a watch keeps rows of its own beside it
_PATIENCE = 30.0  # seconds to wait for another gateway that makes the same folder


def open_recording(
    state: Path,
    *,
    key_file: Path | None = None,
    retention_days: int | None = None,
    most_rows: int = 20_000,
    most_bytes: int = 256 << 20,
    on_kept: Callable[[int, float], None] | None = None,
) -> Recorder:
    """A recorder, not started yet, into ``events`` of the folder `state`; both are made if absent.

    Everything in the folder is for its owner only. Digests are made with `key_file`, or with
    ``sketch.key`` in the folder, which is made with the store. Several gateways may share a folder.
    For the other arguments see :class:`Recorder`.

    Raises:
        OutputError: the folder holds the state of a watch.
        KeyFileError: the store was made with another key, or its key is gone.
        StoreFormatError: another version wrote the store, or it is damaged.
        StorageError: the folder cannot be written.
    """
    state = state.resolve()
    umask = os.umask(0o077)
    try:
        with failures(state):
            state.mkdir(mode=0o700, parents=True, exist_ok=True)
            if (state / _WATCH).exists():
                raise OutputError("is the state of a watch; name another folder", path=state)
            with Lock(state / _LOCK).held(patience=_PATIENCE):
                key = key_file or state / _KEY
                _agree(state / _EVENTS, key, given=key_file is not None)
    finally:
        os.umask(umask)
    return Recorder(
        state / _EVENTS,
        key,
        retention_days=retention_days,
        most_rows=most_rows,
        most_bytes=most_bytes,
        on_kept=on_kept,
    )


def _agree(events: Path, file: Path, *, given: bool) -> None:
    """Make the key and the store where they are absent; they belong together."""
    begun = (events / "hot.sqlite").exists()
    if not begun and not given and not file.exists():
        SketchKey.generate().write(file)
    key = SketchKey.from_file(file)
    if not begun:
        EventStore.create(events, key_id=key.key_id).close()
        return
    with EventStore.open(events) as store:
        if store.key_id != key.key_id:
            raise KeyFileError(
                f"the store {events} was begun with the key {store.key_id}, and this is "
                f"{key.key_id}: their digests do not meet. Name the first one",
                path=file,
            )
