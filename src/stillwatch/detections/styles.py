"""Style cells that keep the same company → styles: one style is one template or grammar.

The accounts that use a template share many of its cells, and a chance phrase shares its users
with no other phrase. So cells and accounts are the two sides of a graph, edges weigh the rarity
of the cell, and communities of that graph are styles: busy accounts and common phrases explain
themselves, since the null of modularity fixes the degrees. Cover traffic does not hide a style,
for a style is made of cells, not of accounts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stillwatch.detections.communities import nested_communities

__all__ = ["Style", "find_styles"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Style:
    """Cells that travel together, and the accounts that use at least two of them.

    Attributes:
        cells: keyed hashes, ascending.
        accounts: account digests, ascending.
        uses: for each account, in how many exchanges its most used cell of the style occurs.
        name: one of the cells; what the style is called in links.
    """

    cells: Ints
    accounts: Ints
    uses: Ints
    name: int


def find_styles(
    account: Ints, cell: Ints, uses: Ints, *, population: int, least: int = 5
) -> list[Style]:
    """Group cells into styles.

    Args:
        account, cell, uses: one entry an (account, cell) pair; cells of at least two accounts.
        population: accounts in the log, what rarity is measured against.
        least: accounts and (as 3 cells) breadth below which nothing is called a style.

    Returns:
        Styles, the one with most accounts first; ties by cells.
    """
    if not len(account):
        return []
    order = np.lexsort((cell, account))  # communities depend on the order of their edges
    account, cell, uses = account[order], cell[order], uses[order]
    accounts, row = np.unique(account, return_inverse=True)
    cells, column = np.unique(cell, return_inverse=True)
    spread = np.bincount(column, minlength=len(cells))
    rarity = np.log(max(population, len(accounts)) / spread)
    weight = np.maximum(rarity, 0.01)[column] * np.log1p(uses)
    membership = nested_communities(len(accounts) + len(cells), row, column + len(accounts), weight)
    styles = _styles(membership, accounts, cells, row, column, uses, least)
    return sorted(styles, key=lambda style: (-len(style.accounts), style.cells.tolist()))


def _styles(
    membership: Ints,
    accounts: Ints,
    cells: Ints,
    row: Ints,
    column: Ints,
    uses: Ints,
    least: int,
) -> Iterator[Style]:
    """The communities, trimmed to cells that mostly accounts of their own use."""
    community = membership[len(accounts) :]
    ours = membership[row] == community[column]
    spread = np.bincount(column, minlength=len(cells))
    home = np.bincount(column[ours], minlength=len(cells))
    keep = (home >= max(3, least // 2)) & (home >= 0.3 * spread)
    kept = np.flatnonzero(keep[column])
    kept = kept[np.argsort(community[column[kept]], kind="stable")]
    edges = np.flatnonzero(np.diff(community[column[kept]])) + 1
    for pairs in np.split(kept, edges):
        chosen = np.unique(column[pairs])
        users, who, breadth = np.unique(row[pairs], return_inverse=True, return_counts=True)
        if len(chosen) < 3 or (breadth >= 2).sum() < least:
            continue
        most = np.zeros(len(users), dtype=np.int64)
        np.maximum.at(most, who, uses[pairs])
        own = cells[chosen]
        yield Style(own, accounts[users[breadth >= 2]], most[breadth >= 2], int(own[0]))
