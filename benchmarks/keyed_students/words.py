"""Words as tokens: the vocabulary of the small world, and texts as rows of one length.

A row is a prompt, padded to one length, and an answer, which ends as prompts are padded.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Self

import numpy as np
import numpy.typing as npt

__all__ = ["ANSWER", "PROMPT", "Words"]

Int64s = npt.NDArray[np.int64]

#: tokens of a prompt and of an answer
PROMPT: Final = 8
ANSWER: Final = 48
_END: Final = 0
_PARTS: Final = re.compile(r"[A-Za-z]+|[.,]")
_UNSPACED: Final = re.compile(r" ([.,])")


@dataclass(frozen=True)
class Words:
    """Words and stops by id, from 1; 0 ends a text."""

    known: tuple[str, ...]

    @classmethod
    def of(cls, texts: Sequence[str]) -> Self:
        """All words of these texts."""
        return cls(tuple(sorted({part for text in texts for part in _PARTS.findall(text)})))

    @cached_property
    def ids(self) -> dict[str, int]:
        """The id of each word."""
        return {word: i for i, word in enumerate(self.known, 1)}

    @property
    def size(self) -> int:
        """How many ids there are."""
        return len(self.known) + 1

    def prompts(self, texts: Sequence[str]) -> Int64s:
        """int64 [texts, PROMPT], cut where they are longer; raises ValueError for unknown words."""
        return self._rows(texts, PROMPT)

    def pairs(self, pairs: Sequence[tuple[str, str]]) -> Int64s:
        """Prompts with their answers, int64 [pairs, PROMPT + ANSWER]; raises as :meth:`prompts`."""
        asked, said = zip(*pairs, strict=True)
        return np.concatenate([self.prompts(asked), self._rows(said, ANSWER)], 1)

    def text(self, row: Int64s) -> str:
        """What these ids say, up to the first end."""
        ends = np.flatnonzero(row == _END)
        said = row[: ends[0]] if len(ends) else row
        return _UNSPACED.sub(r"\1", " ".join(self.known[i - 1] for i in said.tolist()))

    def _rows(self, texts: Sequence[str], length: int) -> Int64s:
        rows = np.full((len(texts), length), _END, np.int64)
        for row, text in zip(rows, texts, strict=True):
            parts = _PARTS.findall(text)
            if not self.ids.keys() >= set(parts):
                raise ValueError(f"of other words: {text!r}")
            row[: len(parts[:length])] = [self.ids[part] for part in parts[:length]]
        return rows
