"""All accounts of a log, with the organisation behind each and the times of its life."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from stillwatch.detections.detection import Tables
from stillwatch.detections.group import UNKNOWN, Ints, Mask
from stillwatch.statistics import count_pairs

__all__ = ["Accounts", "meeting", "read_accounts", "shared"]


@dataclass(frozen=True)
class Accounts:
    """One entry an account, by digest. Times are µs since 1970, UNKNOWN where the log is silent.

    Attributes:
        account: digests, ascending.
        owner: number of the organisation behind it, from 0; of its own where none is known.
        exchanges: how many it sent.
        first_at, last_at: its first and last exchange.
        blocked_at: when it was blocked.
        tenant_kind: what the provider's registry says; None where it says nothing.
    """

    account: Ints
    owner: Ints
    exchanges: Ints
    first_at: Ints
    last_at: Ints
    blocked_at: Ints
    tenant_kind: npt.NDArray[np.object_]

    @cached_property
    def owners(self) -> int:
        """How many organisations there are."""
        return int(self.owner.max(initial=-1)) + 1

    def count(self, chosen: Mask) -> int:
        """Organisations behind the chosen accounts."""
        return int(np.count_nonzero(np.bincount(self.owner[chosen], minlength=1)))

    def __len__(self) -> int:
        return len(self.account)

    def at(self, accounts: Ints) -> Ints:
        """Positions of `accounts`, all of which are in the log."""
        return np.searchsorted(self.account, accounts)

    def within(self, accounts: Ints) -> Mask:
        """For each account of the log whether it is one of `accounts`."""
        return np.isin(self.account, accounts)


def read_accounts(tables: Tables) -> Accounts:
    """Add up the stage ``account_days``."""
    days = tables["account_days"]
    found = tables.engine.collect(
        days.group_by("account").agg(
            org=days.org.max(),
            exchanges=days.exchanges.sum(),
            first_at=days.first_at.min(),
            last_at=days.last_at.max(),
            blocked_at=days.blocked_at.max(),
            tenant_kind=days.tenant_kind.min(),
        )
    ).sort_by("account")
    account = found["account"].to_numpy()
    owner = pc.coalesce(found["org"], found["account"]).to_numpy()
    return Accounts(
        account=account,
        owner=np.unique(owner, return_inverse=True)[1],
        exchanges=found["exchanges"].cast(pa.int64()).to_numpy(),
        first_at=microseconds(found["first_at"]),
        last_at=microseconds(found["last_at"]),
        blocked_at=microseconds(found["blocked_at"]),
        tenant_kind=np.array(found["tenant_kind"].to_pylist(), dtype=object),
    )


def meeting(owner: Ints, thing: Ints, owners: int) -> Mask:
    """Which owners have a thing that another owner has too; both numbered from 0."""
    met: Mask = np.zeros(owners, dtype=bool)
    met[owner[shared(owner, thing)]] = True
    return met


def shared(owner: Ints, thing: Ints) -> Mask:
    """For each entry whether another owner has its thing too; things are numbered from 0."""
    having, _, _ = count_pairs(thing, owner)
    several: Mask = np.bincount(having)[thing] > 1
    return several


def microseconds(column: pa.ChunkedArray) -> Ints:
    """A column of times as int64 µs since 1970, UNKNOWN for null."""
    times = column.cast(pa.timestamp("us", tz=column.type.tz)).cast(pa.int64())
    micros: Ints = pc.fill_null(times, UNKNOWN).to_numpy()
    return micros
