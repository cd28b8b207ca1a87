"""Communities of a weighted graph: Louvain, one thread, the same partition every time."""

from __future__ import annotations

import networkit
import numpy as np
import numpy.typing as npt

__all__ = ["communities"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def communities(
    nodes: int, left: Ints, right: Ints, weight: Floats, *, resolution: float = 1.0
) -> Ints:
    """The community of each of `nodes`, numbered from 0 without gaps.

    Args:
        left, right, weight: one entry an undirected edge; weights above 0.
        resolution: above 1 for finer communities.

    Louvain (Blondel et al. 2008) with refinement, on the modularity of Newman (2006), whose null
    fixes the degrees. The order of nodes and edges decides ties, nothing else does.
    """
    if not len(left):
        return np.arange(nodes, dtype=np.int64)
    networkit.setNumberOfThreads(1)  # several threads make the partition depend on their timing
    networkit.setSeed(1, False)
    edges = (np.ascontiguousarray(left, np.uint64), np.ascontiguousarray(right, np.uint64))
    graph = networkit.GraphFromCoo(
        (np.ascontiguousarray(weight, np.float64), edges), n=nodes, weighted=True, directed=False
    )
    louvain = networkit.community.PLM(graph, refine=True, gamma=resolution)
    louvain.run()
    partition = np.asarray(louvain.getPartition().getVector(), dtype=np.int64)
    return np.unique(partition, return_inverse=True)[1].astype(np.int64)
