"""A gateway's event store → which account meets which indicator, when and how often."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from stillwatch.campaigns.progress import Silent
from stillwatch.campaigns.reading import AccountNames
from stillwatch.campaigns.recorded import read_store
from stillwatch.campaigns.registered import Registered, key_of
from stillwatch.errors import InputError
from stillwatch.events import EventStore
from stillwatch.events.parts import read_part
from stillwatch.intel.matching.logs import Count, Matched, hit
from stillwatch.intel.matching.meeting import IndicatorMeeting
from stillwatch.intel.matching.sets import IndicatorSet
from stillwatch.sketches import SketchKey
from stillwatch.sketches.compared import COLUMN, kept_under

__all__ = ["match_store"]

_Seen = dict[tuple[int, int, int], Count]


def match_store(
    path: Path, sets: Sequence[IndicatorSet], key: SketchKey | None = None, *, named: bool = True
) -> Matched:
    """Look for the indicators of `sets` in all that the event store `path` holds now.

    Args:
        key: of the store's digests, where that does not lie beside it.
        named: refuse a store whose accounts cannot be called by their names.

    Raises:
        InputError: nothing was recorded under a key of `sets`, or accounts have no names.
        KeyFileError: the key is not the store's.
        StoreFormatError: another version wrote the store, or it is damaged.
    """
    with EventStore.open(path, tidy=False) as store:
        known = key_of(store, key)
    with (
        contextlib.closing(Registered(path, known)) as registered,
        tempfile.TemporaryDirectory() as folder,
    ):
        if named and not registered.named:
            raise InputError(
                "accounts have no names here, and hits are kept by name: name a state folder with "
                "access.db and sketch.key in it, or keep nothing (`--dry-run`)",
                path=path,
            )
        names = AccountNames(pseudonymous=not registered.named)
        recorded, read = read_store(path, Path(folder), names, registered.call, Silent())
        found, compared = _counted(recorded.parquet_files(), sets)
    if read.rows and not compared:
        raise InputError(
            "none of its exchanges was recorded under this key of a community; name the key where "
            "the gateway is started (`serve --community FILE`)",
            path=path,
        )
    called = dict(
        zip(*(names.table()[name].to_pylist() for name in ("digest", "name")), strict=True)
    )
    hits = [
        hit(called[account], sets[of].entries[entry], seen)
        for (account, of, entry), seen in found.items()
    ]
    ordered = sorted(hits, key=lambda each: (each.account, each.pattern))
    return Matched(tuple(ordered), len(called), read.rows, 0, read.rows - compared)


def _counted(files: Sequence[Path], sets: Sequence[IndicatorSet]) -> tuple[_Seen, int]:
    """Hits by account, set and entry; and how many exchanges could be compared."""
    meeting, found, compared = IndicatorMeeting(sets), _Seen(), 0
    numbers = [key.number for key in meeting.keys]
    for file in files:
        for batch in read_part(file, ["at", "account", COLUMN]):
            if COLUMN not in batch.schema.names:
                continue
            compared += kept_under(batch[COLUMN], numbers)
            accounts = batch["account"].to_numpy()
            times = batch["at"].cast(pa.int64()).to_numpy()
            for of, met in enumerate(meeting.look_at(batch[COLUMN])):
                _add(found, of, accounts[met.exchange], met.entry, times[met.exchange])
    return found, compared


def _add(
    found: _Seen, of: int, accounts: np.ndarray, entries: np.ndarray, times: np.ndarray
) -> None:  # fmt: skip
    met = pa.table({"account": accounts, "entry": entries, "at": times})
    counted = met.group_by(["account", "entry"]).aggregate(
        [("at", "count"), ("at", "min"), ("at", "max")]
    )
    for row in counted.to_pylist():
        seen = found.setdefault(
            (row["account"], of, row["entry"]), Count(0, row["at_min"], row["at_max"])
        )
        seen.add(row["at_count"], row["at_min"], row["at_max"])
