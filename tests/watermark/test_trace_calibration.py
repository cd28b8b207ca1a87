"""Under the null: nobody who took no part is named more often than alpha, whoever else did."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import binom, kstest

from stillwatch.watermark import (
    ClusterHypothesis,
    Evidence,
    GumbelMark,
    KeyRing,
    Trace,
    TracePlan,
    trace,
)
from tests.watermark.conftest import write

NAMES = [f"c-{i}" for i in range(8)]
#: one within another, two that overlap, two that share nobody
HYPOTHESES = [
    ClusterHypothesis(name, tuple(NAMES[i] for i in members), "scan 4")
    for name, members in (("a", (0, 1)), ("b", (0, 1, 2, 3)), ("c", (3, 4, 5)), ("d", (6, 7)))
]


def traced(trial: int, evidence: Evidence, alpha: float, decoys: int = 0) -> Trace:
    """Under keys that are fresh in every trial."""
    ring = ring_of(trial)
    mark = GumbelMark(ring.key("-"), 1)
    plan = TracePlan.of(ring, mark, NAMES, hypotheses=HYPOTHESES, alpha=alpha, decoys=decoys)
    return trace(evidence, plan, ring)


def ring_of(trial: int) -> KeyRing:
    return KeyRing(trial.to_bytes(32, "big"), "2026-11")


@pytest.fixture(scope="module")
def chance() -> npt.NDArray[np.int64]:
    """Text of nobody, with repeats: one text, so that trials differ in their keys alone."""
    return np.random.default_rng(4).integers(0, 40, (8, 40))


@pytest.fixture(scope="module", params=[300, pytest.param(4_000, marks=pytest.mark.slow)])
def null(chance: npt.NDArray[np.int64], request: pytest.FixtureRequest) -> list[Trace]:
    first = Evidence.of_texts(chance, 1)
    return [
        traced(trial, Evidence(first.contexts, first.tokens), 0.1, decoys=19)
        for trial in range(request.param)
    ]


def test_p_values_of_clusters_and_of_pools_are_uniform(null: list[Trace]) -> None:
    alone = np.concatenate([10**said.log10_p for said in null])
    assert kstest(alone, "uniform").pvalue > 0.01
    for i in range(len(HYPOTHESES)):
        pooled = np.array([10 ** said.hypotheses[i].log10_p for said in null])
        assert kstest(pooled, "uniform").pvalue > 0.01
        beside = np.array([10 ** said.hypotheses[i].log10_p_beside for said in null])
        for alpha in (0.1, 0.01):
            assert (beside <= alpha).sum() <= binom.ppf(0.999, len(null), alpha)


def test_ranks_among_decoys_are_uniform(null: list[Trace]) -> None:
    """Of one cluster each: clusters of one trial share their decoys. All ranks of 20 alike."""
    ranks = np.bincount([int(said.decoy_ranks[0]) for said in null], minlength=21)[1:]
    assert len(ranks) == 20
    expected = len(null) / 20
    assert (np.abs(ranks - expected) < 4 * np.sqrt(expected)).all()


@pytest.mark.parametrize("alpha", [0.1, 0.02])
def test_anybody_is_named_no_more_often_than_alpha(null: list[Trace], alpha: float) -> None:
    level = np.log10(alpha)
    named = sum(
        min(float(said.corrected_log10_p.min()), *(h.corrected_log10_p for h in said.hypotheses))
        <= level
        for said in null
    )
    assert named <= binom.ppf(0.999, len(null), alpha)
    # and not needlessly seldom: the tests of a family are nearly apart
    assert named >= binom.ppf(0.0001, len(null), alpha / 2)


@pytest.mark.parametrize("worlds", [100, pytest.param(1_000, marks=pytest.mark.slow)])
def test_who_took_no_part_is_not_named_for_the_guilt_of_others(
    chance: npt.NDArray[np.int64], worlds: int
) -> None:
    """One of each world's clusters fed it. Nobody else is named, nor a set without it, nor two."""
    alpha = 0.1
    marks = [GumbelMark(ring_of(trial).key(NAMES[0]), 1) for trial in range(worlds)]
    texts = write(marks, 40)
    wrong, right = 0, 0
    for trial, text in enumerate(texts):
        said = traced(trial, Evidence.of_texts([*chance[:4], text], 1), alpha)
        a, b, c, d = said.hypotheses
        others = {each.name for each in said.found} - {NAMES[0]}
        wrong += bool(others) or c.found or d.found or max(a.at_least, b.at_least) > 1
        right += NAMES[0] in {each.name for each in said.found} and a.found
    assert right > 0.95 * worlds
    assert wrong <= binom.ppf(0.999, worlds, alpha)
    assert wrong >= 0.01 * worlds  # the other tests of the family are there
