"""Communities: what belongs together is found, what chance joins is not, and always the same."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import pytest

from stillwatch.detections.communities import communities, nested_communities

Ints = npt.NDArray[np.int64]
Edges = list[tuple[int, int]]


def cliques(count: int, size: int) -> Edges:
    """`count` cliques of `size` nodes each, one after the other, with no edge between them."""
    return [
        (first + left, first + right)
        for first in range(0, count * size, size)
        for left, right in itertools.combinations(range(size), 2)
    ]


def ring(count: int, size: int) -> Edges:
    """The same, with one edge from each clique to the next."""
    nodes = count * size
    return cliques(count, size) + [(at, (at + size) % nodes) for at in range(0, nodes, size)]


def split(edges: Edges, nodes: int, *, nested: bool = True) -> Ints:
    left, right = np.array(edges, dtype=np.int64).reshape(-1, 2).T
    weight = np.ones(len(left))
    found = nested_communities if nested else communities
    return found(nodes, left, right, weight)


def parts(membership: Ints) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(membership == n).tolist()) for n in np.unique(membership)}


def blocks(count: int, size: int) -> set[frozenset[int]]:
    return {frozenset(range(at, at + size)) for at in range(0, count * size, size)}


@pytest.mark.parametrize("nested", [True, False])
def test_two_circles_with_one_common_acquaintance_are_two(nested: bool) -> None:
    edges = [*cliques(2, 12), (0, 12)]
    assert parts(split(edges, 24, nested=nested)) == blocks(2, 12)


@pytest.mark.parametrize("nested", [True, False])
def test_communities_are_numbered_without_gaps(nested: bool) -> None:
    found = split(ring(40, 5), 200, nested=nested)
    assert np.array_equal(np.unique(found), np.arange(found.max() + 1))


def test_nodes_without_edges_are_alone() -> None:
    assert split([], 4, nested=False).tolist() == [0, 1, 2, 3]
    assert len(parts(split([(0, 1), (1, 2), (0, 2)], 6, nested=False))) == 4


def test_a_heavy_edge_decides_where_a_node_belongs() -> None:
    edges = np.array([*cliques(2, 5), (10, 0), (10, 5)], dtype=np.int64)
    for home, (near, far) in ((0, (9.0, 0.1)), (5, (0.1, 9.0))):
        weight = np.ones(len(edges))
        weight[-2:] = near, far
        found = communities(11, edges[:, 0], edges[:, 1], weight)
        assert found[10] == found[home]


def test_a_higher_resolution_makes_finer_communities() -> None:
    left, right = np.array(ring(40, 4), dtype=np.int64).T
    coarse, fine = (
        len(parts(communities(160, left, right, np.ones(len(left)), resolution=resolution)))
        for resolution in (0.1, 8.0)
    )
    assert coarse < 40 <= fine


def test_small_communities_are_found_however_large_the_graph() -> None:
    """A ring of cliques: modularity alone joins neighbours (Fortunato and Barthelemy 2007)."""
    edges = ring(400, 5)
    assert len(parts(split(edges, 2_000, nested=False))) < 200
    assert parts(split(edges, 2_000)) == blocks(400, 5)


@pytest.mark.parametrize("nodes", [30, 100, 300])
@pytest.mark.parametrize("degree", [3, 6, 12])
def test_chance_is_not_divided(nodes: int, degree: int) -> None:
    divided = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        chance = rng.integers(nodes, size=(nodes * degree // 2, 2))
        edges = [(a, b) for a, b in chance.tolist() if a != b]
        largest = np.bincount(split(edges, nodes)).max()
        divided += bool(largest < 0.9 * len(np.unique(edges)))
    assert divided <= 1


def test_communities_are_found_through_chance_edges() -> None:
    rng = np.random.default_rng(3)
    chance = rng.integers(300, size=(150, 2))
    edges = [(a, b) for a, b in chance.tolist() if a != b]
    found = split(edges + cliques(30, 10), 300)
    for block in blocks(30, 10):
        inside = np.bincount(found[list(block)])
        assert inside.max() >= 9
        assert np.count_nonzero(found == inside.argmax()) <= 11


def test_the_same_graph_gives_the_same_communities_every_time() -> None:
    rng = np.random.default_rng(4)
    edges = [tuple(pair) for pair in rng.integers(300, size=(900, 2)).tolist()]
    first = split(edges, 300)
    assert all(np.array_equal(first, split(edges, 300)) for _ in range(5))
