"""The tree: the roots of the standard's test vectors, the proofs of an independent library."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache

import pymerkle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stillwatch.ledger.merkle import (
    EMPTY,
    Subtree,
    consistency_path,
    holds_consistency,
    holds_inclusion,
    inclusion_path,
    leaf_hash,
    node_hash,
)
from stillwatch.ledger.tree import GROUP, HEIGHT, Growing, subtrees

#: leaves and roots of the reference implementation of RFC 6962 (google/certificate-transparency)
VECTORS = [
    ("", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
    ("00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
    ("10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
    ("2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"),
    ("3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"),
    ("40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"),
    ("5051525354555657", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"),
    (
        "606162636465666768696a6b6c6d6e6f",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ),
]
MOST = 70_000  # more than a group of groups, so that three levels are kept
ENTRIES = [b"entry %d" % number for number in range(1_100)]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]
#: every size up to 200, and sizes around the edges of groups
SIZES = [*range(1, 201), 255, 256, 257, 511, 512, 513, 767, 1_023, 1_024, 1_025, 1_100]


class Kept:
    """A tree of some leaves as the ledger keeps it, with what is kept in a dictionary."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.leaves = leaves
        self.edge = Growing(0)
        self.rows = {(height, n): found for height, n, found in self.edge.add(leaves)}

    def group(self, level: int, number: int) -> list[bytes]:
        numbers = range(number * GROUP, (number + 1) * GROUP)
        if level == 0:
            return self.leaves[numbers.start : numbers.stop]
        height = level * HEIGHT
        return [self.rows[height, n] for n in numbers if (height, n) in self.rows]

    def subtree(self) -> Subtree:
        return subtrees(self.group)


@cache
def kept(size: int) -> Kept:
    return Kept(LEAVES[:size])


@cache
def oracle() -> pymerkle.InmemoryTree:
    return pymerkle.InmemoryTree.init_from_entries(ENTRIES, algorithm="sha256")


def of_the_standard(old: int, leaves: list[bytes], *, whole: bool) -> list[bytes]:
    """SUBPROOF(m, D[n], b) word for word (RFC 6962, section 2.1.2); slow."""
    if old == len(leaves):
        return [] if whole else [tree_hash(leaves)]
    left = 1
    while left * 2 < len(leaves):
        left *= 2
    if old <= left:
        return [*of_the_standard(old, leaves[:left], whole=whole), tree_hash(leaves[left:])]
    return [
        *of_the_standard(old - left, leaves[left:], whole=False), tree_hash(leaves[:left])
    ]  # fmt: skip


def tree_hash(leaves: list[bytes]) -> bytes:
    edge = Growing(0)
    edge.add(leaves)
    return edge.root()


def changed(hashes: list[bytes], draw: random.Random) -> list[bytes]:
    """`hashes` with one bit changed, one dropped, or one too many."""
    found = list(hashes)
    what = draw.choice(["bit", "drop", "more"]) if found else "more"
    where = draw.randrange(len(found) + (what == "more"))
    if what == "bit":
        byte = draw.randrange(32)
        found[where] = (
            found[where][:byte]
            + bytes([found[where][byte] ^ (1 << draw.randrange(8))])
            + found[where][byte + 1 :]
        )
    elif what == "drop":
        del found[where]
    else:
        found.insert(where, draw.randbytes(32))
    return found


def test_the_roots_are_those_of_the_reference_implementation() -> None:
    edge = Growing(0)
    assert edge.root() == EMPTY
    for leaf, root in VECTORS:
        edge.add([leaf_hash(bytes.fromhex(leaf))])
        assert edge.root().hex() == root


@pytest.mark.parametrize("sizes", [SIZES[:100], SIZES[100:200], SIZES[200:]])
def test_roots_and_inclusion_proofs_are_those_of_pymerkle(sizes: list[int]) -> None:
    draw = random.Random(sizes[0])
    for size in sizes:
        tree, subtree = kept(size), kept(size).subtree()
        root = tree.edge.root()
        assert root == oracle().get_root(size)
        for index in {0, size - 1, draw.randrange(size), draw.randrange(size)}:
            path = inclusion_path(subtree, index, size)
            theirs = oracle().prove_inclusion(index + 1, size).path
            assert [LEAVES[index], *path] == theirs
            assert holds_inclusion(LEAVES[index], index, size, path, root)


