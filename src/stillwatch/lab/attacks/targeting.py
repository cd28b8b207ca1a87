"""Paraphrase against a mark: tokens that a key seems to prefer are chosen again, and against it.

Pan et al. (arXiv:2502.11598) let a paraphrasing model run with what they inferred taken off its
logits. Here a small model of unmarked text chooses again, at the places that look most marked; the
paraphraser's part is a stand-in, as in :mod:`.rewriting`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stillwatch.lab.attacks.attack import Budget, Floats, Int64s, share_of
from stillwatch.lab.attacks.bigrams import Bigrams
from stillwatch.lab.attacks.preferences import Preferences
from stillwatch.lab.attacks.rewriting import drawn, weighed

__all__ = ["TargetedRewriting"]


@dataclass(frozen=True, slots=True)
class TargetedRewriting:
    """The tokens that look most preferred, drawn again with their preferences taken off.

    Args:
        rate: at most this share of tokens; fewer where fewer are preferred.
        model: of unmarked text.
        preferences: what the key seems to prefer.
        strength: how many times their values are taken off the logits, 0 or more.

    Raises:
        ValueError: a rate that is no share, a strength below 0.
    """

    rate: float
    model: Bigrams
    preferences: Preferences
    strength: float = 1.0

    def __post_init__(self) -> None:
        share_of(self.rate, "the rate of tokens")
        if self.strength < 0:
            raise ValueError("the strength is 0 at least")

    @property
    def budget(self) -> Budget:
        return Budget(changed=self.rate, asked=self.rate)

    def __call__(self, text: Int64s, rng: np.random.Generator) -> Int64s:
        out, most, width = text.copy(), round(self.rate * len(text)), self._width
        said = text.tolist()
        suspicion = np.array(
            [self.preferences.value(said[max(i - width, 0) : i], said[i]) for i in range(len(said))]
        )
        worst = np.argsort(-suspicion, kind="stable")[:most]
        for at in np.sort(worst[suspicion[worst] > 0]).tolist():
            candidates, weights = weighed(self.model, out, at)
            against = self.preferences.values(out[:at], candidates)
            against += self._as_contexts(out, at, candidates)
            out[at] = drawn(candidates, weights * np.exp(-self.strength * against), rng)
        return out

    def _as_contexts(self, text: Int64s, at: int, candidates: Int64s) -> Floats:
        """How much the next token would be preferred after each candidate, float64 [candidates]."""
        if at + 1 >= len(text):
            return np.zeros(len(candidates))
        before, after = text[max(at + 1 - self._width, 0) : at].tolist(), int(text[at + 1])
        return np.array(
            [self.preferences.value([*before, token], after) for token in candidates.tolist()]
        )

    @property
    def _width(self) -> int:
        return max(self.preferences.widths, default=0)
