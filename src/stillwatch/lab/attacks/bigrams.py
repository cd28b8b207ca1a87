"""What an attacker knows who has unmarked text and no model: which token follows which.

Counts of pairs, smoothed with those of single tokens. Real, small, and worse than any language
model: what it rewrites reads accordingly.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Final

import numpy as np

from stillwatch.lab.attacks.attack import Floats, Int64s

__all__ = ["Bigrams"]

#: how much the single counts weigh: as so many observations after each token
_PRIOR: Final = 1.0
#: of a token that the text does not have
_UNSEEN: Final = 1e-7
_NOBODY: Final = (np.empty(0, np.int64), np.empty(0, np.float64))


class Bigrams:
    """Pairs of tokens in some texts.

    Args:
        texts: unmarked, int64 [length] each, of the kind that is to be rewritten.
        most: of the tokens that follow one, the most frequent that are thought of.
    """

    def __init__(self, texts: Iterable[Int64s], *, most: int = 64) -> None:
        every = [np.asarray(text, np.int64) for text in texts]
        single, counts = np.unique(
            np.concatenate([np.empty(0, np.int64), *every]), return_counts=True
        )
        self._chances = dict(
            zip(single.tolist(), (counts / max(counts.sum(), 1)).tolist(), strict=True)
        )
        pairs = np.concatenate(
            [np.empty((0, 2), np.int64), *(np.stack([t[:-1], t[1:]], axis=1) for t in every)]
        )
        found, seen = np.unique(pairs, axis=0, return_counts=True)
        starts = np.flatnonzero(np.diff(found[:, 0], prepend=-1, append=-1))
        self._followers: dict[int, tuple[Int64s, Floats]] = {}
        self._likeliest: dict[int, Int64s] = {}
        for start, end in pairwise(starts.tolist()):
            tokens, times = found[start:end, 1], seen[start:end].astype(np.float64)
            before = int(found[start, 0])
            self._followers[before] = tokens, times
            self._likeliest[before] = tokens[np.argsort(-times, kind="stable")[:most]]

    def candidates(self, before: int) -> Int64s:
        """The tokens that followed one, the most frequent first."""
        return self._likeliest.get(before, _NOBODY[0])

    def chances(self, before: int, tokens: Int64s) -> Floats:
        """How likely each of some tokens is after one, float64 [tokens]."""
        usual = np.array([self._chances.get(token, _UNSEEN) for token in tokens.tolist()])
        followers, times = self._followers.get(before, _NOBODY)
        if not len(followers):
            return usual
        places = np.minimum(np.searchsorted(followers, tokens), len(followers) - 1)
        counted = np.where(followers[places] == tokens, times[places], 0.0)
        out: Floats = (counted + _PRIOR * usual) / (times.sum() + _PRIOR)
        return out

    def chance_of_next(self, tokens: Int64s, after: int) -> Floats:
        """How likely one token is after each of some, float64 [tokens]."""
        one = np.array([after])
        return np.array([self.chances(token, one)[0] for token in tokens.tolist()])
