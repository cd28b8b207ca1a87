"""Microseconds a token that a sampler takes on one core, mark included."""

from __future__ import annotations

import numpy as np

from benchmarks.watermark.timing import cpu_seconds
from stillwatch.watermark import GumbelMark, History, KeyRing, Mark, sample_rows, sample_unmarked

__all__ = ["ROUNDS", "logits_of", "microseconds", "mixed_batch"]

ROUNDS = 15


def logits_of(batch: int, vocabulary: int) -> np.ndarray:
    """Normal logits with a standard deviation of 3, float32 [batch, vocabulary]."""
    return np.random.default_rng(1).normal(0, 3, (batch, vocabulary)).astype(np.float32)


def microseconds(
    vocabulary: int, batch: int, top_k: int | None, prf: str | None, *, context: int = 4
) -> float:
    """Of one token under a mark with this keyed function, or without a mark (None)."""
    rng = np.random.default_rng(2)
    logits = logits_of(batch, vocabulary)
    contexts = rng.integers(0, vocabulary, (batch, context))
    if prf is None:
        return (
            1e6 / batch * cpu_seconds(lambda: sample_unmarked(logits, top_k=top_k, rng=rng), ROUNDS)
        )
    mark = GumbelMark(KeyRing(bytes(32), "bench").key("c"), context, prf)
    return (
        1e6
        / batch
        * cpu_seconds(lambda: mark.sample(logits, contexts, top_k=top_k, rng=rng), ROUNDS)
    )


def mixed_batch(vocabulary: int, batch: int) -> float:
    """Of one token where each row has a key of its own and every fourth has no mark."""
    rng, ring = np.random.default_rng(3), KeyRing(bytes(32), "bench")
    marks: list[Mark | None] = [
        None if row % 4 == 3 else GumbelMark(ring.key(f"c-{row}"), 2) for row in range(batch)
    ]
    logits = logits_of(batch, vocabulary)
    contexts = rng.integers(0, vocabulary, (batch, 2))

    def step() -> None:
        histories = [History() for _ in marks]
        sample_rows(marks, logits, contexts, histories=histories, rng=rng)

    return 1e6 / batch * cpu_seconds(step, ROUNDS)
