"""The main job: a provider's table of requests → campaigns, with the evidence for and against."""

from __future__ import annotations

import contextlib
import datetime as dt
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from stillwatch import __version__
from stillwatch.campaigns.campaign import ScanReport, Source
from stillwatch.campaigns.detecting import Detected, Sketched
from stillwatch.campaigns.finding import Found, ReadWords, find_campaigns
from stillwatch.campaigns.meeting import look_in
from stillwatch.campaigns.novelty import Reference
from stillwatch.campaigns.outputs import output_folder, write_accounts, write_campaigns
from stillwatch.campaigns.progress import Progress, Silent
from stillwatch.campaigns.promise import ALPHA
from stillwatch.campaigns.reading import AccountNames, Read, read_log
from stillwatch.campaigns.recorded import Recorded, named_store, read_store
from stillwatch.campaigns.registered import Registered, key_of
from stillwatch.campaigns.report import render
from stillwatch.campaigns.track_record import TrackRecord
from stillwatch.detections import Detection, Meeting, load_detections
from stillwatch.engines import Engine, open_engine
from stillwatch.errors import InputError
from stillwatch.events import EventStore
from stillwatch.sketches import CellDictionary, SketchKey
from stillwatch.sources import Log, open_log

__all__ = ["ScanOptions", "scan", "search"]


@dataclass(frozen=True)
class ScanOptions:
    """What ``scan`` is asked to do.

    Attributes:
        key: the secret of the sketches. Where none is given, a fresh one that is forgotten at the
            end; of an event store, the one beside it.
        reference: logs of an earlier period that novelty is judged against.
        reference_until: rows before that time (µs since 1970) are the reference instead.
        pseudonymous: digests in place of account names in everything that is written.
        k: fewest accounts from which on masked words may be read.
        memory_mb: what the engine may hold before it spills to disk.
        fdr: the promise: the expected share of false campaigns among those reported, at most.
        track_record: what analysts found of the same detections; see :class:`TrackRecord`.
        caveat: what a reader of the report must know before everything else.
        meeting: looks for indicators of others; in an event store among exchanges that were
            recorded while the key of the community was in use.
    """

    logs: Sequence[str | Path]
    out: Path
    format: str = "auto"
    key: SketchKey | None = None
    reference: Sequence[str | Path] = ()
    reference_until: int | None = None
    force: bool = False
    pseudonymous: bool = False
    engine: str = "duckdb"
    k: int = 5
    memory_mb: int = 5_000
    fdr: float = ALPHA
    track_record: tuple[TrackRecord, ...] = ()
    caveat: str | None = None
    meeting: Meeting | None = None


def scan(options: ScanOptions, progress: Progress | None = None) -> ScanReport:
    """Read the logs, find campaigns, write the files of ``docs/scan.md`` into ``options.out``.

    Raises:
        InputError: a log cannot be read.
        KeyFileError: an event store was made with another key.
        OutputError: the output folder is in the way.
        StorageError: the disk is full.
    """
    progress = progress or Silent()
    recorded = named_store(options.logs)
    if recorded is not None:
        return _scan_store(recorded, options, progress)
    detections = load_detections()
    key = options.key or SketchKey.generate()
    with output_folder(options.out, force=options.force) as folder:
        work = folder / "work"
        work.mkdir()
        log = open_log(options.logs, format=options.format)
        names = AccountNames(pseudonymous=options.pseudonymous)
        rejects = folder / "rejects.jsonl"
        until = options.reference_until
        with (
            EventStore.create(work / "events", key_id=key.key_id) as store,
            open_engine(options.engine, work, memory_mb=options.memory_mb) as engine,
        ):
            reference = _reference(options, key, log, engine, work, rejects, progress)
            read = read_log(
                log, key, store, names, rejects, progress,
                keep=(until, None), meeting=options.meeting,
            )  # fmt: skip
            report = search(
                options,
                engine,
                store,
                detections,
                names,
                read,
                folder,
                lambda wanted: _read_words(key, options.k, wanted, log, progress),
                progress,
                reference,
            )
        shutil.rmtree(work)
    return report


def _scan_store(path: Path, options: ScanOptions, progress: Progress) -> ScanReport:
    """The same of an event store, which holds no text, and the names of accounts beside it."""
    if options.reference or options.reference_until is not None:
        raise InputError("an event store cannot be judged against a reference yet", path=path)
    detections = load_detections()
    with (
        output_folder(options.out, force=options.force) as folder,
        contextlib.closing(_registered(path, options)) as registered,
    ):
        work = folder / "work"
        (work / "events").mkdir(parents=True)
        (folder / "rejects.jsonl").touch()
        options = replace(options, pseudonymous=not registered.named)
        names = AccountNames(pseudonymous=options.pseudonymous)
        store, read = read_store(path, work / "events", names, registered.call, progress)
        if options.meeting is not None:
            _look(path, store, options.meeting, read, progress)
        with open_engine(options.engine, work, memory_mb=options.memory_mb) as engine:
            report = search(
                options, engine, store, detections, names, read, folder, lambda _: {}, progress
            )
        shutil.rmtree(work)
    return report


