"""What a suspect gives: probabilities of what follows, or text alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from stillwatch.watermark.answer_files import Answer

__all__ = ["Answer", "Best", "BestSuspect", "ClosedSuspect", "OpenSuspect"]

Int64s = npt.NDArray[np.int64]
Probabilities = npt.NDArray[np.float32]


class OpenSuspect(Protocol):
    """A model that says how likely every token is."""

    @property
    def vocabulary(self) -> int:
        """The number of tokens."""
        ...

    def probabilities(self, texts: Sequence[Int64s]) -> Iterator[Probabilities]:
        """For each text, float32 [length, vocabulary].

        Row j is the distribution of what follows ``texts[i][: j + 1]``.
        """
        ...


class Best(NamedTuple):
    """The likeliest tokens at each position of a text, as interfaces with log probabilities give.

    Attributes:
        tokens: int64 [length, n]; -1 where there are fewer than n.
        probabilities: float32 [length, n].
    """

    tokens: Int64s
    probabilities: Probabilities

    def at(self, positions: Int64s) -> Best:
        """The same of some positions."""
        return Best(self.tokens[positions], self.probabilities[positions])


class BestSuspect(Protocol):
    """A model that says how likely its n best tokens are."""

    @property
    def vocabulary(self) -> int:
        """The number of tokens."""
        ...

    def best(self, texts: Sequence[Int64s]) -> Iterator[Best]:
        """For each text, what may follow each of its beginnings."""
        ...


ClosedSuspect: TypeAlias = Sequence[Answer]
