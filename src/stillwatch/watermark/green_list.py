"""The green-list mark: softmax sampling in which a keyed part of the tokens is likelier.

Kirchenbauer et al. (A watermark for large language models, ICML 2023), with one call of the keyed
function for each context and token in place of a permutation of the vocabulary, as SBW does it
(arXiv:2609.03844). It is biased, for every key and over keys: text is less likely under the model,
and more varied, than sampling makes it. In return its law is a plain binomial one, and whoever may
set `logit_bias` can put it on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from stillwatch.watermark.drawing import draw
from stillwatch.watermark.keys import MarkKey
from stillwatch.watermark.laws import Bernoulli, Law
from stillwatch.watermark.mark import Bools, Floats, Int64s, Logits, UInt64s
from stillwatch.watermark.prf import DEFAULT, hits, number_of, words
from stillwatch.watermark.rows import Rows

__all__ = ["GreenListMark"]

_WORDS: Final = 1 << 32
#: red tokens have e^-delta of their weight, which must not vanish where all candidates are red
_MOST_DELTA: Final = 50.0


@dataclass(frozen=True, slots=True)
class GreenListMark:
    """A green list under one key; the protocol is :class:`.mark.Mark`.

    Args:
        key: from a :class:`.keys.KeyRing`.
        context: tokens before a token that its colour depends on; see :class:`.gumbel.GumbelMark`.
        gamma: the share of tokens that are green, to 2^-32.
        delta: added to the logits of green tokens after the temperature: their odds are e^delta
            times as high, at any temperature. (Hugging Face adds it before.)
        prf: the keyed function, a name in :data:`.prf.NAMES`.

    Raises:
        ValueError: a context below 1; a share that does not lie between 0 and 1; a delta that is
            not positive or above 50; a keyed function that is not known.
    """

    key: MarkKey
    context: int = 1
    gamma: float = 0.25
    delta: float = 2.0
    prf: str = DEFAULT

    def __post_init__(self) -> None:
        if self.context < 1:
            raise ValueError("a context has at least one token")
        if not (0 < self.gamma < 1 and 0 < self.below < _WORDS):
            raise ValueError("the share of green tokens lies between 0 and 1")
        if not 0 < self.delta <= _MOST_DELTA:
            raise ValueError(f"delta is positive and at most {_MOST_DELTA:g}")
        number_of(self.prf)

    @property
    def below(self) -> int:
        """Words of the keyed function below it are green."""
        return round(self.gamma * _WORDS)

    @property
    def scheme(self) -> str:
        return "green-list"

    @property
    def law(self) -> Law:
        return Bernoulli(self.below / _WORDS)

    def with_key(self, key: MarkKey) -> GreenListMark:
        return replace(self, key=key)

    def sample(
        self,
        logits: Logits,
        contexts: Int64s,
        *,
        temperature: float | Floats = 1.0,
        top_k: int | Int64s | None = 64,
        rng: np.random.Generator,
        keys: UInt64s | None = None,
    ) -> Int64s:
        """See :meth:`.mark.Mark.sample`; a token outside of the top k stays out, green or not."""
        rows = Rows.checked(logits, contexts, self.context, temperature, top_k)
        return draw(rows, self.prf, rows.keys(self.key, keys), self.below, self.delta, rng)

    def scores(self, contexts: Int64s, tokens: Int64s) -> Floats:
        """1 for each window whose token is green, 0 for the others."""
        return (words(self.prf, self.key.value, contexts, tokens) < self.below).astype(np.float64)

    def totals(self, contexts: Int64s, tokens: Int64s, keys: UInt64s) -> Floats:
        return hits(self.prf, keys, contexts, tokens, self.below / _WORDS).astype(np.float64)

    def carries(self, contexts: Int64s) -> Bools:
        return np.ones(len(contexts), np.bool_)
