"""One look: what waits for it → the event store → campaigns → findings, as one step."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stillwatch import __version__
from stillwatch.campaigns.campaign import ScanReport, Source
from stillwatch.campaigns.finding import Found, find_campaigns
from stillwatch.campaigns.marks import union
from stillwatch.campaigns.meeting import look_in
from stillwatch.campaigns.progress import Silent
from stillwatch.campaigns.reading import AccountNames
from stillwatch.campaigns.recorded import FORMAT as RECORDED
from stillwatch.campaigns.registered import NAMELESS, remark
from stillwatch.campaigns.track_record import TrackRecord
from stillwatch.campaigns.watching import waiting
from stillwatch.campaigns.watching.changes import Changes, Event, compare
from stillwatch.campaigns.watching.folder import Folder
from stillwatch.campaigns.watching.publishing import publish_findings, publish_look
from stillwatch.campaigns.watching.schedule import DAY, Schedule, instant
from stillwatch.detections import Detection, Meeting
from stillwatch.engines import Engine, open_engine

__all__ = ["Asked", "Look", "Looks", "accounts_kept"]

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Look:
    """What a look did.

    Attributes:
        fresh, rows: exchanges that were new, and all in the window.
        dropped: exchanges that left the window.
        campaigns: how many it supports.
        events: what it reported.
        seconds: what each step took; those with a leading blank are parts of the one before.
    """

    boundary: int
    fresh: int
    rows: int
    dropped: int
    campaigns: int
    events: Counter[Event]
    seconds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """What is asked anew at each look, for others change it between two.

    Attributes:
        meeting: what looks for the indicators of others that are live; None where none are.
        track_record: what analysts found of the same detections.
    """

    meeting: Callable[[], Meeting] | None = None
    track_record: Callable[[], Sequence[TrackRecord]] = tuple


@dataclass(frozen=True)
class _Scope:
    """What the window holds: accounts with their names, first and last time."""

    names: AccountNames
    accounts: int
    first: int
    last: int


class Looks:
    """Makes the looks of one state."""

    def __init__(
        self,
        folder: Folder,
        schedule: Schedule,
        detections: Sequence[Detection],
        *,
        sources: Sequence[str],
        engine: str,
        memory_mb: int,
        fdr: float,
        asked: Asked,
    ) -> None:
        self._folder, self._schedule, self._detections = folder, schedule, detections
        self._sources = tuple(sources)
        self._engine, self._memory_mb, self._asked = engine, memory_mb, asked
        # of what is reported at the looks of one window together the share of false campaigns is
        # at most the sum of what each look allows itself
        self._alpha = fdr / schedule.steps

    def look(self, boundary: int) -> Look:
        """Make the look `boundary`. Interrupted anywhere, it is made again with the same result.

        Raises:
            StorageError: the disk is full.
        """
        folder, seconds = self._folder, _Seconds()
        folder.state.close_until(boundary)  # what is read from now on belongs to later looks
        fresh = folder.state.waiting(boundary)
        label = str(boundary)
        if folder.store.label != label:  # else it was killed after this had come to count
            with folder.store.bulk(label) as writer:
                for batch in waiting.read(folder.waiting, fresh):
                    writer.write(batch)
        dropped = self.retain(boundary)
        folder.store.join()
        seconds.done("store")
        meeting = None if self._asked.meeting is None else self._asked.meeting()
        looked = None if meeting is None else look_in(folder.store.parquet_files(), meeting)
        seconds.done("indicators of others")
        with open_engine(self._engine, folder.work, memory_mb=self._memory_mb) as engine:
            scope = self._scope(engine)
            seconds.done("names")
            found = find_campaigns(
                engine,
                folder.store,
                self._detections,
                scope.names,
                lambda _: {},
                folder.work / "stages",
                Silent(),
                alpha=self._alpha,
                tidy=True,
                hits=None if looked is None else looked.hits,
            )
        seconds.done("find campaigns")
        seconds.within(found.detected.seconds)
        known = folder.state.known()
        changes = compare(
            known, found.campaigns, found.review, boundary, self._schedule.first(boundary)
        )
        remarks = [] if looked is None else [looked.remark()]
        report = self._report(boundary, changes, found, scope, remarks)
        publish_look(folder, report, found.detected.findings, found.scores, scope.names)
        lines = [json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in changes.lines]
        seconds.done("report")
        folder.state.close_look(boundary, lines, changes.known)
        publish_findings(folder)
        waiting.remove(folder.waiting, folder.state.files())
        seconds.done("commit")
        return Look(
            boundary=boundary,
            fresh=sum(each.rows for each in fresh),
            rows=report.source.rows,
            dropped=dropped,
            campaigns=len(changes.campaigns),
            events=Counter(Event(line["event"]) for line in changes.lines),
            seconds=seconds.spent,
        )

    def retain(self, boundary: int) -> int:
        """Drop what is older than the window of a look; the number of rows."""
        state, first = self._folder.state, self._schedule.first_day(boundary)
        gone = self._folder.store.expire(first)
        if state.about("names_since") != str(first):
            state.forget_names(accounts_kept(self._folder), since=str(first))
        return gone

    def _scope(self, engine: Engine) -> _Scope:
        rows = engine.read(self._folder.store.parquet_files())
        times = rows.group_by("account").agg(first=rows.at.min(), last=rows.at.max())
        found = engine.collect(times).sort_by("account")
        accounts = found["account"].to_numpy()
        pseudonymous = self._folder.state.about("pseudonymous") == "1"
        names = AccountNames(pseudonymous=pseudonymous)
        if pseudonymous:
            names.add(accounts, [])
        else:
            digests, called = self._folder.state.names()
            names.add(accounts, [called[at] for at in np.searchsorted(digests, accounts)])
        return _Scope(
            names=names,
            accounts=len(accounts),
            first=pc.min(found["first"].cast(pa.int64())).as_py(),
            last=pc.max(found["last"].cast(pa.int64())).as_py(),
        )

    def _report(
        self, boundary: int, changes: Changes, found: Found, scope: _Scope, remarks: Sequence[str]
    ) -> ScanReport:
        state, days = self._folder.state, self._schedule.window // DAY
        about = (
            f"the look of a watch at {instant(boundary):%Y-%m-%d %H:%M} UTC, over {days} days; "
            "wordings are not kept for it"
        )
        called = ""
        if state.about("log") == RECORDED:
            called = remark(scope.names)
        else:
            about += ": scan the log to read them"
        return ScanReport(
            source=Source(
                rows=self._folder.store.rows(),
                rejected=state.rejected,
                first=instant(scope.first),
                last=instant(scope.last),
                accounts=scope.accounts,
                files=self._sources,
                format=state.about("log"),
            ),
            campaigns=tuple(changes.campaigns),
            review=tuple(found.review),
            alpha=self._alpha,
            tested=found.tested,
            withheld=tuple((each.segment, each.reason) for each in found.withheld),
            calibration=found.calibration,
            bounds=tuple(found.bounds),
            considered=len(found.detected.judged),
            detections=tuple(found.ran),
            notes=(about, *filter(None, (called, *remarks)), *state.notes()),
            reference=None,
            pseudonymous=state.about("pseudonymous") == "1" or called == NAMELESS,
            version=__version__,
            track_record=tuple(self._asked.track_record()),
        )


def accounts_kept(folder: Folder) -> Ints:
    """The accounts of all exchanges that are kept, ascending."""
    kept = [
        np.unique(pq.read_table(path, columns=["account"])["account"].to_numpy())
        for path in folder.store.parquet_files()
    ]
    kept += [
        batch["account"].to_numpy()
        for batch in waiting.read(folder.waiting, folder.state.waiting())
    ]
    return union(kept)


class _Seconds:
    """A stop watch for the steps of a look."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}
        self._since = time.perf_counter()

    def done(self, step: str) -> None:
        now = time.perf_counter()
        self.spent[step] = now - self._since
        self._since = now

    def within(self, parts: Mapping[str, float]) -> None:
        """What the parts of the last step took."""
        self.spent |= {f"  {name}": seconds for name, seconds in parts.items()}
