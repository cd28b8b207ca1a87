"""Marked pieces among unmarked text: the copy-paste attack, and how a student's data looks.

Kirchenbauer et al. (On the reliability of watermarks, arXiv:2306.04634) paste a few long spans; a
distiller mixes sentences or answers. Nothing of the text is lost, and a test over the whole has
more and more chance in it. :func:`stillwatch.watermark.spans` is made for such texts.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from stillwatch.lab.attacks.attack import Budget, Int64s

__all__ = ["Mixing"]


@dataclass(frozen=True, slots=True)
class Mixing:
    """The whole text, cut into pieces that lie in order among unmarked tokens.

    Args:
        share: of the tokens that come out, how many are the text's, above 0; 1 adds nothing.
        cover: unmarked tokens, int64 [length]; from a random place on, and from its beginning again
            where it ends.
        span: tokens of a piece; small for sentences that are mixed, large for pasted passages.
        ends: tokens that end a sentence: a piece goes on to the next of them.

    Raises:
        ValueError: a share that is not above 0 and at most 1; no cover; a span below 1.
    """

    share: float
    cover: Int64s
    span: int = 20
    ends: frozenset[int] = field(default=frozenset())

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise ValueError("the share of the text lies above 0, and is at most 1")
        if not len(self.cover):
            raise ValueError("there is no text to mix with")
        if self.span < 1:
            raise ValueError("a piece has a token at least")

    @property
    def budget(self) -> Budget:
        return Budget(added=(1 - self.share) / self.share)

    def __call__(self, text: Int64s, rng: np.random.Generator) -> Int64s:
        spare = round(len(text) * (1 - self.share) / self.share)
        start = int(rng.integers(len(self.cover)))
        around = np.take(self.cover, np.arange(start, start + spare), mode="wrap")
        pieces = self.cut(text)
        joints = self.joints(around, len(pieces), rng)
        out, last = [], 0
        for piece, joint in zip(pieces, joints, strict=True):
            out += [around[last:joint], piece]
            last = joint
        return np.concatenate([*out, around[last:]])

    def cut(self, text: Int64s) -> list[Int64s]:
        """The pieces of the text."""
        return np.split(text, self._after_ends(text, np.arange(self.span, len(text), self.span)))

    def joints(self, around: Int64s, many: int, rng: np.random.Generator) -> list[int]:
        """Where in the cover the pieces go, ascending: after an end, where there are ends."""
        places = np.sort(rng.integers(0, len(around) + 1, many))
        after = [int(i) + 1 for i in np.flatnonzero(self._is_end(around))]
        if not after:
            return [int(place) for place in places]
        nearest = np.searchsorted(after, places, side="left")
        return [0 if i == 0 else after[i - 1] for i in nearest]

    def _is_end(self, text: Int64s) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        return np.isin(text, np.fromiter(self.ends, np.int64, len(self.ends)))

    def _after_ends(self, text: Int64s, places: Int64s) -> Int64s:
        """The places, each moved on to behind the next end of a sentence; as they are without."""
        if not self.ends:
            return places
        after = np.flatnonzero(self._is_end(text)) + 1
        moved = (
            after[np.minimum(np.searchsorted(after, places), len(after) - 1)]
            if len(after)
            else after
        )
        return np.unique(moved[(moved > 0) & (moved < len(text))])
