"""The Merkle tree of RFC 6962, section 2.1: hashes, proofs, and how they are checked.

Pure functions of hashes (32 bytes, SHA-256). Where a tree is kept is not known here: a proof is
made from a function that gives the hash of a complete subtree, (height, number) → hash; the
subtree `number` of height h covers the leaves from number·2^h to (number + 1)·2^h - 1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Final

__all__ = [
    "EMPTY",
    "Subtree",
    "consistency_path",
    "fold",
    "holds_consistency",
    "holds_inclusion",
    "inclusion_path",
    "leaf_hash",
    "node_hash",
    "range_hash",
]

#: (height, number) → hash of a complete subtree
Subtree = Callable[[int, int], bytes]
#: the root of a tree without leaves
EMPTY: Final = hashlib.sha256().digest()


def leaf_hash(entry: bytes) -> bytes:
    """The hash of a leaf; the prefix keeps a leaf from passing as a node."""
    return hashlib.sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node over two subtrees."""
    return hashlib.sha256(b"\1" + left + right).digest()


def fold(hashes: Sequence[bytes]) -> bytes:
    """The hash over complete subtrees of one height, 2^k of them."""
    row = list(hashes)
    while len(row) > 1:
        row = [node_hash(row[i], row[i + 1]) for i in range(0, len(row), 2)]
    return row[0]


def range_hash(subtree: Subtree, first: int, end: int) -> bytes:
    """The hash over the leaves from `first` to `end` - 1, as a node of the tree covers them.

    `first` is a multiple of the largest power of two that is at most `end` - `first`.
    """
    peaks = []
    while first < end:
        height = (end - first).bit_length() - 1
        peaks.append(subtree(height, first >> height))
        first += 1 << height
    if not peaks:
        return EMPTY
    found = peaks.pop()
    while peaks:
        found = node_hash(peaks.pop(), found)
    return found


def inclusion_path(subtree: Subtree, index: int, size: int) -> list[bytes]:
    """The audit path of leaf `index` in the tree of the first `size` leaves (section 2.1.1)."""
    path = []
    first, end = 0, size
    while end - first > 1:
        middle = first + _left(end - first)
        if index < middle:
            path.append(range_hash(subtree, middle, end))
            end = middle
        else:
            path.append(range_hash(subtree, first, middle))
            first = middle
    return path[::-1]


def consistency_path(subtree: Subtree, old: int, size: int) -> list[bytes]:
    """The proof that the first `old` leaves are still those of before (section 2.1.2)."""
    path: list[bytes] = []
    if not 0 < old < size:
        return path
    first, end = 0, size
    while old != end:
        middle = first + _left(end - first)
        if old <= middle:
            path.append(range_hash(subtree, middle, end))
            end = middle
        else:
            path.append(range_hash(subtree, first, middle))
            first = middle
    if first:  # otherwise whoever checks has this hash: it is the old root
        path.append(range_hash(subtree, first, end))
    return path[::-1]


def holds_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether `path` leads from the hash of leaf `index` to the root of `size` leaves.

    Source: RFC 9162, section 2.1.3.2.
    """
    if not 0 <= index < size:
        return False
    node, last, found = index, size - 1, leaf
    for each in path:
        if last == 0:
            return False
        if node & 1 or node == last:
            found = node_hash(each, found)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            found = node_hash(found, each)
        node, last = node >> 1, last >> 1
    return last == 0 and found == root


def holds_consistency(
    old: int, old_root: bytes, size: int, root: bytes, path: Sequence[bytes]
) -> bool:
    """Whether `path` shows that the tree of `size` leaves begins with that of `old` leaves.

    Source: RFC 9162, section 2.1.4.2; every tree begins with the empty one.
    """
    if not 0 <= old <= size:
        return False
    if old in (0, size):
        return not path and old_root == (EMPTY if old == 0 else root)
    hashes = list(path)
    if old & (old - 1) == 0:
        hashes.insert(0, old_root)
    if not hashes:
        return False
    node, last = old - 1, size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    before = after = hashes[0]
    for each in hashes[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            before, after = node_hash(each, before), node_hash(each, after)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            after = node_hash(after, each)
        node, last = node >> 1, last >> 1
    return last == 0 and before == old_root and after == root


def _left(leaves: int) -> int:
    """How many of two or more leaves stand under the left node: a power of two, below all."""
    return 1 << ((leaves - 1).bit_length() - 1)
