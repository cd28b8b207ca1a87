"""Whose keys fed this text or model: one test a cluster, and one a set that was named beforehand.

Null of a cluster: its key took no part in the evidence. Null of a hypothesis: none of its members'
keys did. Given the evidence, scores under keys that took no part are independent, over windows and
over keys, so that the sum over n windows and m keys has the law of n·m scores: exact, whoever else
took part. (With weights: Chernoff's bound, see :mod:`.pooling`.)

The family is corrected as one (Holm): every cluster, every hypothesis, and for every hypothesis how
many of its members took part. For that count the r-th null is "fewer than r members did". Its
p-value is the largest one of all subsets of m - r + 1 members, of which at least one is then of
nulls only (Benjamini and Heller, Biometrics 64, 2008); all have one law, so it is that of the
smallest totals. The nulls are nested and asked in their order until one stands, each at the share
of alpha that Bonferroni leaves: a hypothesis is thereby one entry more of the family.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from stillwatch.statistics import holm_log10
from stillwatch.watermark.detecting import LEAST_SCORED
from stillwatch.watermark.evidence import Evidence
from stillwatch.watermark.keys import KeyRing
from stillwatch.watermark.mark import Floats, UInt64s
from stillwatch.watermark.plans import TracePlan
from stillwatch.watermark.pooling import Pooled
from stillwatch.watermark.spending import record_look
from stillwatch.watermark.traces import Trace, TracedHypothesis

__all__ = ["Progress", "trace"]

#: groups of decoys that each hypothesis is compared with, and the decoys that this may take
_LEAST_GROUPS, _MOST_DECOYS = 99, 1 << 17
#: keys that are scored between two reports of progress
_BLOCK: Final = 1 << 14
#: subsets of members that are weighed at a time, until one null stands
_SUBSETS: Final = 64


class Progress(Protocol):
    """What :class:`stillwatch.campaigns.Progress` has: a step with a name, in parts of a total."""

    def step(self, name: str, total: int | None = None) -> None: ...

    def advance(self, done: int) -> None: ...


def trace(
    evidence: Evidence,
    plan: TracePlan,
    ring: KeyRing,
    *,
    record: Path | None = None,
    progress: Progress | None = None,
    least: int = LEAST_SCORED,
) -> Trace:
    """Ask of the evidence what the plan asks, under the keys of the ring.

    Args:
        evidence: it is spent by this: a second plan is refused, the same plan is not.
        ring: of the master and tenant that the plan was made for, and of one of its epochs.
        record: a file in which the look is noted as well, for those who come later.
        progress: told of every block of keys.
        least: with fewer windows nothing is said.

    Raises:
        ValueError: a ring or an evidence that the plan was not made for.
        EvidenceSpentError: the evidence was traced under another plan.
        InputError, StorageError: the record is damaged, cannot be written.
    """
    if ring.fingerprint != plan.ring:
        raise ValueError("the plan was made for a ring of another master or tenant")
    if ring.epoch not in plan.epochs:
        raise ValueError(f"the ring is of {ring.epoch}, the plan asks of {', '.join(plan.epochs)}")
    if evidence.context != plan.mark.context:
        raise ValueError(
            f"the evidence has contexts of {evidence.context} tokens, the mark of "
            f"{plan.mark.context}"
        )
    evidence.spend(plan.digest)
    if record is not None:
        record_look(record, evidence.look(plan.digest))
    decoys = _decoys(plan)
    keys_at = len(plan.clusters) + len(decoys[0])
    if progress is not None:
        progress.step(f"{keys_at * len(plan.epochs):,} keys", keys_at * len(plan.epochs))
    totals, pooled = np.zeros(keys_at), Pooled(plan.mark.law, _most(plan))
    for epoch, drawn in zip(plan.epochs, decoys, strict=True):
        here = ring.at(epoch)
        mark = plan.mark_at(here)
        carried = mark.carries(evidence.contexts)
        part = pooled.add(evidence, carried)
        for start in range(0, keys_at, _BLOCK):
            keys = _keys(here, mark.scheme, plan.clusters, drawn, start)
            totals[start : start + _BLOCK] += part.totals(mark, keys)
            if progress is not None:
                progress.advance(len(keys))
    said = Trace(
        plan.digest, evidence.digest, plan.alpha, plan.decoys, pooled.scored, plan.clusters
    )
    if pooled.scored < least:
        why = f"{pooled.scored} windows to score, at least {least} are needed"
        return replace(said, abstained=why)
    count = len(plan.clusters)
    return _judged(said, plan, pooled, totals[:count], totals[count:])


def _most(plan: TracePlan) -> int:
    """Clusters of the largest sum."""
    return max((len(each.members) for each in plan.hypotheses), default=1)


def _decoys(plan: TracePlan) -> UInt64s:
    """Random keys, uint64 [epochs, decoys]; more than asked for where large groups need them."""
    wanted = min(_LEAST_GROUPS * _most(plan), _MOST_DECOYS) if plan.hypotheses else 0
    count = max(plan.decoys, wanted) if plan.decoys else 0
    # other plans and rings have other decoys, which nobody can write for who sees no plan
    rng = np.random.default_rng(int(plan.digest, 16))
    return rng.integers(0, 1 << 64, (len(plan.epochs), count), np.uint64)


def _keys(
    ring: KeyRing, scheme: str, clusters: tuple[str, ...], decoys: UInt64s, start: int
) -> UInt64s:
    """The keys of a block: those of clusters are derived as they are needed, then come decoys."""
    own = ring.values(clusters[start : start + _BLOCK], scheme)
    first = max(0, start - len(clusters))
    return np.concatenate([own, decoys[first : first + _BLOCK - len(own)]])


def _judged(said: Trace, plan: TracePlan, pooled: Pooled, totals: Floats, decoys: Floats) -> Trace:
    """With p-values, corrected over the whole family, and ranks."""
    log10_p = pooled.log10_p(totals, 1)
    place = {name: i for i, name in enumerate(plan.clusters)} if plan.hypotheses else {}
    members = [np.array([place[name] for name in each.members]) for each in plan.hypotheses]
    together = [float(pooled.log10_p(totals[some].sum(), len(some))) for some in members]
    # the counts of members are entries that are never all rejected
    family = np.concatenate([log10_p, together, np.zeros(len(members))])
    corrected = holm_log10(family)
    own, level = corrected[: len(totals)], math.log10(plan.alpha)
    others = np.sort(decoys[: plan.decoys])
    ranks = 1 + len(others) - np.searchsorted(others, totals, side="left")
    hypotheses = []
    for i, (hypothesis, some) in enumerate(zip(plan.hypotheses, members, strict=True)):
        beside, counted = _count(pooled, totals[some], level - math.log10(len(family)))
        adjusted = float(corrected[len(totals) + i])
        alone = int((own[some] <= level).sum())
        rank, groups = _group_rank(totals[some], decoys)
        hypotheses.append(
            TracedHypothesis(
                hypothesis, together[i], adjusted, beside,
                max(counted, alone, int(adjusted <= level)), rank, groups, adjusted <= level,
            )
        )  # fmt: skip
    return replace(
        said, hypotheses=tuple(hypotheses), totals=totals, log10_p=log10_p,
        corrected_log10_p=own, decoy_ranks=ranks,
    )  # fmt: skip


def _count(pooled: Pooled, totals: Floats, level: float) -> tuple[float, int]:
    """log10 p of "at most one member took part", and how many nulls fall at a log10 level."""
    sums = np.cumsum(np.sort(totals))[::-1]
    sizes = np.arange(len(totals), 0, -1)
    beside, counted = 0.0, 0
    for start in range(0, len(totals), _SUBSETS):
        some = slice(start, start + _SUBSETS)
        log10_p = pooled.log10_p(sums[some], sizes[some])
        if start == 0:
            beside = float(log10_p[1])
        standing = np.flatnonzero(log10_p > level)
        if len(standing):
            return beside, start + int(standing[0])
        counted += len(log10_p)
    return beside, counted


def _group_rank(totals: Floats, decoys: Floats) -> tuple[int | None, int]:
    """The rank among disjoint groups of as many decoys, and how many groups there are."""
    size = len(totals)
    groups = len(decoys) // size
    if not groups:
        return None, 0
    sums = decoys[: groups * size].reshape(groups, size).sum(axis=1)
    return 1 + int((sums >= totals.sum()).sum()), groups
