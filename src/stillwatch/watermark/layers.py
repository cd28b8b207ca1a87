"""Two marks in one text: a global key that proves theft, and a cluster key that says whose.

A coin that the global key tosses for each context decides which of the two marks what follows it.
The coin looks at the last tokens that both layers see, so each layer's detector knows its contexts
from its own windows, and scores only those.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from stillwatch.watermark.keys import MarkKey
from stillwatch.watermark.laws import Law
from stillwatch.watermark.mark import Bools, Floats, Int64s, Logits, Mark, UInt64s
from stillwatch.watermark.prf import DEFAULT, words
from stillwatch.watermark.rows import settings_of

__all__ = ["Coin", "LayerMark", "LayeredMark", "Tosses"]

#: no token has this id, so that the coin says nothing about any token's noise
_COIN = -1


class Tosses(Protocol):
    """What decides between two layers; immutable and hashable."""

    def toss(self, contexts: Int64s) -> Bools:
        """Whether each context, int64 [n, width or more], comes up heads."""
        ...


@dataclass(frozen=True, slots=True)
class Coin:
    """A keyed coin on the last `width` tokens: heads with a probability of `heads`."""

    key: MarkKey
    width: int
    heads: float

    def toss(self, contexts: Int64s) -> Bools:
        """Whether each context, int64 [n, width or more], comes up heads."""
        last = contexts[:, contexts.shape[1] - self.width :]
        drawn = words(DEFAULT, self.key.value, last, np.full(len(last), _COIN, np.int64))
        heads: Bools = drawn < round(self.heads * 2**32)
        return heads


@dataclass(frozen=True, slots=True)
class LayerMark:
    """One layer as a mark of its own: put on, and scored, where the coin says so.

    `mark` may have another key (a decoy's) while the coin stays the same.
    """

    mark: Mark
    coin: Tosses
    heads: bool

    @property
    def key(self) -> MarkKey:
        return self.mark.key

    @property
    def scheme(self) -> str:
        return self.mark.scheme

    @property
    def context(self) -> int:
        return self.mark.context

    @property
    def law(self) -> Law:
        return self.mark.law

    def with_key(self, key: MarkKey) -> LayerMark:
        return replace(self, mark=self.mark.with_key(key))

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
        """As the layer's mark, wherever the coin fell: :class:`LayeredMark` asks the right one."""
        return self.mark.sample(
            logits, contexts, temperature=temperature, top_k=top_k, rng=rng, keys=keys
        )

    def scores(self, contexts: Int64s, tokens: Int64s) -> Floats:
        return self.mark.scores(contexts, tokens)

    def totals(self, contexts: Int64s, tokens: Int64s, keys: UInt64s) -> Floats:
        return self.mark.totals(contexts, tokens, keys)

    def carries(self, contexts: Int64s) -> Bools:
        carried: Bools = self.coin.toss(contexts) == self.heads
        return carried


@dataclass(frozen=True, slots=True)
class LayeredMark:
    """A global and a cluster mark on separate contexts.

    Args:
        global_mark: under the key of :data:`.keys.GLOBAL`, which also tosses the coin.
        cluster_mark: under the key of a cluster.
        share: of contexts that the global mark is put on.

    Raises:
        ValueError: a share that does not lie between 0 and 1; one key for both.
    """

    global_mark: Mark
    cluster_mark: Mark
    share: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise ValueError("a share lies between 0 and 1")
        if self.global_mark.key.value == self.cluster_mark.key.value:
            raise ValueError("the layers have keys of their own")

    @property
    def context(self) -> int:
        """Tokens before a token that sampling needs: those of the wider layer."""
        return max(self.global_mark.context, self.cluster_mark.context)

    @property
    def coin(self) -> Tosses:
        """What decides between the layers: heads is the global one."""
        width = min(self.global_mark.context, self.cluster_mark.context)
        return Coin(self.global_mark.key, width, self.share)

    @property
    def layers(self) -> tuple[LayerMark, LayerMark]:
        """The global and the cluster layer, each a mark to detect."""
        coin = self.coin
        return LayerMark(self.global_mark, coin, True), LayerMark(self.cluster_mark, coin, False)

    def layer_of(self, contexts: Int64s) -> list[Mark]:
        """The mark that is put on each context, int64 [batch, context or more]."""
        return [
            self.global_mark if heads else self.cluster_mark for heads in self.coin.toss(contexts)
        ]

    def sample(
        self,
        logits: Logits,
        contexts: Int64s,
        *,
        temperature: float | Floats = 1.0,
        top_k: int | Int64s | None = 64,
        rng: np.random.Generator,
    ) -> Int64s:
        """As :meth:`.mark.Mark.sample`, each row under the layer of its context."""
        logits, contexts = np.asarray(logits), np.ascontiguousarray(contexts, np.int64)
        if contexts.shape != (len(logits), self.context):
            raise ValueError(f"contexts are [{len(logits)}, {self.context}], not {contexts.shape}")
        warm, many = settings_of(len(logits), temperature, top_k)
        heads = self.coin.toss(contexts)
        out = np.empty(len(logits), np.int64)
        for mark, at in ((self.global_mark, heads), (self.cluster_mark, ~heads)):
            out[at] = mark.sample(
                logits[at], contexts[at, self.context - mark.context :],
                temperature=warm[at], top_k=many[at], rng=rng,
            )  # fmt: skip
        return out
