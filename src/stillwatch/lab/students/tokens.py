"""A byte-level BPE tokenizer of our own, small enough for a model that a CPU trains in minutes.

Sennrich, Haddow and Birch (2016), over bytes as GPT-2 has it; of the package `tokenizers`, which is
deterministic for one text, order and version.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Self

import numpy as np
from tokenizers import ByteLevelBPETokenizer, Tokenizer

from stillwatch.watermark.mark import Int64s

__all__ = ["END", "Tokens"]

END: Final = 0
"""The id that stands between documents."""

_END_TEXT: Final = "<|end|>"


class Tokens:
    """Text to ids and back; `size` ids, the first of which stands between documents."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer

    @classmethod
    def learned(cls, texts: Iterable[str], size: int) -> Self:
        """A vocabulary of at most `size` ids, learned from these texts.

        Raises:
            ValueError: fewer than the 257 ids that bytes and the end need.
        """
        if size < 257:
            raise ValueError("a vocabulary has at least 257 ids: the bytes and an end")
        learner = ByteLevelBPETokenizer()
        learner.train_from_iterator(
            texts, vocab_size=size, min_frequency=2, special_tokens=[_END_TEXT], show_progress=False
        )
        return cls(Tokenizer.from_str(learner.to_str()))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """What :meth:`to_json` wrote."""
        return cls(Tokenizer.from_str(text))

    def to_json(self) -> str:
        return str(self._tokenizer.to_str())

    @property
    def size(self) -> int:
        return int(self._tokenizer.get_vocab_size())

    def encode(self, texts: Sequence[str]) -> Int64s:
        """All texts as one row of ids, int64 [length], with :data:`END` after each."""
        ids: list[int] = []
        for said in self._tokenizer.encode_batch(list(texts)):
            ids += said.ids
            ids.append(END)
        return np.array(ids, np.int64)

    def decode(self, tokens: Int64s) -> str:
        return str(self._tokenizer.decode([int(token) for token in tokens if token != END]))
