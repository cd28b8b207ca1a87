"""The state folder of a watch: whose it is, who holds it, which key its sketches have."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from stillwatch.campaigns.watching.state import State
from stillwatch.durable import failures
from stillwatch.errors import KeyFileError, OutputError, SettingsError
from stillwatch.events import EventStore
from stillwatch.sketches import SketchKey

__all__ = ["Folder", "open_folder"]

_STATE, _LOCK, _KEY = "state.sqlite", "lock", "sketch.key"
_BOOT = Path("/proc/sys/kernel/random/boot_id")


class Folder:
    """The parts of an open state folder; `key` is None where exchanges come sketched."""

    def __init__(self, path: Path, state: State, store: EventStore, key: SketchKey | None) -> None:
        self.path, self.state, self.store, self.key = path, state, store, key
        self.waiting = path / "waiting"
        self.work = path / "work"
        self.findings = path / "findings.jsonl"
        self.rejects = path / "rejects.jsonl"


@contextlib.contextmanager
def open_folder(
    path: Path, key: SketchKey | None, *, pseudonymous: bool, sketched: str | None = None
) -> Iterator[Folder]:
    """The state in `path`, made where there is none, held by this process alone.

    Everything in it is for its owner only. Without a `key` one is made, and kept in it.

    Args:
        sketched: the id of the key of exchanges that come sketched; no key is made for them.

    Raises:
        OutputError: another process holds it, or the folder holds something else.
        KeyFileError: the state was begun with another key.
        SettingsError: the state was begun with, or without, pseudonyms.
        StoreFormatError: another version wrote it, or it is damaged.
        StorageError: it cannot be written.
    """
    path = path.resolve()
    umask = os.umask(0o077)
    try:
        with failures(path), contextlib.ExitStack() as ending:
            _begin(path)
            ending.enter_context(_held(path / _LOCK))
            if sketched is None:
                key = _key(path / _KEY, key, begun=(path / _STATE).exists())
                key_id = key.key_id
            else:
                key_id = sketched
            if not (path / _STATE).exists():
                told = {"key_id": key_id, "pseudonymous": str(int(pseudonymous))}
                State.create(path / _STATE, told)
            state = State(path / _STATE)
            ending.callback(state.close)
            _agree(path, state, key_id, pseudonymous=pseudonymous)
            store = _store(path / "events", key_id)
            ending.callback(store.close)
            folder = Folder(path, state, store, key)
            _sweep(folder)
            yield folder
    finally:
        os.umask(umask)


def _begin(path: Path) -> None:
    if path.exists() and not path.is_dir():
        raise OutputError("is a file; name a folder with --state", path=path)
    if not path.exists():
        path.mkdir(mode=0o700, parents=True)
    if (path / _STATE).exists():
        return
    half_made = Path(_STATE).stem + ".new"
    names = sorted(each.name for each in path.iterdir())
    others = [n for n in names if n not in (_LOCK, _KEY) and not n.startswith(half_made)]
    if others:
        raise OutputError(
            f"holds something that is no state of a watch ('{others[0]}'); name an empty folder, "
            "or one that is not there yet, with --state",
            path=path,
        )
    path.chmod(0o700)


@contextlib.contextmanager
def _held(lock: Path) -> Iterator[None]:
    """The lock goes with the process, however that ends."""
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OutputError(
                "another process watches with this state; stop it first, or name another --state",
                path=lock.parent,
            ) from None
        yield
    finally:
        os.close(descriptor)


def _key(kept: Path, given: SketchKey | None, *, begun: bool) -> SketchKey:
    if given is not None:
        return given
    if kept.exists():
        return SketchKey.from_file(kept)
    if begun:
        raise KeyFileError("the key of this state is not in it; name it with --key-file", path=kept)
    key = SketchKey.generate()
    key.write(kept)
    return key


def _store(events: Path, key_id: str) -> EventStore:
    if (events / "hot.sqlite").exists():
        return EventStore.open(events)
    if events.exists():  # half-made
        shutil.rmtree(events)
    return EventStore.create(events, key_id=key_id)


def _agree(path: Path, state: State, key_id: str, *, pseudonymous: bool) -> None:
    """What a state was begun with holds for as long as it lives."""
    if state.about("key_id") != key_id:
        raise KeyFileError(
            f"this state was begun with the key {state.about('key_id')}, and this is "
            f"{key_id}: their digests do not meet. Name the first one with --key-file, or "
            "begin a new state",
            path=path,
        )
    if state.about("pseudonymous") != str(int(pseudonymous)):
        raise SettingsError(
            f"this state was begun with{'out' if pseudonymous else ''} --pseudonymous; go on so, "
            "or begin a new state",
            path=path,
        )


def _sweep(folder: Folder) -> None:
    """Remove what a crash left half-made, and what a power cut may have left unwritten."""
    folder.waiting.mkdir(exist_ok=True)
    kept = folder.state.files()
    for file in folder.waiting.iterdir():
        if not (file.stem.isdigit() and int(file.stem) in kept):
            file.unlink()
    shutil.rmtree(folder.work / "spill", ignore_errors=True)
    boot = _BOOT.read_text().strip() if _BOOT.exists() else "unknown"
    if folder.state.about("boot") != boot:  # results of stages are renamed, but not synced
        shutil.rmtree(folder.work, ignore_errors=True)
        folder.state.say(boot=boot)
