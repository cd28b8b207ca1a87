"""How often a detection was right, of the cases that people decided: by detection and segment.

A case counts once for each detection among its evidence, with the verdict that holds now: what an
appeal overturned counts as it was decided in the end. Undetermined cases are shown and not counted.
The interval is that of Clopper and Pearson (1934), exact where cases are independent. What was
reviewed is no random sample: the queue is worked from the top.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import select

from stillwatch.access.database import Database
from stillwatch.cases.case import Case, replay
from stillwatch.cases.events import Event, body_of
from stillwatch.cases.schema import CASES, EVENTS
from stillwatch.cases.store import find_cases
from stillwatch.errors import OutputError
from stillwatch.statistics import share_interval

if TYPE_CHECKING:
    from stillwatch.campaigns import TrackRecord

__all__ = ["EVERY", "FORMAT", "Precision", "Row", "measure", "track_record", "write"]

FORMAT = "stillwatch.precision/1"
#: in place of a detection or a segment: all of them together
EVERY = "*"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """Decided cases of one detection in one segment; ``*`` stands for all of them.

    `precision` is the share upheld of those upheld or dismissed, None where there is none; `least`
    and `most` bound it with `confidence`. `overturned` are those whose first verdict did not hold.
    """

    detection: str
    segment: str
    upheld: int
    dismissed: int
    undetermined: int
    overturned: int
    precision: float | None
    least: float
    most: float


class Precision(msgspec.Struct, frozen=True, kw_only=True):
    """What ``precision.json`` holds."""

    format: str
    at: int
    confidence: float
    decided: int
    rows: tuple[Row, ...]


def measure(database: Database, now: float, *, confidence: float = 0.95) -> Precision:
    """Count the decided cases of a store.

    Raises:
        StorageError: it cannot be read.
    """
    counts: dict[tuple[str, str], Counter[str]] = {}
    decided = 0
    for case in _decided(database):
        if case.emergency is not None:  # no detection was right or wrong
            continue
        decided += 1
        verdict = case.decisions[-1].proposal.verdict
        overturned = case.decisions[0].proposal.verdict != verdict
        named = {p.item.detection for p in case.pieces("inference") if p.item.detection}
        for detection in {EVERY, *named}:
            for segment in {EVERY, case.opened.segment}:
                count = counts.setdefault((detection, segment), Counter())
                count[verdict] += 1
                count["overturned"] += overturned
    return Precision(
        format=FORMAT,
        at=int(now),
        confidence=confidence,
        decided=decided,
        rows=tuple(_row(*key, counts[key], confidence) for key in sorted(counts)),
    )


def track_record(state: str | Path, now: float) -> tuple[TrackRecord, ...]:
    """What a scan can show of the cases in a state folder, or at an address; nothing where nobody
    opened any.

    Raises:
        StoreFormatError: there is no store, or it is damaged or of another version.
        StorageError: it cannot be reached.
    """
    from stillwatch.campaigns import TrackRecord  # loads an engine; nothing else here needs one

    cases = find_cases(state)
    if cases is None:
        return ()
    with cases:
        rows = measure(cases.database, now).rows
    return tuple(
        TrackRecord(
            detection=each.detection, segment=each.segment, upheld=each.upheld,
            dismissed=each.dismissed, least=each.least, most=each.most,
        )
        for each in rows
    )  # fmt: skip


def write(precision: Precision, path: Path) -> None:
    """Write it to a file, whole or not at all.

    Raises:
        OutputError: it cannot be written.
    """
    aside = path.with_name(f".{path.name}.partial")
    try:
        aside.write_bytes(msgspec.json.format(msgspec.json.encode(precision), indent=1) + b"\n")
        aside.replace(path)
    except OSError as error:
        raise OutputError(f"cannot be written: {error.strerror or error}", path=path) from error


def _row(detection: str, segment: str, count: Counter[str], confidence: float) -> Row:
    upheld, dismissed = count["upheld"], count["dismissed"]
    judged = upheld + dismissed
    least, most = share_interval(upheld, judged, confidence=confidence)
    return Row(
        detection=detection,
        segment=segment,
        upheld=upheld,
        dismissed=dismissed,
        undetermined=count["undetermined"],
        overturned=count["overturned"],
        precision=upheld / judged if judged else None,
        least=least,
        most=most,
    )


def _decided(database: Database) -> list[Case]:
    """The cases whose verdict holds."""
    wanted = (
        select(EVENTS)
        .join(CASES, CASES.c.id == EVENTS.c.case_id)
        .where(CASES.c.verdict.is_not(None))
        .order_by(EVENTS.c.case_id, EVENTS.c.number)
    )
    events: dict[str, list[Event]] = {}
    with database.reading() as (connection, _):
        for row in connection.execute(wanted):
            events.setdefault(row.case_id, []).append(
                Event(
                    number=row.number,
                    at=row.at,
                    by=row.by,
                    person=bool(row.person),
                    body=body_of(row.body),
                )
            )
    return [replay(case, each) for case, each in events.items()]
