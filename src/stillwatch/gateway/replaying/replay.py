"""A log and a set of rules → what these rules would have done to it, and to whom."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import msgspec

from stillwatch.access.database import open_database
from stillwatch.access.enforcement import ActionStore
from stillwatch.access.keys import KeyStore
from stillwatch.access.places import Places
from stillwatch.access.reading import AccessSettings, read_access
from stillwatch.access.trying import Whenever
from stillwatch.errors import StorageError
from stillwatch.events import EventStore
from stillwatch.gateway.replaying.comparing import Alone, Compared
from stillwatch.gateway.replaying.gathering import Gathered, kept
from stillwatch.gateway.replaying.judging import Judge
from stillwatch.gateway.replaying.metering import limits_not_asked
from stillwatch.gateway.replaying.people import People
from stillwatch.gateway.replaying.recorded import digests_of, find_store, recorded, store_batches
from stillwatch.gateway.replaying.report import (
    Replay,
    account_lines,
    kind_lines,
    log_read,
    outcomes,
    rule_lines,
)
from stillwatch.gateway.replaying.requests import Requests
from stillwatch.gateway.replaying.rows import PARAMETERS
from stillwatch.gateway.replaying.tallies import Tallies
from stillwatch.settings import read_settings
from stillwatch.sources import Reject, open_log

__all__ = ["Progress", "ReplayOptions", "Replayed", "replay"]

#: sections of a settings file that are another room's
_OTHERS = ("gateway", "sketches", "sources", "engines", "campaigns", "watermark")
_STEP = 4096  # rows between two signs of progress
_ATTEMPTS = 5
_ASKED_BESIDES = ("echo", "prompt_logprobs", "token_ids", "unknown request fields")


class Progress(Protocol):
    """Who waits for a replay, and hears how far it is."""

    def step(self, name: str, total: int | None = None) -> None: ...
    def advance(self, done: int) -> None: ...


class ReplayOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What to replay. `state` is a gateway's folder, or the address of its database; `level` and
    `tier` are assumed of accounts that it does not know. `blanks_unknown`: a parameter that a row
    leaves blank is not known, though other rows fill it."""

    rules: Path
    logs: tuple[str, ...]
    against: Path | None = None
    state: str | None = None
    format: str = "auto"
    level: str | None = None
    tier: str | None = None
    blanks_unknown: bool = False


class Replayed(msgspec.Struct, frozen=True):
    """The report, with the counts of every account behind it and the rows that were not read."""

    report: Replay
    tallies: Tallies
    names: dict[str, str]
    rejects: tuple[Reject, ...]


class _Log:
    """What was gathered of a log."""

    def __init__(self, work: Path) -> None:
        self.rows = Gathered(work)
        self.files: tuple[str, ...] = ()
        self.format = ""
        self.notes: list[str] = []
        self.rejects: list[Reject] = []
        self.rejected = 0
        self.refused_then = 0


#: Rows that could not be read and are kept to be shown; all of them are counted.
MOST_REJECTS = 100_000


def replay(options: ReplayOptions, progress: Progress) -> Replayed:
    """Ask the rules of every request of a log, in the order of their times.

    Raises:
        SettingsError: a file of rules cannot be read.
        InputError: the log cannot be read.
        StorageError: a store cannot be reached, or the disk is full.
    """
    access = _read(options.rules)
    before = None if options.against is None else _read(options.against)
    with contextlib.ExitStack() as ending:
        work = Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="stillwatch-")))
        log = _Log(work)
        ending.enter_context(log.rows)
        store = find_store(options.logs)
        if store is None:
            _gather(options, log, progress)
        else:
            log = ending.enter_context(_gathered_store(store, work / "events", progress))
        people, actions = _state(options, digested=store is not None)
        given = log.rows.given | (frozenset(PARAMETERS) if store is not None else frozenset())
        requests = Requests(given, people, _places(access), blanks_unknown=options.blanks_unknown)
        times = "latency_ms" in log.rows.given
        judge = Judge(access, actions, times=times)
        others = () if before is None else (Judge(before, actions, times=times),)
        counting = Compared(judge, others[0]) if others else Alone(judge)
        progress.step("asking the rules", log.rows.rows)
        for number, row in enumerate(log.rows.in_order(), 1):
            if row.status is not None and 400 <= row.status < 500:
                log.refused_then += 1
            counting.add(row, requests.of(row))
            if not number % _STEP:
                progress.advance(_STEP)
        notes = (*log.notes, *_notes(options, access, log, people, requests, times=times))
        return _replayed(options, log, counting.tallies, (judge, *others), people, requests, notes)


def _read(path: Path) -> AccessSettings:
    """The rules of a file that may hold settings of the gateway too."""
    settings = read_settings(path)
    access = read_access(settings)
    for name in _OTHERS:
        settings.section(name)
    settings.finish()
    return access


