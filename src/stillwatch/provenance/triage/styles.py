"""How a model writes, as numbers: which function words, which marks, how long, how laid out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["closeness", "style"]

Floats = npt.NDArray[np.float64]

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
#: words that carry little of what a text is about
_FUNCTION_WORDS: Final = tuple(
    re.findall(
        r"\S+",
        "the of and to a in is that for it as was with be by on not he i this are or his from at "
        "which but have an had they you were their one all we can has there been if more when "
        "will would who so no out up into than them then its also other some could these such "
        "may what about only any our over new how because however while through where most both "
        "between many each here first important often overall additionally furthermore certainly "
        "der die das und ist nicht ein eine zu mit le la les et est un une des que de el los en ",
    )
)
#: marks and layout, each counted by its pattern
_MARKS: Final = tuple(
    re.compile(rule, re.MULTILINE)
    for rule in (
        r",", r";", r":", r"!", r"\?", r"\(", r"—|–", r'"|“', r"\*\*", r"^\s*\d+[.)]\s",
        r"^\s*[-*•]\s", r"^#+\s", r"```", r"\n\n", r"’", r"\.\.\.|…", r"[^\x00-\x7f]",
    )
)  # fmt: skip


def style(answers: Sequence[str]) -> Floats:
    """The style of a model's answers, [features]: shares of words and marks per word, and the mean
    and spread of the logarithm of the length. Of empty answers it is what the mean would be."""
    rows = []
    for answer in answers:
        words = _WORD.findall(answer.lower())
        of = max(1, len(words))
        counts = dict.fromkeys(_FUNCTION_WORDS, 0)
        for word in words:
            if word in counts:
                counts[word] += 1
        marks = [len(rule.findall(answer)) for rule in _MARKS]
        rows.append([*(n / of for n in counts.values()), *(n / of for n in marks)])
    lengths = np.log1p([len(_WORD.findall(answer)) for answer in answers])
    return np.array([*np.mean(rows, axis=0), lengths.mean(), lengths.std()])


def closeness(teacher: Floats, others: Floats) -> Floats:
    """How close each of `others` [models, features] is to `teacher` [features]; more is closer.

    Minus Burrows's Delta (Literary and Linguistic Computing 17, 2002): the mean distance of
    features in units of their spread over all of `others`, which are treated alike: that is what
    makes their ranks exchangeable. A feature without spread says nothing.
    """
    spread = others.std(axis=0)
    use = spread > 1e-12
    if not use.any():
        return np.zeros(len(others))
    apart: Floats = -np.abs((others[:, use] - teacher[use]) / spread[use]).mean(axis=1)
    return apart
