"""Accounts that write alike, linked, and their connected components.

In the manner of toolkits for coordinated behaviour (similarity networks over tf-idf vectors): an
account is the mean of its prompts, a link is a cosine above a threshold, a campaign is a component
of five accounts and more. The threshold is the lowest at which at most 1 % of the accounts of the
calibration period are in such components.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from stillwatch.lab.bench.baselines.files import SHARE, write_files
from stillwatch.lab.bench.baselines.prompts import Embedded, calibration, embedded
from stillwatch.lab.bench.detector import Periods, Spent
from stillwatch.lab.bench.view import View

__all__ = ["SimilarityNetwork"]

Floats = npt.NDArray[np.float32]

_LEAST_ACCOUNTS = 5
_LEAST_PROMPTS = 3
#: similar accounts that are kept of each
_NEIGHBOURS = 20
_BLOCK = 1_024


class _Network:
    """The most similar accounts of each account."""

    def __init__(self, prompts: Embedded) -> None:
        groups = [(o, rows) for o, rows in prompts.by_account() if len(rows) >= _LEAST_PROMPTS]
        self.names = [prompts.names[owner] for owner, _ in groups]
        means = np.stack([prompts.values[rows].mean(axis=0) for _, rows in groups])
        means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9)
        kept = min(_NEIGHBOURS, len(means) - 1)
        self.near = np.empty((len(means), kept), np.int64)
        self.alike = np.empty((len(means), kept), np.float32)
        for start in range(0, len(means), _BLOCK):
            block = means[start : start + _BLOCK] @ means.T
            block[np.arange(len(block)), np.arange(start, start + len(block))] = -1.0
            near = np.argpartition(-block, kept - 1, axis=1)[:, :kept]
            self.near[start : start + _BLOCK] = near
            self.alike[start : start + _BLOCK] = np.take_along_axis(block, near, axis=1)

    def scores(self) -> dict[str, float]:
        """The cosine with the fourth most similar account: five are a group."""
        fourth = np.sort(self.alike, axis=1)[:, ::-1][:, _LEAST_ACCOUNTS - 2]
        return dict(zip(self.names, fourth.tolist(), strict=True))

    def components(self, limit: float) -> list[list[str]]:
        """Groups of accounts that are linked at `limit`, the largest first."""
        rows, columns = np.nonzero(self.alike >= limit)
        ends = self.near[rows, columns]
        shape = (len(self.names), len(self.names))
        links = sp.coo_matrix((np.ones(len(rows)), (rows, ends)), shape=shape)
        _, labels = connected_components(links, directed=False)
        groups: dict[int, list[str]] = {}
        for name, label in zip(self.names, labels.tolist(), strict=True):
            groups.setdefault(label, []).append(name)
        return sorted((g for g in groups.values() if len(g) >= _LEAST_ACCOUNTS),
                      key=lambda group: (-len(group), group))  # fmt: skip


class SimilarityNetwork:
    """See the module."""

    name = "similarity network"

    def run(self, view: View, out: Path, periods: Periods) -> Spent:
        """See :class:`stillwatch.lab.bench.detector.Detector`."""
        if "network" not in periods.memory:
            periods.memory["network"] = _limit(_Network(calibration(periods)))
        prompts = embedded(periods, view.world.scenario.period)
        began, busy = time.perf_counter(), time.process_time()
        network = _Network(prompts.seen(view))
        write_files(out, network.components(periods.memory["network"]), network.scores())
        return Spent(time.perf_counter() - began, time.process_time() - busy)


def _limit(network: _Network) -> float:
    allowed = SHARE * len(network.names)
    low, high = 0.0, 1.001
    for _ in range(20):
        middle = (low + high) / 2
        if sum(map(len, network.components(middle))) <= allowed:
            high = middle
        else:
            low = middle
    return high
