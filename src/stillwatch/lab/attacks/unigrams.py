"""How often each token is said: what a careless attacker draws foreign tokens from."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from stillwatch.lab.attacks.attack import Floats, Int64s

__all__ = ["Unigrams"]


class Unigrams:
    """The tokens of some texts, each as often as it is there.

    Raises:
        ValueError: no token at all.
    """

    __slots__ = ("_cumulated", "tokens")

    def __init__(self, texts: Iterable[Int64s]) -> None:
        every = [np.asarray(text, np.int64) for text in texts]
        self.tokens, counts = np.unique(
            np.concatenate(every) if every else np.empty(0, np.int64), return_counts=True
        )
        if not len(self.tokens):
            raise ValueError("there are no tokens to draw from")
        self._cumulated: Floats = np.cumsum(counts, dtype=np.float64) / counts.sum()

    def draw(self, many: int, rng: np.random.Generator) -> Int64s:
        """So many tokens, int64 [many]."""
        places = np.searchsorted(self._cumulated, rng.random(many), side="right")
        return self.tokens[np.minimum(places, len(self.tokens) - 1)]

    def other_than(self, tokens: Int64s, rng: np.random.Generator) -> Int64s:
        """A token for each of the given ones that is not it, where there is another at all."""
        out = self.draw(len(tokens), rng)
        if len(self.tokens) > 1:
            while (same := np.flatnonzero(out == tokens)).size:
                out[same] = self.draw(len(same), rng)
        return out
