"""The main job: a provider's table of requests → campaigns, with the evidence for and against."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from stillwatch import __version__
from stillwatch.campaigns.campaign import Campaign, ScanReport, Source
from stillwatch.campaigns.detecting import Detected, StageTables, detect, run_all_stages
from stillwatch.campaigns.gathering import gather
from stillwatch.campaigns.members import settle
from stillwatch.campaigns.outputs import output_folder, write_accounts, write_campaigns
from stillwatch.campaigns.progress import Progress, Silent
from stillwatch.campaigns.reading import AccountNames, Read, read_log
from stillwatch.campaigns.report import render
from stillwatch.campaigns.templates import CellUse, cell_uses, templates
from stillwatch.detections import load_detections
from stillwatch.engines import open_engine
from stillwatch.events import EventStore
from stillwatch.sketches import CellDictionary, SketchKey
from stillwatch.sources import Log, open_log

__all__ = ["ScanOptions", "sampling_for", "scan"]


@dataclass(frozen=True)
class ScanOptions:
    """What ``scan`` is asked to do.

    Attributes:
        key: the secret of the sketches; a fresh one, forgotten at the end, where none is given.
        k: fewest accounts from which on masked words may be read.
        memory_mb: what the engine may hold before it spills to disk.
    """

    logs: Sequence[str | Path]
    out: Path
    format: str = "auto"
    key: SketchKey = field(default_factory=SketchKey.generate)
    force: bool = False
    pseudonymous: bool = False
    engine: str = "duckdb"
    k: int = 5
    memory_mb: int = 5_000


def scan(options: ScanOptions, progress: Progress | None = None) -> ScanReport:
    """Read the logs, find campaigns, write the files of ``docs/scan.md`` into ``options.out``.

    Raises:
        InputError: a log cannot be read.
        OutputError: the output folder is in the way.
        StorageError: the disk is full.
    """
    progress = progress or Silent()
    with output_folder(options.out, force=options.force) as folder:
        work = folder / "work"
        work.mkdir()
        log = open_log(options.logs, format=options.format)
        names = AccountNames()
        store = EventStore.create(work / "events", key_id=options.key.key_id)
        read = read_log(log, options.key, store, names, folder / "rejects.jsonl", progress)
        report = _scan_store(options, store, read, names, log, folder, progress)
        shutil.rmtree(work)
    return report


def sampling_for(exchanges: int) -> int:
    """How far style cells are thinned (a power of two): memory and time stay bounded."""
    return 1 if exchanges <= 2_000_000 else 2 if exchanges <= 6_000_000 else 4


def _scan_store(
    options: ScanOptions,
    store: EventStore,
    read: Read,
    names: AccountNames,
    log: Log,
    folder: Path,
    progress: Progress,
) -> ScanReport:
    detections = load_detections()
    with open_engine(options.engine, folder / "work", memory_mb=options.memory_mb) as engine:
        campaigns: list[Campaign] = []
        if read.rows:
            tables = run_all_stages(
                engine,
                store,
                detections,
                folder / "work" / "stages",
                progress,
                sampling=sampling_for(read.rows),
            )
            found = detect(tables, detections, progress)
            campaigns = _campaigns(options, tables, found, names, log, progress)
        else:
            found = Detected({}, [], [], {})
        progress.step("writing")
        report = ScanReport(
            source=_source(read, len(names.table())),
            campaigns=tuple(campaigns),
            considered=len(found.judged),
            detections=tuple(found.ran),
            notes=tuple(read.notes),
            reference=None,
            pseudonymous=options.pseudonymous,
            version=__version__,
        )
        write_campaigns(report, folder / "campaigns.json")
        write_accounts(report, found.findings, _scores(found), names, folder / "accounts.parquet")
        (folder / "report.html").write_text(render(report), encoding="utf-8")
    return report


def _campaigns(
    options: ScanOptions,
    tables: StageTables,
    found: Detected,
    names: AccountNames,
    log: Log,
    progress: Progress,
) -> list[Campaign]:
    """The accepted candidates with their members; an account belongs to its best campaign."""
    accepted = [pair for pair in found.judged if pair[1].is_campaign]
    if not accepted:
        return []
    gathered = gather(tables, [candidate for candidate, _ in accepted], whole=True)
    labels = {each: text for f in found.findings.values() for each, text in f.labels.items()}
    campaigns: list[Campaign] = []
    uses: list[dict[int, CellUse]] = []
    taken: set[str] = set()
    for candidate, judgement in accepted:
        group = gathered.group(candidate, found.styles)
        campaign = settle(candidate, judgement, group, names, labels)
        if campaign is None:
            continue
        members = tuple(m for m in campaign.members if m.account not in taken)
        if len(members) < 0.5 * len(campaign.members):
            continue  # the same campaign seen through other links
        taken |= {member.account for member in members}
        campaigns.append(replace(campaign, members=members))
        cells = [found.styles[s] for s in candidate.links.get("echo", {}) if s in found.styles]
        every = np.unique(np.concatenate(cells)) if cells else np.zeros(0, dtype=np.int64)
        uses.append(cell_uses(tables, every, candidate.accounts))
    words = _read_words(options, {cell for use in uses for cell in use}, log, progress)
    return [
        replace(campaign, templates=templates(use, words))
        for campaign, use in zip(campaigns, uses, strict=True)
    ]


def _read_words(
    options: ScanOptions, wanted: set[int], log: Log, progress: Progress
) -> dict[int, str]:
    """The cell dictionary: a second pass over the text, for shared cells of campaigns only."""
    if not wanted:
        return {}
    progress.step("reading the shared wordings", log.bytes_total)
    dictionary = CellDictionary(options.key, wanted, options.k)
    for batch in log.batches():
        dictionary.add(batch.rows)
        progress.advance(batch.bytes_read)
    return dictionary.read()


def _scores(found: Detected) -> dict[int, float]:
    """Nats by account: the best score of a candidate that links it."""
    scores: dict[int, float] = {}
    for candidate, judgement in found.judged:
        if judgement.score > 0:
            for account in candidate.accounts.tolist():
                scores[account] = max(scores.get(account, 0.0), judgement.score)
    return scores


def _source(read: Read, accounts: int) -> Source:
    def time(micros: int | None) -> dt.datetime | None:
        return (
            None
            if micros is None
            else dt.datetime.fromtimestamp(0, dt.UTC) + dt.timedelta(microseconds=micros)
        )

    return Source(
        rows=read.rows,
        rejected=read.rejected,
        first=time(read.first),
        last=time(read.last),
        accounts=accounts,
        files=read.files,
        format=read.format,
    )
