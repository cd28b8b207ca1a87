"""One simulated period on disk: its log, its sketches in slices, and who sent what.

A cell of the benchmark is a choice among the files of a world (see :mod:`.view`), so that the
innocent rows are simulated and sketched once a seed. A world that is complete and was made by the
same simulator and sketcher is used again.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import stillwatch
from stillwatch.campaigns.progress import Progress
from stillwatch.campaigns.reading import AccountNames, read_log
from stillwatch.events import EventStore
from stillwatch.lab.demo import write_traffic
from stillwatch.lab.traffic import Scenario, simulate
from stillwatch.sketches import SketchKey
from stillwatch.sources import open_log

__all__ = ["INNOCENT", "World", "key_of", "open_world", "simulated_log"]

#: the owner of rows that belong to no campaign
INNOCENT = -1
_DAY = 86_400_000_000
_MADE_BY = ("lab/corpus", "lab/traffic", "sketches", "exchange")


def key_of(seed: int) -> SketchKey:
    """The secret of the sketches of one seed: another seed draws other hashes."""
    return SketchKey(hashlib.blake2b(f"benchmark {seed}".encode(), digest_size=32).digest())


@dataclass(frozen=True)
class Slice:
    """Rows of one owner in one part of the period. Times are µs since 1970."""

    owner: int
    number: int
    day: dt.date
    rows: int
    first: int
    last: int
    path: Path


class World:
    """A period, read back from `folder`.

    Attributes:
        slices: sketched rows by owner (a campaign's place in the scenario, or :data:`INNOCENT`)
            and part of the period; all parts are equally long and none crosses midnight.
        senders: ``account, digest, owner, slice, kind, rows, attacks``, one row each.
        sketching: seconds of processor time that reading and sketching one row took.
    """

    def __init__(self, folder: Path, scenario: Scenario, seed: int) -> None:
        self.folder, self.scenario, self.seed = folder, scenario, seed
        about = json.loads((folder / "world.json").read_text("utf-8"))
        self.parts: int = about["parts"]
        self.sketching: float = about["sketching"]
        self.slices = tuple(
            Slice(
                each["owner"],
                each["number"],
                dt.date.fromisoformat(each["day"]),
                each["rows"],
                each["first"],
                each["last"],
                folder / each["path"],
            )
            for each in about["slices"]
        )
        self.senders: pa.Table = pq.read_table(folder / "senders.parquet")
        self.campaigns = {each.name: n for n, each in enumerate(scenario.campaigns)}

    @property
    def log(self) -> Path:
        """The native log of the whole period, with the campaigns of all cells."""
        return self.folder / "log.parquet"

    def part_at(self, number: int) -> int:
        """When part `number` begins, in µs since 1970."""
        begins = int(self.scenario.begins.timestamp() * 1e6)
        return begins + int(self.scenario.days * _DAY) * number // self.parts


def open_world(
    folder: Path, scenario: Scenario, seed: int, progress: Progress, *, parts_a_day: int = 2
) -> World:
    """The world of `scenario` under `seed` in `folder`; simulated and sketched if it is not there.

    Args:
        parts_a_day: how finely time is divided; a look at the log so far ends with a part.
    """
    mark = _mark(scenario, seed, parts_a_day)
    try:
        if json.loads((folder / "world.json").read_text("utf-8"))["mark"] == mark:
            return World(folder, scenario, seed)
    except (OSError, ValueError, KeyError):
        pass
    simulated_log(folder, scenario, seed, progress)
    progress.note(f"seed {seed}: sketching {scenario.name}")
    began = time.process_time()
    names = AccountNames()
    key = key_of(seed)
    shutil.rmtree(folder / "events", ignore_errors=True)  # of a run that was killed
    with EventStore.create(folder / "events", key_id=key.key_id) as store:
        read = read_log(
            open_log([folder / "log.parquet"]),
            key,
            store,
            names,
            folder / "rejects.jsonl",
            progress,
        )
        spent = time.process_time() - began
        parts = round(scenario.days * parts_a_day)
        begins = int(scenario.begins.timestamp() * 1e6)
        width = _DAY // parts_a_day
        senders = _senders(scenario, folder, names, begins, width)
        slices = _divide(store, senders, folder, begins, width)
    shutil.rmtree(folder / "events")
    pq.write_table(senders, folder / "senders.parquet", compression="zstd")
    about = {
        "mark": mark,
        "parts": parts,
        "sketching": spent / max(1, read.rows),
        "slices": slices,
    }
    aside = folder / "world.json.part"
    aside.write_text(json.dumps(about), encoding="utf-8")
    aside.replace(folder / "world.json")
    return World(folder, scenario, seed)


def simulated_log(folder: Path, scenario: Scenario, seed: int, progress: Progress) -> Path:
    """The native log of `scenario` under `seed`, in `folder` with ``labels.parquet`` beside it."""
    mark, kept = _mark(scenario, seed, 0), folder / "log.mark"
    log = folder / "log.parquet"
    if kept.exists() and kept.read_text("utf-8") == mark:
        return log
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    progress.note(f"seed {seed}: simulating {scenario.name}")
    write_traffic(simulate(scenario, seed), log, folder / "labels.parquet")
    kept.write_text(mark, encoding="utf-8")
    return log


def _mark(scenario: Scenario, seed: int, parts_a_day: int) -> str:
    """Changes with everything that the rows of a world depend on."""
    made = hashlib.blake2b(f"{seed} {parts_a_day} {scenario!r}".encode(), digest_size=16)
    root = Path(stillwatch.__file__).parent
    for name in _MADE_BY:
        path = root / name
        files = [path] if path.is_file() else sorted(path.rglob("*"))
        for file in files:
            if file.is_file() and file.suffix != ".pyc":
                made.update(file.read_bytes())
    return made.hexdigest()


def _senders(
    scenario: Scenario, folder: Path, names: AccountNames, begins: int, width: int
) -> pa.Table:
    """Who sent how many rows of which kind in which part; from the labels and the log's times."""
    labels = pq.read_table(folder / "labels.parquet", columns=["account", "kind", "campaign"])
    attack = pq.read_table(folder / "labels.parquet", columns=["attack"])["attack"]
    at = pq.read_table(folder / "log.parquet", columns=["at"])["at"].cast(pa.int64()).to_numpy()
    owners = {campaign.name: number for number, campaign in enumerate(scenario.campaigns)}
    named = pa.array(list(owners), pa.string())
    owner = pc.fill_null(pc.index_in(labels["campaign"], value_set=named), INNOCENT)
    table = pa.table(
        {
            "account": labels["account"],
            "owner": owner,
            "slice": pa.array((at - begins) // width, pa.int32()),
            "kind": labels["kind"],
            "attack": attack.cast(pa.int32()),
        }
    )
    grouped = table.group_by(["account", "owner", "slice", "kind"]).aggregate(
        [("attack", "sum"), ("attack", "count")]
    )
    known = names.table()
    place = pc.index_in(grouped["account"], value_set=known["name"].combine_chunks())
    return pa.table(
        {
            "account": grouped["account"],
            "digest": known["digest"].take(place),
            "owner": grouped["owner"].cast(pa.int32()),
            "slice": grouped["slice"],
            "kind": grouped["kind"],
            "rows": grouped["attack_count"].cast(pa.int64()),
            "attacks": grouped["attack_sum"].cast(pa.int64()),
        }
    )


def _divide(
    store: EventStore, senders: pa.Table, folder: Path, begins: int, width: int
) -> list[dict[str, Any]]:
    """Write the rows of the store by owner and part."""
    digests, first = np.unique(senders["digest"].to_numpy(), return_index=True)
    owners = senders["owner"].to_numpy()[first]
    slices = []
    for day in store.days():
        table = pa.concat_tables(
            [pq.read_table(file) for file in store.parquet_files(day, day)]
        ).sort_by([("at", "ascending"), ("request", "ascending")])
        at = table["at"].cast(pa.int64()).to_numpy()
        mine = owners[np.searchsorted(digests, table["account"].to_numpy())]
        part = (at - begins) // width
        for owner, number in _pairs(mine, part):
            rows = np.flatnonzero((mine == owner) & (part == number))
            path = Path("rows") / f"{owner}" / f"{number}.parquet"
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(table.take(pa.array(rows)), folder / path, compression="zstd")
            slices.append(
                {
                    "owner": owner,
                    "number": number,
                    "day": day.isoformat(),
                    "rows": len(rows),
                    "first": int(at[rows[0]]),
                    "last": int(at[rows[-1]]),
                    "path": str(path),
                }
            )
    return slices


def _pairs(owners: npt.NDArray[Any], parts: npt.NDArray[Any]) -> list[tuple[int, int]]:
    found = np.unique(np.stack([owners, parts]), axis=1)
    return [(int(owner), int(part)) for owner, part in found.T]
