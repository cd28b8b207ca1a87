"""How surely a marked text is found, by its length and by how much choice the model had.

The model is simulated: each step has normal logits, whose spread sets the entropy. Distinct
contexts only, as in a text that does not repeat itself.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stillwatch.watermark import GumbelMark, KeyRing

__all__ = ["LENGTHS", "SPREADS", "Found", "found"]

LENGTHS = (25, 50, 100, 200, 400, 800)
SPREADS = (3.0, 6.0, 12.0, 24.0, 48.0)
VOCABULARY, TOP_K, TEXTS, LOG10_FALSE = 1_000, 64, 400, -6.0


class Found(NamedTuple):
    """Nats a token after the cut to the top k, and the share that is found at each length."""

    entropy: float
    shares: list[float]


def found(spread: float) -> Found:
    """Of `TEXTS` texts, each under a key of its own, the share with p ≤ 10^-6 at each length."""
    rng = np.random.default_rng(6)
    ring, longest = KeyRing(bytes(32), "bench"), max(LENGTHS)
    marks = [GumbelMark(ring.key(f"c-{i}"), 2) for i in range(TEXTS)]
    keys = np.array([mark.key.value for mark in marks], np.uint64)
    scores, entropies = np.empty((longest, TEXTS)), []
    for at in range(longest):
        logits = rng.normal(0, spread, (TEXTS, VOCABULARY)).astype(np.float32)
        contexts = np.stack([np.full(TEXTS, at), np.arange(TEXTS) % VOCABULARY], axis=1)
        tokens = marks[0].sample(logits, contexts, top_k=TOP_K, rng=rng, keys=keys)
        scores[at] = [
            mark.scores(contexts[i : i + 1], tokens[i : i + 1])[0] for i, mark in enumerate(marks)
        ]
        top = np.sort(logits[:20], axis=1)[:, -TOP_K:].astype(np.float64)
        p = np.exp(top - top.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        entropies.append(-(p * np.log(np.maximum(p, 1e-300))).sum(axis=1).mean())
    law = marks[0].law
    shares = [
        float((law.log10_p(scores[:length].sum(axis=0), length) <= LOG10_FALSE).mean())
        for length in LENGTHS
    ]
    return Found(float(np.mean(entropies)), shares)
