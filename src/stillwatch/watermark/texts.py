"""Marks on finished texts: the protocol, and looking for them without a tokenizer.

A mark on texts chooses among whole texts where a :class:`.mark.Mark` chooses among tokens; scoring
and laws are the same, and so is detection.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, Self, cast

import numpy as np

from stillwatch.watermark.detecting import DECOYS, LEAST_SCORED, Detection, detect_many
from stillwatch.watermark.keys import MarkKey
from stillwatch.watermark.laws import Law
from stillwatch.watermark.mark import Bools, Floats, Int64s, Mark, UInt64s
from stillwatch.watermark.segmenting import word_ids

__all__ = ["Scoring", "TextMark", "detect_texts"]


class Scoring(Protocol):
    """The side of a mark that detection needs: see :class:`.mark.Mark`, which has it too."""

    @property
    def key(self) -> MarkKey: ...

    @property
    def scheme(self) -> str: ...

    @property
    def context(self) -> int: ...

    @property
    def law(self) -> Law: ...

    def with_key(self, key: MarkKey) -> Self: ...

    def scores(self, contexts: Int64s, tokens: Int64s) -> Floats: ...

    def totals(self, contexts: Int64s, tokens: Int64s, keys: UInt64s) -> Floats: ...

    def carries(self, contexts: Int64s) -> Bools: ...


class TextMark(Scoring, Protocol):
    """One scheme under one key that chooses among finished texts. Immutable and hashable."""

    def choose(
        self,
        candidates: Sequence[Int64s | str],
        *,
        before: Int64s | str | None = None,
        rng: np.random.Generator,
    ) -> int:
        """The place of the candidate to send; see :meth:`.selection.SelectionMark.choose`."""
        ...


def detect_texts(
    texts: Sequence[str],
    marks: Sequence[Scoring],
    *,
    decoys: int = DECOYS,
    least: int = LEAST_SCORED,
) -> list[list[Detection]]:
    """The detections of each mark in each text, taken word by word; see :func:`.detecting.detect`.

    Each distinct window counts once. Null, law and correction are those of tokens: how the text was
    chosen matters under the right key alone. Join what one account was sent to weigh it together:
    one reply says little.
    """
    # detection never samples, which is all that a text mark cannot do
    sampled = cast(Sequence[Mark], marks)
    ids = [word_ids(text) for text in texts]
    return detect_many(ids, sampled, decoys=decoys, once="pair", least=least)
