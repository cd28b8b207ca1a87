"""Accounts that rare objects tie together, pair by pair → pools of accounts.

A conversation ties two or three accounts, a returned passage ties two; a pool shows only when
many such ties are seen together. Pools are communities of the graph whose edges are shared
objects: connected components would chain strangers through one chance tie.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stillwatch.detections.communities import nested_communities
from stillwatch.detections.detection import LINKS
from stillwatch.statistics import count_pairs

__all__ = ["Pool", "find_pools", "link_pools"]

Ints = npt.NDArray[np.int64]


#: odd constants of SplitMix64 (Steele, Lea and Flood 2014)
_MIX = np.array([0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB], dtype=np.uint64)


@dataclass(frozen=True)
class Pool:
    """Accounts (ascending) that share objects with each other; ``uses`` counts them by account.

    ``name`` is the smallest object: it names the pool in links.
    """

    name: int
    accounts: Ints
    uses: Ints
    objects: int


def find_pools(account: Ints, obj: Ints, *, least: int = 2, ties: int = 1) -> list[Pool]:
    """Communities of accounts that share objects.

    Args:
        account, obj: one entry a (account, object) pair; repeats count once.
        least: accounts below which nothing is called a pool.
        ties: objects that an account must share with others; fewer are a chance.

    Returns:
        Pools, the one with most accounts first; an account is in one pool at most.
    """
    used, users = _core(*count_pairs(obj, account)[:2], ties)
    if not len(used):
        return []
    objects, column = np.unique(used, return_inverse=True)
    accounts, row = np.unique(users, return_inverse=True)
    size = np.bincount(column, minlength=len(objects))
    left, right = _ties(row, column, size)
    part = nested_communities(len(accounts), left, right, np.ones(len(left)))[row]
    # an object belongs to the pool that holds most of its accounts, the first of equals
    held, by, count = count_pairs(column, part)
    order = np.lexsort((by, -count, held))
    home = by[order][np.unique(held[order], return_index=True)[1]]
    inside = np.flatnonzero(home[column] == part)
    inside = inside[np.argsort(part[inside], kind="stable")]
    pools = []
    for some in np.split(inside, np.flatnonzero(np.diff(part[inside])) + 1):
        members, uses = np.unique(row[some], return_counts=True)
        if len(members) >= least:
            common = np.unique(column[some])
            pools.append(Pool(int(objects[common[0]]), accounts[members], uses, len(common)))
    return sorted(pools, key=lambda pool: (-len(pool.accounts), pool.accounts.tolist()))


def _core(obj: Ints, account: Ints, ties: int) -> tuple[Ints, Ints]:
    """The pairs that remain when accounts with too few ties go, and objects of one account."""
    while len(obj):
        _, which, users = np.unique(obj, return_inverse=True, return_counts=True)
        _, whose, shares = np.unique(account, return_inverse=True, return_counts=True)
        kept = (users[which] > 1) & (shares[whose] >= ties)
        if kept.all():
            break
        obj, account = obj[kept], account[kept]
    return obj, account


def _ties(row: Ints, column: Ints, size: Ints) -> tuple[Ints, Ints]:
    """Edges between the users of each object: each with the 1st, 2nd, 4th, 8th… after it.

    All of up to three users are tied to each other; of more, each to some. Their order is mixed
    anew for each object, so that accounts with many common objects hold together as if all were
    tied. `row` and `column` are ordered by `column`.
    """
    mixed = row.astype(np.uint64) * _MIX[0] + column.astype(np.uint64) * _MIX[1]
    mixed = (mixed ^ (mixed >> np.uint64(31))) * _MIX[2]
    row = row[np.lexsort((mixed, column))]
    begin = np.cumsum(size) - size
    place = np.arange(len(row)) - begin[column]
    left, right = [], []
    step = 1
    while step < size.max(initial=0):
        near = (size[column] > step) & ~((2 * step == size[column]) & (place >= step))
        ahead = begin[column[near]] + (place[near] + step) % size[column[near]]
        left.append(row[near])
        right.append(row[ahead])
        step *= 2
    return (np.concatenate(left), np.concatenate(right)) if left else (row[:0], row[:0])


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
