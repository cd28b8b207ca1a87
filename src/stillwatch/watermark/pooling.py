"""Sums of scores over windows, epochs and keys, and the law of such a sum under the null."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stillwatch.watermark.evidence import Evidence
from stillwatch.watermark.laws import Law
from stillwatch.watermark.mark import Bools, Floats, Int64s, Mark, UInt64s

__all__ = ["Carried", "Pooled"]


@dataclass(frozen=True, slots=True)
class Carried:
    """The windows of an evidence that a mark is put on in one epoch."""

    contexts: Int64s
    tokens: Int64s
    weights: Floats | None

    def totals(self, mark: Mark, keys: UInt64s) -> Floats:
        """The sum of scores under each key, float64 [keys]."""
        return mark.totals(self.contexts, self.tokens, keys)


class Pooled:
    """The law of the sum of all scores that were added, under one key or several.

    Args:
        law: of one score.
    """

    def __init__(self, law: Law) -> None:
        self._law = law
        self.scored = 0

    def add(self, evidence: Evidence, carried: Bools) -> Carried:
        """The windows of one epoch, which from now on count."""
        self.scored += int(carried.sum())
        whole = bool(carried.all())
        return Carried(
            evidence.contexts if whole else evidence.contexts[carried],
            evidence.tokens if whole else evidence.tokens[carried],
            None if evidence.weights is None else evidence.weights[carried],
        )

    def log10_p(self, totals: npt.ArrayLike, keys: npt.ArrayLike) -> Floats:
        """log10 of P(sum of all scores under so many keys ≥ total), arguments broadcast.

        Under the null scores under different keys are independent draws of the same law.
        """
        return self._law.log10_p(totals, self.scored * np.asarray(keys))
