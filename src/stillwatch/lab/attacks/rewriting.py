"""Tokens chosen again by a small model of unmarked text, each between its two neighbours.

A stand-in for paraphrase where there is no language model: it keeps the order of a text and nothing
of its sense. A paraphraser changes more, and keeps the sense.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stillwatch.lab.attacks.attack import Budget, Floats, Int64s, share_of
from stillwatch.lab.attacks.bigrams import Bigrams

__all__ = ["Rewriting", "drawn", "weighed"]


@dataclass(frozen=True, slots=True)
class Rewriting:
    """Randomly chosen tokens drawn again, from left to right, given those before and after.

    Args:
        rate: the share of tokens that are drawn again; some come out as they were.
        model: of unmarked text.

    Raises:
        ValueError: a rate that is no share.
    """

    rate: float
    model: Bigrams

    def __post_init__(self) -> None:
        share_of(self.rate, "the rate of tokens")

    @property
    def budget(self) -> Budget:
        return Budget(changed=self.rate, asked=self.rate)

    def __call__(self, text: Int64s, rng: np.random.Generator) -> Int64s:
        out = text.copy()
        for at in np.sort(rng.permutation(len(text))[: round(self.rate * len(text))]).tolist():
            candidates, weights = weighed(self.model, out, at)
            out[at] = drawn(candidates, weights, rng)
        return out


def weighed(model: Bigrams, text: Int64s, at: int) -> tuple[Int64s, Floats]:
    """What may stand at a place, what stands there included, and how likely each is there."""
    old = text[at : at + 1]
    if at == 0:
        candidates, weights = old, np.ones(1)
    else:
        before = int(text[at - 1])
        candidates = np.union1d(model.candidates(before), old)
        weights = model.chances(before, candidates)
    if at + 1 < len(text):
        weights = weights * model.chances_before(candidates, int(text[at + 1]))
    return candidates, weights


def drawn(candidates: Int64s, weights: Floats, rng: np.random.Generator) -> int:
    """One of the candidates, as likely as its weight says."""
    cumulated = np.cumsum(weights)
    place = np.searchsorted(cumulated, rng.random() * cumulated[-1], side="right")
    return int(candidates[min(int(place), len(candidates) - 1)])