@settings(max_examples=100)
@given(st.integers(1, 200), st.integers(0, 200), st.randoms(use_true_random=False))
def test_consistency_proofs_are_accepted_by_pymerkle_and_ours_of_it(
    size: int, old: int, draw: random.Random
) -> None:
    old = old % size + 1
    path = consistency_path(kept(size).subtree(), old, size)
    before, after = oracle().get_root(old), kept(size).edge.root()
    theirs = oracle().prove_consistency(old, size)
    theirs.verify(before, after)
    assert holds_consistency(old, before, size, after, path)
    assert path == of_the_standard(old, LEAVES[:size], whole=True)
    wrong = draw.randbytes(32)
    assert not holds_consistency(old, wrong, size, after, path)
    assert not holds_consistency(old, before, size, wrong, path)
    assert not holds_consistency(old, before, size, after, changed(path, draw))


@given(st.integers(1, 1_100), st.integers(0, 1_099), st.randoms(use_true_random=False))
def test_a_changed_proof_or_entry_or_number_is_refused(
    size: int, index: int, draw: random.Random
) -> None:
    index %= size
    tree = kept(size)
    path, root = inclusion_path(tree.subtree(), index, size), tree.edge.root()
    assert holds_inclusion(LEAVES[index], index, size, path, root)
    assert not holds_inclusion(leaf_hash(b"another"), index, size, path, root)
    assert not holds_inclusion(LEAVES[index], index, size, path, draw.randbytes(32))
    assert not holds_inclusion(LEAVES[index], index, size, changed(path, draw), root)
    for other in {*range(-1, size + 2)} - {index} if size < 40 else {index + 1, index - 1, -1}:
        assert not holds_inclusion(LEAVES[index], other, size, path, root)


def test_every_tree_goes_on_from_the_empty_one_and_from_itself() -> None:
    root = kept(7).edge.root()
    assert holds_consistency(0, EMPTY, 7, root, [])
    assert holds_consistency(7, root, 7, root, [])
    assert not holds_consistency(7, EMPTY, 7, root, [])
    assert not holds_consistency(0, root, 7, root, [])
    assert not holds_consistency(8, root, 7, root, [])
    assert not holds_consistency(3, kept(3).edge.root(), 7, root, [])


def test_a_node_does_not_pass_as_a_leaf_and_a_root_not_as_that_of_a_longer_tree() -> None:
    """Paths that are too short, though every hash in them is right."""
    path, root = inclusion_path(kept(8).subtree(), 0, 8), kept(8).edge.root()
    node = node_hash(LEAVES[0], path[0])
    assert not holds_inclusion(node, 0, 8, path[1:], root)
    assert not holds_consistency(4, root, 8, root, [])


@pytest.mark.parametrize("steps", [[1] * 600, [255, 1, 256, 257, 90], [600]])
def test_a_tree_grows_alike_in_steps_of_any_size(steps: list[int]) -> None:
    edge, rows, at = Growing(0), [], 0
    for step in steps:
        rows += edge.add(LEAVES[at : at + step])
        at += step
        assert edge.root() == oracle().get_root(at)
    whole = Kept(LEAVES[:at])
    assert {(height, number): found for height, number, found in rows} == whole.rows


@pytest.fixture(scope="module")
def large() -> Kept:
    return Kept([leaf_hash(b"%d" % number) for number in range(MOST)])


def test_three_levels_are_kept_of_a_large_tree(large: Kept) -> None:
    assert {height for height, _ in large.rows} == {8, 16}
    assert len(large.rows) == MOST // 256 + MOST // 65_536


@pytest.mark.parametrize("size", [65_535, 65_536, 65_537, MOST])
def test_the_edge_of_a_large_tree_can_be_loaded_and_proven_from(size: int, large: Kept) -> None:
    tree = Kept(large.leaves[:size])
    loaded = Growing.load(size, tree.group)
    root = tree.edge.root()
    assert loaded.root() == root
    assert loaded.add(large.leaves[:300]) == tree.edge.add(large.leaves[:300])
    assert loaded.root() == tree.edge.root()
    subtree = subtrees(tree.group)
    for index in (0, 255, 256, 65_535 % size, size - 1):
        path = inclusion_path(subtree, index, size)
        assert holds_inclusion(tree.leaves[index], index, size, path, root)
    for old in (1, 256, 40_000, size - 1):
        path = consistency_path(subtree, old, size)
        assert holds_consistency(old, Kept(tree.leaves[:old]).edge.root(), size, root, path)


def test_a_proof_reads_each_group_once(large: Kept) -> None:
    read: list[tuple[int, int]] = []

    def counting(groups: Callable[[int, int], list[bytes]]) -> Callable[[int, int], list[bytes]]:
        def group(level: int, number: int) -> list[bytes]:
            read.append((level, number))
            return groups(level, number)

        return group

    inclusion_path(subtrees(counting(large.group)), 1_000, MOST)
    assert len(read) == len(set(read)) <= 6
