"""Sums of scores over windows, epochs and keys, and the law of such a sum under the null.

Without weights laws are exact. With weights a total is Σ weight · (score - mean), its p-value is
Chernoff's bound, and m keys together are the same weights m times.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stillwatch.statistics import (
    BernoulliScores,
    ExponentialScores,
    LatticeScores,
    PooledTails,
    ScoreLaw,
)
from stillwatch.watermark.evidence import Evidence
from stillwatch.watermark.laws import Bernoulli, Exponential, Lattice, Law
from stillwatch.watermark.mark import Bools, Floats, Int64s, Mark, UInt64s
from stillwatch.watermark.weighted import weighted_totals

__all__ = ["Carried", "Pooled"]

Weights = npt.NDArray[np.float32]

#: values that a Gumbel score can take
_STEPS = 1 << 24
#: so many times the windows may be filled up to
_FILLED = 3


@dataclass(frozen=True, slots=True)
class Carried:
    """The windows of an evidence that a mark is put on in one epoch.

    Attributes:
        contexts: int64 [n, context].
        tokens: int64 [n]; with weights [n, k], those of each context, filled up by the weight 0.
        weights: float32 [n, k].
    """

    contexts: Int64s
    tokens: Int64s
    weights: Weights | None = None

    @classmethod
    def weighted(cls, contexts: Int64s, tokens: Int64s, weights: Weights) -> Carried:
        """Windows in ascending order, side by side by context: kernels read each context once."""
        new = np.ones(len(tokens), np.bool_)
        new[1:] = (contexts[1:] != contexts[:-1]).any(axis=1)
        first = np.flatnonzero(new)
        most = int(np.diff(first, append=len(tokens)).max(initial=0))
        if len(first) * most > _FILLED * len(tokens):
            return cls(contexts, tokens[:, None], weights[:, None])
        row = np.cumsum(new) - 1
        place = np.arange(len(tokens)) - first[row]
        several = np.zeros((len(first), most), np.int64)
        heavy = np.zeros((len(first), most), np.float32)
        several[row, place], heavy[row, place] = tokens, weights
        return cls(contexts[first], several, heavy)

    def totals(self, mark: Mark, keys: UInt64s) -> Floats:
        """The sum of scores under each key, float64 [keys]."""
        if self.weights is None:
            return mark.totals(self.contexts, self.tokens, keys)
        sums = weighted_totals(mark, self.contexts, self.tokens, self.weights, keys)
        out: Floats = sums - mark.law.mean * float(self.weights.sum(dtype=np.float64))
        return out


class Pooled:
    """The law of the sum of all scores that were added, under one key or several.

    Args:
        law: of one score.
        most: keys of the largest sum that will be asked about.
    """

    def __init__(self, law: Law, most: int = 1) -> None:
        self._law, self._most = law, most
        self._weights: list[Weights] = []
        self._tails: PooledTails | None = None
        self.scored = 0

    def add(self, evidence: Evidence, carried: Bools) -> Carried:
        """The windows of one epoch, which from now on count."""
        self.scored += int(carried.sum())
        whole = bool(carried.all())
        contexts = evidence.contexts if whole else evidence.contexts[carried]
        tokens = evidence.tokens if whole else evidence.tokens[carried]
        if evidence.weights is None:
            return Carried(contexts, tokens)
        # kernels weigh by float32, and so must the law
        weights = evidence.weights[carried].astype(np.float32)
        self._weights.append(weights)
        return Carried.weighted(contexts, tokens, weights)

    def log10_p(self, totals: npt.ArrayLike, keys: npt.ArrayLike) -> Floats:
        """log10 of P(sum of all scores under so many keys ≥ total), arguments broadcast.

        Under the null scores under different keys are independent draws of the same law.
        """
        if not self._weights:
            return self._law.log10_p(totals, self.scored * np.asarray(keys))
        if self._tails is None:
            law = _score_law(self._law)
            self._tails = PooledTails(np.concatenate(self._weights), law, most=self._most)
        return self._tails.log10_p(totals, keys)


def _score_law(law: Law) -> ScoreLaw:
    match law:
        case Exponential():
            return ExponentialScores(_STEPS)
        case Bernoulli(share):
            return BernoulliScores(share)
        case Lattice(masses):
            return LatticeScores(masses)
    raise ValueError(f"no bound is known for weighted scores of the law {law}")
