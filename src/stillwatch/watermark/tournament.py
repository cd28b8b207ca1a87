"""The tournament mark: in each of m layers, tokens meet in pairs, and a keyed bit decides who wins.

SynthID-Text (Dathathri et al., Scalable watermarking for identifying large language model outputs,
Nature 634, 2024), with two tokens a match, which does not distort: over keys, a token is drawn
exactly as sampling does. A token has one bit a layer, all of them from one 32-bit word of the keyed
function for the context and the token. That is our own form: DeepMind's processors (synthid-text,
Hugging Face) take their bits from a linear congruential hash, and neither finds what the other
marks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import numpy as np

from stillwatch.watermark.keys import MarkKey
from stillwatch.watermark.laws import Lattice, Law, Tries
from stillwatch.watermark.mark import Bools, Floats, Int64s, Logits, UInt64s
from stillwatch.watermark.prf import DEFAULT, number_of, weighed_bits, words
from stillwatch.watermark.rows import Rows
from stillwatch.watermark.tournaments import play

__all__ = ["MOST_LAYERS", "TournamentMark"]

#: the bits of one word
MOST_LAYERS: Final = 32
#: what the first and the last layer count, where they do not count alike
_FIRST, _LAST = 10, 1


@dataclass(frozen=True, slots=True)
class TournamentMark:
    """A tournament under one key; the protocol is :class:`.mark.Mark`.

    Args:
        key: from a :class:`.keys.KeyRing`.
        context: tokens before a token that its bits depend on; see :class:`.gumbel.GumbelMark`.
        layers: of the tournament, at most 32. More leave less to chance, and later ones show less.
        weighted: whether the bit of the first layer counts 10 in detection and that of the last 1,
            the others evenly between, in whole numbers (the weighted mean of SynthID-Text); else
            all count 1. It does not change what is sampled.
        prf: the keyed function, a name in :data:`.prf.NAMES`.

    Raises:
        ValueError: a context below 1; no layers, or more than 32; a keyed function that is not
            known.
    """

    key: MarkKey
    context: int = 1
    layers: int = 30
    weighted: bool = True
    prf: str = DEFAULT

    def __post_init__(self) -> None:
        if self.context < 1:
            raise ValueError("a context has at least one token")
        if not 1 <= self.layers <= MOST_LAYERS:
            raise ValueError(f"a tournament has 1 to {MOST_LAYERS} layers")
        number_of(self.prf)

    @property
    def scheme(self) -> str:
        return "tournament"

    @property
    def weights(self) -> tuple[int, ...]:
        """What the bit of each layer counts."""
        return _weights(self.layers) if self.weighted else (1,) * self.layers

    @property
    def law(self) -> Law:
        return _law(self.layers) if self.weighted else Tries(self.layers, 0.5)

    def with_key(self, key: MarkKey) -> TournamentMark:
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
        """See :meth:`.mark.Mark.sample`; `rng` draws what the last layer leaves open."""
        rows = Rows.checked(logits, contexts, self.context, temperature, top_k)
        return play(rows, self.prf, rows.keys(self.key, keys), self.layers, rng)

    def scores(self, contexts: Int64s, tokens: Int64s) -> Floats:
        """The weights of the layers whose bit is 1, added up, for each window."""
        drawn = words(self.prf, self.key.value, contexts, tokens)
        bits = drawn[:, None] >> np.arange(self.layers, dtype=np.uint32) & np.uint32(1)
        out: Floats = (bits @ np.array(self.weights)).astype(np.float64)
        return out

    def totals(self, contexts: Int64s, tokens: Int64s, keys: UInt64s) -> Floats:
        return weighed_bits(self.prf, keys, contexts, tokens, self.weights).astype(np.float64)

    def carries(self, contexts: Int64s) -> Bools:
        return np.ones(len(contexts), np.bool_)


@cache
def _weights(layers: int) -> tuple[int, ...]:
    return tuple(np.rint(np.linspace(_FIRST, _LAST, layers)).astype(int).tolist())


@cache
def _law(layers: int) -> Lattice:
    """Of the sum of fair bits with these weights."""
    masses = np.ones(1)
    for weight in _weights(layers):
        longer = np.zeros(len(masses) + weight)
        longer[: len(masses)] += masses / 2
        longer[weight:] += masses / 2
        masses = longer
    return Lattice(tuple(masses.tolist()))
