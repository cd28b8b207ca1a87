"""Stands in for the detections: every crew (``crew-1``, ``crew-2``…) of three is a campaign.

One of it that is called ``crew-1-cleared`` clears it.

What is tested is when something is read, kept and said, not what is found; a look takes
milliseconds so.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from stillwatch.campaigns.campaign import Calibration, Campaign, Member
from stillwatch.campaigns.detecting import Detected
from stillwatch.campaigns.finding import Found
from stillwatch.campaigns.watching import Look, WatchOptions, watch
from stillwatch.campaigns.watching.schedule import instant
from stillwatch.detections import Evidence, Family
from stillwatch.events import EventStore
from stillwatch.exchange import RawExchange
from stillwatch.sketches import SketchKey
from stillwatch.sources import NativeWriter

__all__ = ["DAY", "HOUR", "KEY", "START", "answers", "find", "lines", "row", "run", "write"]

KEY = SketchKey(bytes(range(32)))
HOUR = 3_600_000_000
DAY = 24 * HOUR
START = 1_767_225_600_000_000  # 2026-01-01 UTC
EVIDENCE = (
    Evidence(Family.CONTENT, "echo", 1.0, 0.0, "text", weight=5.0),
    Evidence(Family.TIME, "load_balance", 1.0, 0.0, "text", weight=4.0),
)


def row(hours: float, account: str, **more: Any) -> RawExchange:
    at = START + int(hours * HOUR)
    return RawExchange(at=at, account=account, prompt=f"{account} asks at {at}", **more)


def write(path: Path, *rows: RawExchange) -> Path:
    with NativeWriter(path) as writer:
        writer.write(rows)
    return path


def find(
    engine: Any, store: EventStore, detections: Any, names: Any, *rest: Any, **more: Any
) -> Found:
    """Like ``find_campaigns``, without looking at what anybody asked."""
    found: dict[str, list[tuple[str, int]]] = {}
    for path in store.parquet_files():
        table = pq.read_table(path, columns=["account", "at"])
        called = names.lookup(table["account"].to_numpy())
        for name, at in zip(called, table["at"].cast("int64").to_pylist(), strict=True):
            if name.startswith("crew-"):
                found.setdefault(name.rpartition("-")[0], []).append((name, at))
    campaigns = [
        campaign
        for rows in (sorted(found[crew]) for crew in sorted(found))
        if len((campaign := _campaign(rows)).members) >= 3
        and not any(name.endswith("cleared") for name, _ in rows)
    ]
    nothing: dict[str, Any] = dict.fromkeys(Found.__dataclass_fields__, ())
    known = {"detected": Detected({}, [], [], {}, {}), "campaigns": campaigns, "scores": {}}
    known["calibration"] = Calibration()
    return Found(**{**nothing, "tested": len(campaigns), **known})


def _campaign(rows: list[tuple[str, int]]) -> Campaign:
    accounts = sorted({name for name, _ in rows})
    times = np.array([at for _, at in rows])
    first, last = instant(times.min()), instant(times.max())
    return Campaign(
        id="c-" + hashlib.sha256(" ".join(accounts).encode()).hexdigest()[:10],
        score=9.0,
        first_seen=first,
        last_seen=last,
        exchanges=len(rows),
        tokens=None,
        members=tuple(Member(name, 9.0, 1, 1.0, first, last, None, ()) for name in accounts),
        evidence=EVIDENCE,
        counter_evidence=(),
    )


def run(source: Path, state: Path, **more: Any) -> list[Look]:
    """Watch once; the looks that were made."""
    looks: list[Look] = []
    options: dict[str, Any] = {"once": True, "key": KEY, "grace": 0} | more
    watch(WatchOptions([source], state, **options), seen=looks.append)
    return looks


def lines(state: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (state / "findings.jsonl").read_text("utf-8").splitlines()]


def answers(state: Path) -> dict[str, Any]:
    """Everything that a watch says, and what it goes on from: for equality."""
    files = ("findings.jsonl", "rejects.jsonl", "campaigns.json", "accounts.parquet", "report.html")
    said: dict[str, Any] = {name: (state / name).read_bytes() for name in files}
    with EventStore.open(state / "events") as store:
        store.check()
        said["days"] = store.days()
        said["exchanges"] = sorted(
            each
            for path in store.parquet_files()
            for each in pq.read_table(path, columns=["request"])["request"].to_pylist()
        )
    said["waits"] = sorted(path.name for path in (state / "waiting").iterdir())
    said["rows"] = dict(_rows(state))
    return said


def _rows(state: Path) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    db = sqlite3.connect(state / "state.sqlite")
    try:
        for table in ("place", "account", "note", "campaign", "finding"):
            yield table, sorted(db.execute(f"SELECT * FROM {table}"))
        yield (
            "about",
            sorted(db.execute("SELECT * FROM about WHERE key NOT IN ('boot', 'read_at')")),
        )
    finally:
        db.close()
