"""What every scheme of a mark can do: the one protocol that hooks, detection and tracing build on.

A context is the `context` tokens before a token, the oldest first, -1 where there is none yet; a
window is a context and the token after it.
"""

from __future__ import annotations

from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from stillwatch.watermark.keys import MarkKey
from stillwatch.watermark.laws import Law

__all__ = ["Bools", "Floats", "Int64s", "Logits", "Mark", "UInt64s"]

Logits = npt.NDArray[np.float32]
Int64s = npt.NDArray[np.int64]
UInt64s = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


class Mark(Protocol):
    """One scheme under one key. Immutable and hashable; equal marks score equally."""

    @property
    def key(self) -> MarkKey:
        """The key of :meth:`sample`, :meth:`scores` and of what a detection names."""
        ...

    @property
    def scheme(self) -> str:
        """The name of the scheme, the one that its keys are derived for."""
        ...

    @property
    def context(self) -> int:
        """How many tokens before a token its score depends on, at least 1."""
        ...

    @property
    def law(self) -> Law:
        """The law of one score under the null."""
        ...

    def with_key(self, key: MarkKey) -> Self:
        """The same scheme with the same settings under another key."""
        ...

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
        """The next token of each row, int64 [batch].

        Args:
            logits: float32 [batch, vocabulary]; -inf where a token is not allowed.
            contexts: int64 [batch, context].
            temperature: positive; one for all rows, or [batch].
            top_k: choose among so many of the most likely tokens, at least 2, ties to the lowest
                id; None is the whole vocabulary, as is 0 in an array [batch].
            rng: for schemes that also draw at random.
            keys: values of one key a row [batch], in place of the mark's own.

        Raises:
            ValueError: greedy decoding (temperature 0, top_k 1), which no mark can take part in; a
                row with NaN or +inf, or without a finite logit; a context with a token outside of
                the vocabulary; arrays of a wrong shape or type.
        """
        ...

    def scores(self, contexts: Int64s, tokens: Int64s) -> Floats:
        """The score of each window, float64 [n]; contexts int64 [n, context], tokens int64 [n]."""
        ...

    def totals(self, contexts: Int64s, tokens: Int64s, keys: UInt64s) -> Floats:
        """The sum of the scores of all windows under each of many keys, float64 [keys]."""
        ...

    def carries(self, contexts: Int64s) -> Bools:
        """Which contexts the mark is put on, bool [n]; the others are not scored.

        It may depend on a key, but not on that of the score alone: decoys are compared on the same
        windows.
        """
        ...