def _gather(options: ReplayOptions, into: _Log, progress: Progress) -> None:
    log = open_log(options.logs, format=options.format)
    into.files, into.format = tuple(map(str, log.files)), log.format
    progress.step("reading the log", log.bytes_total)
    for batch in log.batches():
        into.rows.add(kept(batch.rows))
        into.rejected += len(batch.rejects)
        into.rejects += batch.rejects[: MOST_REJECTS - len(into.rejects)]
        progress.advance(batch.bytes_read)
    into.notes += log.notes
    if log.unknown_columns:
        into.notes.append(f"columns that nobody knows: {', '.join(log.unknown_columns)}")


@contextlib.contextmanager
def _gathered_store(path: Path, work: Path, progress: Progress) -> Iterator[_Log]:
    """What an event store held at one moment: it is read again where it was rolled meanwhile."""
    with EventStore.open(path) as store:
        for _ in range(_ATTEMPTS):
            work.mkdir()
            log = _Log(work)
            with log.rows:
                log.files, log.format = (str(path),), "events"
                listed = store.parquet_files()
                progress.step("reading the event store", None)
                with contextlib.suppress(FileNotFoundError):
                    for batch in store_batches(store):
                        log.rows.add(recorded(batch))
                    if store.parquet_files() == listed:
                        yield log
                        return
            shutil.rmtree(work)
    raise StorageError("the store is being rolled or erased again and again; try later", path=path)


def _state(options: ReplayOptions, *, digested: bool) -> tuple[People, Whenever]:
    """Who has which key, and every action that ever was, as the state has them."""
    if options.state is None:
        return People(level=options.level, tier=options.tier), Whenever()
    database = open_database(options.state)
    try:
        keys = list(KeyStore(database).list())
        actions = Whenever(ActionStore(database).history())
    finally:
        database.close()
    name: Callable[[str, str], str] = digests_of(Path(options.state) / "sketch.key") if (
        digested and "://" not in options.state
    ) else lambda _, value: value  # fmt: skip
    return People(keys, name=name, level=options.level, tier=options.tier), actions


def _places(access: AccessSettings) -> Places | None:
    places = access.places
    if places.country_mmdb is None and places.asn_mmdb is None and not places.lists:
        return None
    return Places(places.country_mmdb, places.asn_mmdb, lists=places.lists)


def _notes(
    options: ReplayOptions, access: AccessSettings, log: _Log, people: People,
    requests: Requests, *, times: bool,
) -> Iterator[str]:  # fmt: skip
    """What was assumed; every sentence is about this log and these rules."""
    yield "clients would have behaved differently: whoever is refused asks again, or goes"
    blank: Counter[str] = log.rows.blank
    assumed = [
        f"{column} ({blank[column]:,} rows)"
        for column, fact in PARAMETERS.items()
        if fact not in requests.absent and blank[column]
    ]
    if assumed and not options.blanks_unknown:
        yield f"blank, and read as not asked for: {', '.join(assumed)}"
    asked = sorted((requests.absent & set(PARAMETERS.values())) | {"seed"})
    yield (
        "levels are asked as if nobody had wanted what the log does not say:"
        f" {', '.join([*asked, *_ASKED_BESIDES])}"
    )
    if people.unknown:
        known = "has no key in the state" if people.has_keys else "is not known without --state"
        yield f"who sent them {known}: {len(people.unknown):,} accounts"
    if (
        {"levels", "tiers"} & access.said
        and people.unknown
        and (options.level is None or options.tier is None)
    ):
        yield "of these no level and no limits were asked; --level and --tier assume some"
    if {"levels", "tiers"} & access.said and people.unsure:
        yield (
            "which key was used is not known, and no level or no limits were asked of those with"
            f" keys of different levels or tiers: {len(people.unsure):,} accounts"
        )
    if skipped := limits_not_asked(access.tiers, times=times):
        yield f"limits that a log cannot be held against: {', '.join(skipped)}"
    if "backends" not in access.said and any(
        rule for rule in access.rules.rules if type(rule.effect).__name__ == "Route"
    ):
        yield "the file names no backends: where rules route to was not asked"
    if blank["logit_bias"] != log.rows.rows:
        yield "which tokens were biased, and how, no log says: bans are assumed"


def _replayed(
    options: ReplayOptions, log: _Log, tallies: Tallies, judges: tuple[Judge, ...],
    people: People, requests: Requests, notes: tuple[str, ...],
) -> Replayed:  # fmt: skip
    rows = log.rows
    report = Replay(
        rules_file=str(options.rules),
        against=None if options.against is None else str(options.against),
        log=log_read(
            log.files, log.format, rows.rows, log.rejected, len(tallies.accounts),
            (rows.first, rows.last), log.refused_then,
        ),
        outcomes=outcomes(tallies, compared=options.against is not None),
        effects=dict(tallies.effects.most_common()),
        rules=rule_lines(tallies, judges, rows.rows),
        kinds=kind_lines(tallies),
        accounts=account_lines(tallies, people.names),
        affected_accounts=sum(1 for each in tallies.accounts.values() if tallies.affected(each)),
        absent=tuple(sorted(requests.absent)),
        notes=notes,
    )  # fmt: skip
    return Replayed(report, tallies, people.names, tuple(log.rejects))
