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
    """

    cells: Ints
    accounts: Ints
    uses: Ints


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
    accounts, row = np.unique(account, return_inverse=True)
    cells, column = np.unique(cell, return_inverse=True)
    spread = np.bincount(column, minlength=len(cells))
    rarity = np.log(max(population, len(accounts)) / spread)
    weight = np.maximum(rarity, 0.01)[column] * np.log1p(uses)
    membership = nested_communities(len(accounts) + len(cells), row, column + len(accounts), weight)
    styles = [
        style
        for chosen in _parts(membership[len(accounts) :])
        if len(chosen) >= 3
        and (style := _style(chosen, membership, accounts, cells, row, column, uses, least))
    ]
    return sorted(styles, key=lambda style: (-len(style.accounts), style.cells.tolist()))


def _parts(membership: Ints) -> Iterator[Ints]:
    order = np.argsort(membership, kind="stable")
    edges = np.flatnonzero(np.diff(membership[order])) + 1
    yield from np.split(order, edges)


def _style(
    chosen: Ints,
    membership: Ints,
    accounts: Ints,
    cells: Ints,
    row: Ints,
    column: Ints,
    uses: Ints,
    least: int,
) -> Style | None:
    """The community of the cells `chosen`, trimmed to cells that mostly its accounts use."""
    community = membership[len(accounts) + chosen[0]]
    inside = np.zeros(len(cells), dtype=bool)
    inside[chosen] = True
    pairs = np.flatnonzero(inside[column])
    ours = membership[row[pairs]] == community
    spread = np.bincount(column[pairs], minlength=len(cells))
    home = np.bincount(column[pairs[ours]], minlength=len(cells))
    keep = inside & (home >= max(3, least // 2)) & (home >= 0.3 * spread)
    pairs = pairs[keep[column[pairs]]]
    breadth = np.bincount(row[pairs], minlength=len(accounts))
    users = np.flatnonzero(breadth >= 2)
    if keep.sum() < 3 or len(users) < least:
        return None
    most = np.zeros(len(accounts), dtype=np.int64)
    np.maximum.at(most, row[pairs], uses[pairs])
    return Style(cells[keep], accounts[users], most[users])
