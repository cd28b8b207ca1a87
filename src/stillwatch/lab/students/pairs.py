"""What a student counted after two tokens: sparse, and on top of what it knows after one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["PairCounts"]

Int64s = npt.NDArray[np.int64]
Table = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class PairCounts:
    """Counts of tokens after pairs of tokens.

    Attributes:
        contexts: int64 [contexts], each pair as one number, ascending.
        starts: int64 [contexts + 1], where the tokens of each begin.
        tokens, counts: int64 and float32 [facts].
        weight: how many tokens the distribution after one token is worth beside them.
        vocabulary: the number of tokens.
    """

    contexts: Int64s
    starts: Int64s
    tokens: Int64s
    counts: Table
    weight: float
    vocabulary: int

    @classmethod
    def of(cls, texts: Sequence[Int64s] | Int64s, vocabulary: int, weight: float) -> PairCounts:
        """The counts of `texts`, int64 [length] each."""
        size = vocabulary
        facts = [(text[:-2] * size + text[1:-1]) * size + text[2:] for text in texts]
        known, counts = np.unique(np.concatenate(facts), return_counts=True)
        contexts, starts = np.unique(known // size, return_index=True)
        return cls(
            contexts, np.append(starts, len(known)), known % size, counts.astype(np.float32),
            weight, size,
        )  # fmt: skip

    def add_to(self, rows: Table, tokens: Int64s) -> None:
        """Let rows, float32 [length, vocabulary], of what follows each token know the pair, too."""
        if len(tokens) < 2 or not len(self.contexts):
            return
        codes = tokens[:-1] * self.vocabulary + tokens[1:]
        places = np.minimum(np.searchsorted(self.contexts, codes), len(self.contexts) - 1)
        for row in np.flatnonzero(self.contexts[places] == codes):
            begin, end = self.starts[places[row]], self.starts[places[row] + 1]
            counts = self.counts[begin:end]
            whole = np.float32(counts.sum() + self.weight)
            rows[row + 1] *= np.float32(self.weight) / whole
            rows[row + 1, self.tokens[begin:end]] += counts / whole
