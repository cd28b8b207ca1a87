"""The loop: read what is new, make the looks that are due, sleep."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stillwatch.campaigns.progress import Progress, Silent
from stillwatch.campaigns.promise import ALPHA
from stillwatch.campaigns.recorded import FORMAT as RECORDED
from stillwatch.campaigns.recorded import named_store
from stillwatch.campaigns.watching.changes import Event
from stillwatch.campaigns.watching.folder import Folder, open_folder
from stillwatch.campaigns.watching.gateway_store import GatewayStore
from stillwatch.campaigns.watching.intake import Intake
from stillwatch.campaigns.watching.look import Asked, Look, Looks
from stillwatch.campaigns.watching.publishing import publish_findings
from stillwatch.campaigns.watching.recorded import RecordedIntake
from stillwatch.campaigns.watching.schedule import DAY, Schedule, instant
from stillwatch.detections import load_detections
from stillwatch.errors import SettingsError
from stillwatch.sketches import SketchKey
from stillwatch.sketches.compared import Comparable
from stillwatch.sources import Follower

__all__ = ["SECOND", "WatchOptions", "watch"]

SECOND = 1_000_000
#: seconds between two questions whether a log has grown
PATIENCE = 2.0


@dataclass(frozen=True)
class WatchOptions:
    """What ``watch`` is asked to do.

    Attributes:
        sources: files, folders or globs; they may grow, rotate, and not be there yet. Or a single
            gateway's state folder, or the event store in it.
        state: the folder of the state; made where there is none.
        every, window, grace: µs between looks, µs that a look covers (whole days), and µs that
            late rows have before a look closes.
        once: make the looks that are complete, and end.
        key: the secret of the sketches. Where none is given, the state's own; of an event store
            the one beside it.
        pseudonymous: digests in place of account names in everything that is written.
        memory_mb: what the engine may hold before it spills to disk.
        fdr: the expected share of false campaigns among those reported within a window, at most.
        asked: what others told, and what analysts found, as of each look.
        compared: keys of communities, to keep of each exchange of a log what can be compared under
            them; a gateway does so itself.

    Raises:
        SettingsError: a time is too short, or the window shorter than the step.
    """

    sources: Sequence[str | Path]
    state: Path
    every: int = 3600 * SECOND
    window: int = 14 * DAY
    grace: int = 300 * SECOND
    once: bool = False
    key: SketchKey | None = None
    format: str = "auto"
    engine: str = "duckdb"
    pseudonymous: bool = False
    memory_mb: int = 5_000
    fdr: float = ALPHA
    asked: Asked = field(default_factory=Asked)
    compared: Sequence[Comparable] = ()

    def __post_init__(self) -> None:
        if self.every < SECOND:
            raise SettingsError("--every must be a second or more")
        if self.window < DAY or self.window % DAY:
            raise SettingsError("--window must be whole days, one or more")
        if self.window < self.every:
            raise SettingsError("--window must not be shorter than --every")


def now() -> int:
    """The wall clock, µs since 1970."""
    return time.time_ns() // 1000


def watch(
    options: WatchOptions,
    progress: Progress | None = None,
    *,
    clock: Callable[[], int] = now,
    seen: Callable[[Look], None] | None = None,
) -> int:
    """Read the sources as they grow, look at them in steps, write findings; see ``docs/watch.md``.

    Args:
        clock: tells the time, in µs since 1970.
        seen: called with each look that was made.

    Returns:
        The number of lines in ``findings.jsonl``, when everything was read (``once``).

    Raises:
        InputError: a source cannot be read.
        OutputError: the state is in use, or the folder holds something else.
        KeyFileError: the state was begun with another key, or the event store was.
        StorageError: the disk is full.
    """
    progress = progress or Silent()
    recorded = named_store(options.sources)
    schedule = Schedule(options.every, options.window, options.grace)
    with contextlib.ExitStack() as ending:
        key, pseudonymous = options.key, options.pseudonymous
        intake: Intake | RecordedIntake
        if recorded is None:
            folder = ending.enter_context(
                open_folder(options.state, key, pseudonymous=pseudonymous)
            )
            intake = Intake(folder, _follower(options, folder), schedule, options.compared)
        else:
            source = GatewayStore(recorded, key, pseudonymous=pseudonymous)
            ending.callback(source.close)
            folder = ending.enter_context(
                open_folder(options.state, None, pseudonymous=pseudonymous, sketched=source.key_id)
            )
            intake = RecordedIntake(folder, source, schedule)
        return _Watch(options, folder, intake, schedule, progress, clock, seen).run()


def _follower(options: WatchOptions, folder: Folder) -> Follower:
    settled = folder.state.about("log")
    if settled == RECORDED:
        raise SettingsError(
            "this state was begun with an event store; watch logs with a state of their own"
        )
    follower = Follower(
        options.sources, folder.state.places(), format=options.format, settled=settled
    )
    follower.check()
    return follower


class _Watch:
    def __init__(
        self,
        options: WatchOptions,
        folder: Folder,
        intake: Intake | RecordedIntake,
        schedule: Schedule,
        progress: Progress,
        clock: Callable[[], int],
        seen: Callable[[Look], None] | None,
    ) -> None:
        self._options, self._folder, self._progress = options, folder, progress
        self._clock, self._seen = clock, seen
        self._intake, self._schedule = intake, schedule
        self._looks = Looks(
            folder,
            self._schedule,
            load_detections(),
            sources=[str(source) for source in options.sources],
            engine=options.engine,
            memory_mb=options.memory_mb,
            fdr=options.fdr,
            asked=options.asked,
        )

    def run(self) -> int:
        state = self._folder.state
        publish_findings(self._folder)
        self._make(state.closed)  # a look that was under way
        while True:
            moment, steps = self._clock(), 0
            for _ in self._intake.read(moment):
                steps += 1
                self._make(self._schedule.closed_at(state.newest))
            while self._intake.lost:
                self._progress.note(f"note: {self._intake.lost.pop(0)}")
            if self._options.once or not steps:  # all is read that was there
                self._make(self._schedule.closed_at(moment))
                self._expire(moment)
            if self._options.once:
                break
            if not steps:
                time.sleep(PATIENCE)
        for note in [*state.notes(), *self._intake.left_over()]:
            self._progress.note(f"note: {note}")
        return state.lines()

    def _make(self, until: int) -> None:
        """Make every look up to the boundary `until` for which something waits."""
        state, dropped = self._folder.state, 0
        while (boundary := state.due(until)) is not None:
            self._intake.rename()
            look = self._looks.look(boundary)
            dropped += look.dropped
            self._progress.note(_told(look))
            if self._seen is not None:
                self._seen(look)
        if dropped:
            self._intake.forget()

    def _expire(self, moment: int) -> None:
        """Drop what has left the window since something was read, though nothing came after it.

        Time that passes counts from the newest exchange on: an old log that is replayed stays.
        """
        state, schedule = self._folder.state, self._schedule
        passed = schedule.closed_at(state.newest + max(0, moment - state.read_at))
        if state.closed and schedule.first(passed) > schedule.first(state.closed):
            state.close_until(passed)
            if self._looks.retain(passed):
                self._intake.forget()


def _told(look: Look) -> str:
    events = ", ".join(f"{look.events[event]} {event}" for event in Event if look.events[event])
    return (
        f"look {instant(look.boundary):%Y-%m-%d %H:%M} UTC: {look.fresh:,} new of {look.rows:,} "
        f"exchanges, {look.campaigns:,} campaigns{': ' if events else ''}{events} "
        f"({sum(s for name, s in look.seconds.items() if not name.startswith(' ')):.1f} s)"
    )
