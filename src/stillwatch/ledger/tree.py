"""A growing tree in groups of 256, as tiled logs keep it: small to store, quick to prove from.

Kept are the hash of every leaf, and of every complete subtree of height 8, 16, 24…: one row in
255. What lies between is hashed again when a proof needs it, 255 hashes a height at most. The
layout follows the tiles of C2SP (tlog-tiles, 2024).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from stillwatch.ledger.merkle import EMPTY, Subtree, fold, leaf_hash, range_hash

__all__ = ["GROUP", "HEIGHT", "Growing", "Row", "merkle_root", "subtrees"]

HEIGHT = 8
GROUP = 1 << HEIGHT

#: (height, number, hash) of a complete subtree that is kept
Row = tuple[int, int, bytes]
#: (level, number) → the hashes of a group, complete or not; level 0 are leaves, 1 height 8, …
Groups = Callable[[int, int], list[bytes]]


class Growing:
    """The right edge of a tree of `size` leaves: the group of each level that is not full yet."""

    def __init__(self, size: int, open_groups: Iterable[list[bytes]] = ()) -> None:
        """`open_groups`: from the leaves upwards, each shorter than a group."""
        self.size = size
        self._open = [*open_groups] or [[]]

    @classmethod
    def load(cls, size: int, groups: Groups) -> Growing:
        """The edge of a tree that is kept."""
        found, level, nodes = [], 0, size
        while nodes or not level:
            wanted = nodes % GROUP
            found.append(groups(level, nodes // GROUP)[:wanted] if wanted else [])
            level, nodes = level + 1, nodes // GROUP
        return cls(size, found)

    def copy(self) -> Growing:
        return Growing(self.size, [list(group) for group in self._open])

    def add(self, leaves: Iterable[bytes]) -> list[Row]:
        """Append the hashes of leaves; gives the subtrees that became complete, to be kept."""
        rows: list[Row] = []
        group = self._open[0]
        for leaf in leaves:
            group.append(leaf)
            self.size += 1
            if len(group) == GROUP:
                self._close(0, rows)
                group = self._open[0]
        return rows

    def root(self) -> bytes:
        """The root over all leaves."""
        return EMPTY if self.size == 0 else range_hash(self._subtree, 0, self.size)

    def _close(self, level: int, rows: list[Row]) -> None:
        height, above = HEIGHT * (level + 1), level + 1
        found = fold(self._open[level])
        rows.append((height, (self.size >> height) - 1, found))
        self._open[level] = []
        if above == len(self._open):
            self._open.append([])
        self._open[above].append(found)
        if len(self._open[above]) == GROUP:
            self._close(above, rows)

    def _subtree(self, height: int, number: int) -> bytes:
        # the peaks of a tree are complete subtrees of its open groups
        level, within = divmod(height, HEIGHT)
        first = (number << within) % GROUP
        return fold(self._open[level][first : first + (1 << within)])


def subtrees(groups: Groups) -> Subtree:
    """Any complete subtree of a tree that is kept; reads a group once, so use it for one proof."""
    read: dict[tuple[int, int], list[bytes]] = {}

    def subtree(height: int, number: int) -> bytes:
        level, within = divmod(height, HEIGHT)
        group, first = divmod(number << within, GROUP)
        hashes = read.get((level, group))
        if hashes is None:
            hashes = read[level, group] = groups(level, group)
        return fold(hashes[first : first + (1 << within)])

    return subtree


def merkle_root(entries: Iterable[bytes]) -> str:
    """The RFC 6962 root over entries that stand in no ledger, 64 hexadecimal digits."""
    tree = Growing(0)
    tree.add(map(leaf_hash, entries))
    return tree.root().hex()
