"""The bias list: common tokens, half of them made likelier by a key, through ``logit_bias`` alone.

For upstreams that take a bias for a few hundred tokens and give text. Each token of a public list
has a sign under the key, whatever is before it: those with a plus gain half of `bias`, those with a
minus lose it. (A fixed list is what Zhao et al. call Unigram, ICLR 2024; here of few tokens.) Signs
are the same in all texts of a key. So this is the mark that is easiest to steal, by counting words,
and the one with the least to say: at most one bit a token of the list, however much text there is.
It is biased.

The test: given how often each token came, are the signs of the key unrelated to what came more
often than usual? Under the null the signs are as good as tossed after the text was written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np

from stillwatch.watermark.keys import MarkKey
from stillwatch.watermark.mark import Floats, Int64s, UInt64s
from stillwatch.watermark.prf import DEFAULT, number_of
from stillwatch.watermark.words import word_kernels

__all__ = ["MOST_TOKENS", "BiasListMark"]

#: what common interfaces take in one request
MOST_TOKENS: Final = 300
#: beyond, upstreams force and forbid tokens
_MOST_BIAS: Final = 10.0
#: the largest weight of a token; weights are whole, so that the test is exact
_LARGEST: Final = 255
_HALF: Final = 1 << 31


@dataclass(frozen=True, slots=True)
class BiasListMark:
    """A list with random signs under one key; :func:`.biased_texts.detect_biased` looks for it.

    Args:
        key: from a :class:`.keys.KeyRing`.
        tokens: of the list, public and the same for all keys; common ones show most.
        usual: how often each comes without a mark, in any unit; without it what comes more often
            than usual is not known, and the mark shows much less.
        bias: what lies between tokens with a plus and with a minus, in logits: their odds are
            e^bias times as high.
        prf: the keyed function, a name in :data:`.prf.NAMES`.

    Raises:
        ValueError: no tokens, more than 300, one twice, or a negative one; usual numbers that are
            not one for each token, positive and finite; a bias that is not positive or above 10; a
            keyed function that is not known.
    """

    key: MarkKey
    tokens: tuple[int, ...]
    usual: tuple[float, ...] | None = None
    bias: float = 1.0
    prf: str = DEFAULT

    def __post_init__(self) -> None:
        if not 0 < len(self.tokens) <= MOST_TOKENS or min(self.tokens) < 0:
            raise ValueError(f"a list has 1 to {MOST_TOKENS} tokens, none negative")
        if len(set(self.tokens)) < len(self.tokens):
            raise ValueError("a token is on the list once")
        if self.usual is not None:
            often = np.asarray(self.usual)
            if len(often) != len(self.tokens) or not ((often > 0) & np.isfinite(often)).all():
                raise ValueError("each token has a usual number, positive and finite")
        if not 0 < self.bias <= _MOST_BIAS:
            raise ValueError(f"a bias is positive and at most {_MOST_BIAS:g}")
        number_of(self.prf)

    @classmethod
    def of_reference(
        cls, key: MarkKey, reference: Int64s, *, most: int = MOST_TOKENS, bias: float = 1.0
    ) -> Self:
        """The `most` commonest tokens of unmarked text of the model, with how often they come.

        Args:
            reference: int64 [length], the more the better: some 100 times as many tokens as the
                list has.

        Raises:
            ValueError: as the class does.
        """
        tokens, often = np.unique(np.asarray(reference), return_counts=True)
        best = np.argsort(-often, kind="stable")[:most]
        usual = tuple(often[best].astype(float).tolist())
        return cls(key, tuple(tokens[best].tolist()), usual, bias)

    @property
    def scheme(self) -> str:
        return "bias-list"

    def with_key(self, key: MarkKey) -> BiasListMark:
        return replace(self, key=key)

    def logit_bias(self) -> dict[int, float]:
        """What the request's ``logit_bias`` gets: half of the bias up or down for each token."""
        [signs] = self.signs(np.array([self.key.value], np.uint64))
        return dict(zip(self.tokens, (signs * (self.bias / 2)).tolist(), strict=True))

    def signs(self, keys: UInt64s) -> Int64s:
        """1 or -1 for each token of the list under each key, int64 [keys, tokens]."""
        listed = np.array(self.tokens, np.int64)
        nowhere = np.full((len(listed), 1), -1, np.int64)
        drawn = np.empty((len(keys), len(listed)), np.uint32)
        for key, out in zip(np.asarray(keys, np.uint64), drawn, strict=True):
            word_kernels().words(number_of(self.prf), key, nowhere, listed, out)
        return np.where(drawn < _HALF, 1, -1)

    def counts(self, tokens: Int64s) -> Int64s:
        """How often each token of the list comes in a text, int64 [tokens]."""
        listed = np.array(self.tokens, np.int64)
        order = np.argsort(listed)
        place = np.minimum(np.searchsorted(listed[order], tokens), len(listed) - 1)
        met = order[place[listed[order][place] == tokens]]
        return np.bincount(met, minlength=len(listed))

    def weights(self, counts: Int64s) -> Int64s:
        """What a plus of each token says, whole, int64 [tokens], from -255 to 255.

        How far its number lies from the usual one, in about standard deviations, of its share of
        all that is on the list; where the usual is not known, the root of its number.
        """
        said: Floats
        if self.usual is None:
            said = np.sqrt(counts)
        else:
            usual: Sequence[float] = self.usual
            expected = np.asarray(usual) * (counts.sum() / np.sum(usual))
            said = (counts - expected) / np.sqrt(expected + 1)
        largest = np.abs(said).max()
        scale = _LARGEST / largest if largest > 0 else 0.0
        return np.rint(said * scale).astype(np.int64)
