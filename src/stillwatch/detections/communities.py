"""Communities of a weighted graph: Louvain, one thread, the same partition every time."""

from __future__ import annotations

import networkit
import numpy as np
import numpy.typing as npt

__all__ = ["communities", "nested_communities"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

#: a split must beat the modularity that chance gives a graph of its size by this much
REAL = 0.12
DEEPEST = 12


def communities(
    nodes: int, left: Ints, right: Ints, weight: Floats, *, resolution: float = 1.0
) -> Ints:
    """The community of each of `nodes`, numbered from 0 without gaps.

    Args:
        left, right, weight: one entry an undirected edge; weights above 0.
        resolution: above 1 for finer communities, below 1 for coarser ones.

    Louvain (Blondel et al. 2008) with refinement, on the modularity of Newman (2006), whose null
    fixes the degrees. The order of nodes and edges decides ties, nothing else does.
    """
    return _louvain(nodes, left, right, weight, resolution)[0]


def nested_communities(nodes: int, left: Ints, right: Ints, weight: Floats) -> Ints:
    """Communities within communities, as long as the split is more than chance would give.

    Modularity sees nothing smaller than about the square root of all edges (Fortunato and
    Barthelemy 2007), and a campaign is small: each community is therefore taken for a graph of
    its own and divided again, until the modularity of the division is what a random graph of that
    size has (Guimera et al. 2004, Reichardt and Bornholdt 2006) or little more.
    """
    found = np.zeros(nodes, dtype=np.int64)
    number = 0
    queue = [(np.arange(nodes, dtype=np.int64), np.arange(len(left), dtype=np.int64), 0)]
    while queue:
        members, edges, depth = queue.pop()
        if len(edges) >= 2 and depth < DEEPEST:
            local_left = np.searchsorted(members, left[edges])
            local_right = np.searchsorted(members, right[edges])
            part, quality = _louvain(len(members), local_left, local_right, weight[edges])
            parts = int(part.max()) + 1
            chance = 0.97 * np.sqrt(len(members) / (2 * len(edges)))
            if parts > 1 and quality > min(chance, 0.7) + REAL:
                inside = part[local_left] == part[local_right]
                of_edge = part[local_left[inside]]
                queue += [
                    (members[nodes_of], edges[inside][edges_of], depth + 1)
                    for nodes_of, edges_of in zip(
                        _groups(part, parts), _groups(of_edge, parts), strict=True
                    )
                ]
                continue
        found[members] = number
        number += 1
    return found


def _groups(labels: Ints, count: int) -> list[Ints]:
    """The positions of each label from 0 to `count` - 1, ascending."""
    order = np.argsort(labels, kind="stable")
    return np.split(order, np.searchsorted(labels[order], np.arange(1, count)))


def _louvain(
    nodes: int, left: Ints, right: Ints, weight: Floats, resolution: float = 1.0
) -> tuple[Ints, float]:
    """The partition and its modularity."""
    if not len(left):
        return np.arange(nodes, dtype=np.int64), 0.0
    networkit.setNumberOfThreads(1)  # several threads make the partition depend on their timing
    networkit.setSeed(1, False)
    edges = (np.ascontiguousarray(left, np.uint64), np.ascontiguousarray(right, np.uint64))
    graph = networkit.GraphFromCoo(
        (np.ascontiguousarray(weight, np.float64), edges), n=nodes, weighted=True, directed=False
    )
    louvain = networkit.community.PLM(graph, refine=True, gamma=resolution)
    louvain.run()
    partition = louvain.getPartition()
    quality = float(networkit.community.Modularity().getQuality(partition, graph))
    codes = np.unique(np.asarray(partition.getVector(), dtype=np.int64), return_inverse=True)[1]
    return codes.astype(np.int64), quality
