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

_Counts = tuple[Int64s, Floats]
_NOBODY: Final[_Counts] = (np.empty(0, np.int64), np.empty(0, np.float64))


class Bigrams:
    """Pairs of tokens in some texts.

    Args:
        texts: unmarked, int64 [length] each, of the kind that is to be rewritten.
        most: of the tokens that follow one, the most frequent that are thought of.
    """

    def __init__(self, texts: Iterable[Int64s], *, most: int = 64) -> None:
        every = [np.asarray(text, np.int64) for text in texts]
        tokens, counts = np.unique(
            np.concatenate([np.empty(0, np.int64), *every]), return_counts=True
        )
        self._single: _Counts = tokens, counts / max(counts.sum(), 1)
        pairs = np.concatenate(
            [np.empty((0, 2), np.int64), *(np.stack([t[:-1], t[1:]], axis=1) for t in every)]
        )
        found, seen = np.unique(pairs, axis=0, return_counts=True)
        times = seen.astype(np.float64)
        self._followers = _grouped(found[:, 0], found[:, 1], times)
        order = np.lexsort((found[:, 0], found[:, 1]))
        self._leaders = _grouped(found[order, 1], found[order, 0], times[order])
        firsts = np.array(list(self._followers), np.int64)
        sums = np.array([each.sum() for _, each in self._followers.values()])
        self._totals: _Counts = firsts, sums
        self._likeliest = {
            before: tokens[np.argsort(-each, kind="stable")[:most]]
            for before, (tokens, each) in self._followers.items()
        }

    def candidates(self, before: int) -> Int64s:
        """The tokens that followed one, the most frequent first."""
        return self._likeliest.get(before, _NOBODY[0])

    def counts(self, before: int, tokens: Int64s) -> tuple[Floats, float]:
        """How often each of some tokens followed one, float64 [tokens], and how often any did."""
        followers = self._followers.get(before, _NOBODY)
        return _looked_up(followers, tokens), float(followers[1].sum())

    def chances(self, before: int, tokens: Int64s) -> Floats:
        """How likely each of some tokens is after one, float64 [tokens]."""
        counted, total = self.counts(before, tokens)
        usual = np.maximum(_looked_up(self._single, tokens), _UNSEEN)
        out: Floats = (counted + _PRIOR * usual) / (total + _PRIOR)
        return out

    def chances_before(self, tokens: Int64s, after: int) -> Floats:
        """How likely one token is after each of some, float64 [tokens]."""
        usual = max(float(_looked_up(self._single, np.array([after]))[0]), _UNSEEN)
        counted = _looked_up(self._leaders.get(after, _NOBODY), tokens)
        out: Floats = (counted + _PRIOR * usual) / (_looked_up(self._totals, tokens) + _PRIOR)
        return out


def _grouped(keys: Int64s, tokens: Int64s, times: Floats) -> dict[int, _Counts]:
    """Tokens and counts of each key; keys ascending, tokens ascending within each."""
    starts = np.flatnonzero(np.diff(keys, prepend=-1, append=-1)) if len(keys) else keys
    return {
        int(keys[start]): (tokens[start:end], times[start:end])
        for start, end in pairwise(starts.tolist())
    }


def _looked_up(counts: _Counts, tokens: Int64s) -> Floats:
    """The count of each token, 0 where there is none."""
    known, times = counts
    if not len(known):
        return np.zeros(len(tokens))
    places = np.minimum(np.searchsorted(known, tokens), len(known) - 1)
    return np.where(known[places] == tokens, times[places], 0.0)
