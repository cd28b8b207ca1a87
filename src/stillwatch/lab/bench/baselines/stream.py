"""Prompts unlike those of before, clustered as they come, and clusters that many accounts feed.

In the manner of arXiv 2605.31593 (stateful monitoring of misuse), rebuilt from its description: a
suspicion a prompt, embeddings, a stream clustering, and two thresholds a cluster: the sum of its k
highest suspicions, and a least number of accounts. What is different: the paper scores harm with a
classifier and lets a language model judge what is left. Distillation has no harm score (phrases
that harvesters use are in 3 % of innocent and 0 to 26 % of attack prompts here), so that the
suspicion is novelty: one less the cosine with the nearest cluster of the reference period; and
nobody judges. Similarity is that of tf-idf, not of an encoder.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from stillwatch.lab.bench.baselines.files import SHARE, write_files
from stillwatch.lab.bench.baselines.prompts import Embedded, calibration, embedded
from stillwatch.lab.bench.cell import REFERENCE
from stillwatch.lab.bench.detector import Periods, Spent
from stillwatch.lab.bench.view import View

__all__ = ["StreamClusters"]

Floats = npt.NDArray[np.float32]

#: cosine with a centre from which on a prompt joins it; with a centre of before: nothing new
_JOINS = 0.5
_CENTRES = 2_048
_BATCH = 1_024
_TOP = 20
_LEAST_ACCOUNTS = 5
#: prompts of the reference period that the centres of before are made of
_SAMPLE = 60_000


class _Stream:
    """A clustering in one pass. Where there is no room, the centre not used for longest goes."""

    def __init__(self, dimensions: int) -> None:
        self.centres = np.zeros((_CENTRES, dimensions), np.float32)
        self._counts, self._used = np.zeros(_CENTRES), np.zeros(_CENTRES, np.int64)
        self._living = np.full(_CENTRES, -1)  # the cluster that a centre stands for
        self._clusters = 0

    def feed(self, values: Floats) -> npt.NDArray[np.int64]:
        """The cluster of each prompt, in the order of time."""
        found = np.empty(len(values), np.int64)
        for now, start in enumerate(range(0, len(values), _BATCH), 1):
            rows = values[start : start + _BATCH]
            alike = rows @ self.centres.T
            best = alike.argmax(axis=1)
            joins = alike[np.arange(len(rows)), best] >= _JOINS
            fresh: list[int] = []
            for number, row in enumerate(rows):
                place = int(best[number]) if joins[number] else self._open(row, fresh, now)
                self._counts[place] += 1
                self._used[place] = now
                self.centres[place] += (row - self.centres[place]) / self._counts[place]
                found[start + number] = self._living[place]
            lengths = np.linalg.norm(self.centres, axis=1, keepdims=True)
            np.divide(self.centres, lengths, out=self.centres, where=lengths > 0)
        return found

    def _open(self, row: Floats, fresh: list[int], now: int) -> int:
        """A centre that fits among those of this batch, or a new one."""
        if fresh:
            near = self.centres[fresh] @ row
            if near.max() >= _JOINS:
                return fresh[int(near.argmax())]
        place = int(self._used.argmin())
        if self._used[place] != now:
            self._living[place], self._counts[place] = self._clusters, 0
            self.centres[place] = 0
            self._clusters += 1
            fresh.append(place)
        return place


@dataclass(frozen=True)
class _Cluster:
    """`weight` is the sum of its highest suspicions."""

    accounts: frozenset[int]
    weight: float


def _suspicion(values: Floats, before: Floats) -> Floats:
    """One less the cosine with the nearest centre of before."""
    blocks = [1 - (values[start : start + 8 * _BATCH] @ before.T).max(axis=1)
              for start in range(0, len(values), 8 * _BATCH)]  # fmt: skip
    return np.concatenate(blocks) if blocks else np.zeros(0, np.float32)


def _clusters(prompts: Embedded, suspicion: Floats) -> list[_Cluster]:
    """Clusters of prompts that are new, with enough accounts."""
    new = np.flatnonzero((suspicion > 1 - _JOINS) & prompts.values.any(axis=1))
    labels = _Stream(prompts.values.shape[1]).feed(prompts.values[new])
    order = np.argsort(labels, kind="stable")
    _, starts = np.unique(labels[order], return_index=True)
    found = []
    for places in np.split(new[order], starts[1:]):
        accounts = frozenset(prompts.owners[places].tolist())
        if len(accounts) >= _LEAST_ACCOUNTS:
            weight = float(np.sort(suspicion[places])[::-1][:_TOP].sum())
            found.append(_Cluster(accounts, weight))
    return found


class StreamClusters:
    """See the module. Clusters with five accounts and more are flagged above the weight at which
    at most 1 % of the accounts of the calibration period are.
    """

    name = "stream clustering"

    def run(self, view: View, out: Path, periods: Periods) -> Spent:
        """See :class:`stillwatch.lab.bench.detector.Detector`."""
        before, limit = self._calibrated(periods)
        period = view.world.scenario.period
        prompts = embedded(periods, period)
        if ("suspicion", period) not in periods.memory:
            periods.memory["suspicion", period] = _suspicion(prompts.values, before)
        began, busy = time.perf_counter(), time.process_time()
        seen = prompts.places(view)
        clusters = _clusters(prompts.some(seen), periods.memory["suspicion", period][seen])
        scores = dict.fromkeys(view.senders["account"].to_pylist(), 0.0)
        for each in clusters:
            for owner in each.accounts:
                name = prompts.names[owner]
                scores[name] = max(scores[name], each.weight)
        groups = [
            sorted(prompts.names[owner] for owner in each.accounts)
            for each in clusters
            if each.weight > limit
        ]
        write_files(out, sorted(groups, key=len, reverse=True), scores)
        return Spent(time.perf_counter() - began, time.process_time() - busy)

    def _calibrated(self, periods: Periods) -> tuple[Floats, float]:
        """The centres of before, and the weight above which a cluster is flagged."""
        if "stream" not in periods.memory:
            earlier = embedded(periods, REFERENCE)
            chance = np.random.default_rng(periods.seed)
            makes = chance.permutation(len(earlier.values))[:_SAMPLE]
            stream = _Stream(earlier.values.shape[1])
            stream.feed(earlier.values[np.sort(makes)])
            prompts = calibration(periods)
            suspicion = _suspicion(prompts.values, stream.centres)
            limit = _limit(_clusters(prompts, suspicion), len(prompts.names))
            periods.memory["stream"] = stream.centres, limit
        found: tuple[Floats, float] = periods.memory["stream"]
        return found


def _limit(clusters: list[_Cluster], accounts: int) -> float:
    """The least weight above which at most a hundredth of `accounts` are in clusters."""
    flagged: set[int] = set()
    for each in sorted(clusters, key=lambda cluster: -cluster.weight):
        flagged |= each.accounts
        if len(flagged) > SHARE * accounts:
            return each.weight
    return 0.0
