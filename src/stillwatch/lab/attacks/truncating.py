"""A part of a text in place of the whole: its beginning, its end, a piece, or some of its chunks.

The cheapest attack: what is left is as much marked as before, and there is less of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np

from stillwatch.lab.attacks.attack import Budget, Int64s, share_of

__all__ = ["PARTS", "Chunks", "Part", "Truncation"]

Part = Literal["first", "last", "somewhere"]
PARTS: Final[tuple[Part, ...]] = get_args(Part)


@dataclass(frozen=True, slots=True)
class Truncation:
    """So many tokens of the text and no more: the first, the last, or from a random place on.

    Raises:
        ValueError: a length below 0.
    """

    length: int
    part: Part = "first"

    def __post_init__(self) -> None:
        if self.length < 0:
            raise ValueError("a length is 0 at least")

    @property
    def budget(self) -> Budget:
        return Budget(changed=1.0)

    def __call__(self, text: Int64s, rng: np.random.Generator) -> Int64s:
        spare = max(len(text) - self.length, 0)
        start = {"first": 0, "last": spare}.get(self.part)
        if start is None:
            start = int(rng.integers(0, spare + 1))
        return text[start : start + self.length].copy()


@dataclass(frozen=True, slots=True)
class Chunks:
    """Some of the chunks of a text, joined; at each joint the windows are broken.

    Args:
        size: tokens of a chunk.
        share: of the chunks, how many are kept, rounded.
        shuffled: whether they come in another order.

    Raises:
        ValueError: a size below 1, a share that is none.
    """

    size: int
    share: float
    shuffled: bool = False

    def __post_init__(self) -> None:
        share_of(self.share, "the share of chunks")
        if self.size < 1:
            raise ValueError("a chunk has a token at least")

    @property
    def budget(self) -> Budget:
        return Budget(changed=1.0 - self.share)

    def __call__(self, text: Int64s, rng: np.random.Generator) -> Int64s:
        starts = np.arange(0, len(text), self.size)
        kept = rng.permutation(len(starts))[: round(self.share * len(starts))]
        if not self.shuffled:
            kept.sort()
        pieces = [text[start : start + self.size] for start in starts[kept]]
        return np.concatenate(pieces) if pieces else text[:0].copy()
