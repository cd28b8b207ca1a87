"""What a detector gets to see: the innocent rows of a world, and those of one cell's campaign."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stillwatch.campaigns.reading import AccountNames, Read
from stillwatch.lab.bench.world import INNOCENT, Slice, World

__all__ = ["Truth", "View"]

#: rows of a log that are held at a time while it is filtered
_GROUP_ROWS = 1 << 16


@dataclass(frozen=True)
class Truth:
    """Who attacked in a view, and what everybody else is.

    Attributes:
        guilty: accounts with at least one attack exchange.
        innocents: the other accounts, with the kinds that each of them sends.
    """

    guilty: frozenset[str]
    innocents: Mapping[str, frozenset[str]]
    attacks: int


@dataclass(frozen=True)
class View:
    """Some of the rows of `world`; what :class:`stillwatch.campaigns.detecting.Sketched` asks for.

    Attributes:
        campaigns: of each campaign that is seen, the parts of the period in which it is at work;
            an adaptive campaign has several, one after the other.
        until: the first part that is not seen.
    """

    world: World
    campaigns: Mapping[str, range] = field(default_factory=dict)
    until: int | None = None

    @property
    def _until(self) -> int:
        return self.world.parts if self.until is None else self.until

    def _sees(self, owner: int, part: int) -> bool:
        return part < self._until and (owner == INNOCENT or part in self._active.get(owner, ()))

    @cached_property
    def _active(self) -> dict[int, range]:
        return {self.world.campaigns[name]: parts for name, parts in self.campaigns.items()}

    @cached_property
    def _slices(self) -> list[Slice]:
        return [each for each in self.world.slices if self._sees(each.owner, each.number)]

    @cached_property
    def senders(self) -> pa.Table:
        """The rows of the world's table of senders that are seen."""
        table = self.world.senders
        owners, parts = table["owner"].to_numpy(), table["slice"].to_numpy()
        seen = (owners == INNOCENT) & (parts < self._until)
        for owner, active in self._active.items():
            stop = min(active.stop, self._until)
            seen |= (owners == owner) & (parts >= active.start) & (parts < stop)
        return table.filter(pa.array(seen))

    def rows(self) -> int:
        """The number of exchanges."""
        return sum(each.rows for each in self._slices)

    def days(self) -> Sequence[dt.date]:
        """The UTC days with exchanges, ascending."""
        return sorted({each.day for each in self._slices})

    def parquet_files(
        self, first: dt.date | None = None, last: dt.date | None = None
    ) -> Sequence[Path]:
        """The files of sketched rows of the days from `first` to `last`."""
        return [
            each.path
            for each in self._slices
            if (first is None or each.day >= first) and (last is None or each.day <= last)
        ]

    def names(self) -> AccountNames:
        """What the accounts are called."""
        names = AccountNames()
        names.add(self.senders["digest"].to_numpy(), self.senders["account"].to_pylist())
        return names

    def read(self) -> Read:
        """What reading this log would have given."""
        return Read(
            rows=self.rows(),
            first=min((each.first for each in self._slices), default=None),
            last=max((each.last for each in self._slices), default=None),
            files=("log.parquet",),
            format="native",
        )

    def truth(self) -> Truth:
        """Who attacked; the cover traffic of attackers makes them no innocents."""
        table = self.senders
        accounts = table["account"].to_pylist()
        attacks = table["attacks"].to_numpy()
        guilty = frozenset(accounts[i] for i in np.flatnonzero(attacks).tolist())
        kinds: dict[str, set[str]] = {}
        for account, kind in zip(accounts, table["kind"].to_pylist(), strict=True):
            if account not in guilty:
                kinds.setdefault(account, set()).add(kind)
        return Truth(guilty, {a: frozenset(k) for a, k in kinds.items()}, int(attacks.sum()))

    @property
    def whole(self) -> bool:
        """Whether every account that is seen is seen for the whole period."""
        parts = range(self.world.parts)
        return self._until == self.world.parts and all(
            active.stop == parts.stop for active in self.campaigns.values()
        )

    def sees(self, accounts: pa.Array, at: pa.Array) -> pa.Array:
        """Which rows of the world's log are seen, from their accounts and times (µs)."""
        seen = pc.is_in(accounts, value_set=self._accounts)
        seen = pc.and_(seen, pc.less(at, self.world.part_at(self._until)))
        for leavers, end in self._ends:
            gone = pc.and_(pc.is_in(accounts, value_set=leavers), pc.greater_equal(at, end))
            seen = pc.and_(seen, pc.invert(gone))
        return seen

    def write_log(self, path: Path) -> None:
        """The same rows as a native Parquet log, with their text."""
        source = pq.ParquetFile(self.world.log)
        with pq.ParquetWriter(path, source.schema_arrow, compression="zstd") as writer:
            for group in source.iter_batches(_GROUP_ROWS):
                seen = self.sees(group["account"], group["at"].cast(pa.int64()))
                writer.write_batch(group.filter(seen))

    @cached_property
    def _accounts(self) -> pa.Array:
        return self.senders["account"].combine_chunks().unique()

    @cached_property
    def _ends(self) -> list[tuple[pa.Array, int]]:
        """Accounts of campaigns that stopped before the view ends, and when they did."""
        owners = self.senders["owner"].to_numpy()
        found = []
        for owner, active in self._active.items():
            if active.stop < self._until:
                mine = self.senders.filter(pa.array(owners == owner))["account"]
                found.append((mine.combine_chunks().unique(), self.world.part_at(active.stop)))
        return found
