"""Accounts that rare objects tie together, pair by pair → pools of accounts.

A conversation ties two or three accounts, a returned passage ties two; a pool shows only when
many such ties are seen together. Accounts and objects are the two sides of a graph, and its
communities are pools: connected components would chain strangers through one chance tie.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stillwatch.detections.communities import communities
from stillwatch.detections.detection import LINKS

__all__ = ["Pool", "find_pools", "link_pools"]

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Pool:
    """Accounts (ascending) that share objects with each other; ``uses`` counts them by account.

    ``name`` is the smallest object: it names the pool in links.
    """

    name: int
    accounts: Ints
    uses: Ints
    objects: int


def find_pools(account: Ints, obj: Ints, *, least: int = 2) -> list[Pool]:
    """Communities of accounts that share objects.

    Args:
        account, obj: one entry a (account, object) pair; repeats count once.
        least: accounts below which nothing is called a pool.

    Returns:
        Pools, the one with most accounts first; an account is in one pool at most.
    """
    if not len(account):
        return []
    accounts, row = np.unique(account, return_inverse=True)
    objects, column = np.unique(obj, return_inverse=True)
    row, column = np.unique(np.stack([row, column]), axis=1)
    shared = np.bincount(column, minlength=len(objects))[column] > 1
    row, column = row[shared], column[shared]
    if not len(row):
        return []
    membership = communities(
        len(accounts) + len(objects), row, column + len(accounts), np.ones(len(row))
    )
    inside = membership[row] == membership[column + len(accounts)]
    ties = np.flatnonzero(inside)
    ties = ties[np.argsort(membership[row[ties]], kind="stable")]
    pools = []
    for part in np.split(ties, np.flatnonzero(np.diff(membership[row[ties]])) + 1):
        members, uses = np.unique(row[part], return_counts=True)
        if len(members) >= least:
            held = np.unique(column[part])
            pools.append(Pool(int(objects[held[0]]), accounts[members], uses, len(held)))
    return sorted(pools, key=lambda pool: (-len(pool.accounts), pool.accounts.tolist()))


def link_pools(pools: list[Pool], population: int) -> pa.Table:
    """One object a pool, as a table of :data:`~stillwatch.detections.detection.LINKS`."""
    if not pools:
        return LINKS.empty_table()
    sizes = [len(pool.accounts) for pool in pools]
    return pa.Table.from_arrays(
        [
            pa.array(np.concatenate([pool.accounts for pool in pools])),
            pa.array(np.repeat([pool.name for pool in pools], sizes)),
            pa.array(np.concatenate([pool.uses for pool in pools]).astype(np.int64)),
            pa.array(np.repeat(np.log(max(population, 2) / np.array(sizes)), sizes)),
        ],
        schema=LINKS,
    )