def _look(path: Path, store: Recorded, meeting: Meeting, read: Read, progress: Progress) -> None:
    """Hold what was recorded against indicators of others."""
    progress.step("looking for indicators of others")
    looked = look_in(store.parquet_files(), meeting)
    if read.rows and not looked.compared:
        raise InputError(
            "none of its exchanges was recorded under this key of a community; name the key where "
            "the gateway is started (`serve --community FILE`), or give the log itself",
            path=path,
        )
    read.hits = looked.hits
    read.notes += filter(None, [looked.remark()])


def _registered(path: Path, options: ScanOptions) -> Registered:
    with EventStore.open(path, tidy=False) as store:
        needed = options.key is not None or not options.pseudonymous
        key = key_of(store, options.key) if needed else None
    return Registered(path, key, pseudonymous=options.pseudonymous)


def search(
    options: ScanOptions,
    engine: Engine,
    store: Sketched,
    detections: Sequence[Detection],
    names: AccountNames,
    read: Read,
    folder: Path,
    read_words: ReadWords,
    progress: Progress,
    reference: Reference | None = None,
) -> ScanReport:
    """Find campaigns among sketched exchanges, write the files of ``docs/scan.md`` into `folder`.

    Stages go to ``work/stages`` within it.

    Args:
        names, read: what reading the log into `store` gave.
        read_words: the second pass over the text, for the cell dictionary.
    """
    found = Found(Detected({}, [], [], {}, {}), [], [], 0, [], [], {})
    if read.rows:
        found = find_campaigns(
            engine,
            store,
            detections,
            names,
            read_words,
            folder / "work" / "stages",
            progress,
            reference,
            alpha=options.fdr,
            hits=read.hits,
        )
    progress.step("writing")
    report = _report(options, read, found, len(names.table()), reference)
    write_campaigns(report, folder / "campaigns.json")
    write_accounts(
        report, found.detected.findings, found.scores, names, folder / "accounts.parquet"
    )
    (folder / "report.html").write_text(render(report), encoding="utf-8")
    return report


def _reference(
    options: ScanOptions,
    key: SketchKey,
    log: Log,
    engine: Engine,
    work: Path,
    rejects: Path,
    progress: Progress,
) -> Reference | None:
    """Sketch the reference period into a store of its own; None where none is named."""
    if not options.reference and options.reference_until is None:
        return None
    earlier = open_log(options.reference, format=options.format) if options.reference else log
    names = AccountNames()
    if earlier is log:  # what is refused is written when the log itself is read
        rejects = work / "rejects.jsonl"
    with EventStore.create(work / "reference", key_id=key.key_id) as store:
        read = read_log(
            earlier, key, store, names, rejects, progress,
            keep=(None, options.reference_until),
        )  # fmt: skip
        if not read.rows:
            return Reference(engine, [], 0, "an empty period")
        first, last = _time(read.first), _time(read.last)
        assert first is not None
        assert last is not None
        words = f"{read.rows:,} exchanges from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC"
        return Reference(engine, store.parquet_files(), len(names.table()), words)


def _read_words(
    key: SketchKey, k: int, wanted: set[int], log: Log, progress: Progress
) -> dict[int, str]:
    """The cell dictionary: a second pass over the text, for shared cells of campaigns only."""
    if not wanted:
        return {}
    progress.step("reading the shared wordings", log.bytes_total)
    dictionary = CellDictionary(key, wanted, k)
    for batch in log.batches():
        dictionary.add(batch.rows)
        progress.advance(batch.bytes_read)
    return dictionary.read()


def _report(
    options: ScanOptions, read: Read, found: Found, accounts: int, reference: Reference | None
) -> ScanReport:
    return ScanReport(
        source=Source(
            rows=read.rows,
            rejected=read.rejected,
            first=_time(read.first),
            last=_time(read.last),
            accounts=accounts,
            files=read.files,
            format=read.format,
        ),
        campaigns=tuple(found.campaigns),
        review=tuple(found.review),
        alpha=options.fdr,
        tested=found.tested,
        withheld=tuple((each.segment, each.reason) for each in found.withheld),
        calibration=found.calibration,
        bounds=tuple(found.bounds),
        considered=len(found.detected.judged),
        detections=tuple(found.ran),
        notes=tuple(read.notes),
        reference=None if reference is None else reference.words,
        pseudonymous=options.pseudonymous,
        version=__version__,
        track_record=options.track_record,
        caveat=options.caveat,
    )


def _time(micros: int | None) -> dt.datetime | None:
    if micros is None:
        return None
    return dt.datetime.fromtimestamp(0, dt.UTC) + dt.timedelta(microseconds=micros)
