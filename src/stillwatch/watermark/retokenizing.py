"""Plain text, or tokens of another tokenizer, to tokens of the model that was marked.

A mark lies on the model's own tokens, and text that was decoded does not always give the same ones
when it is encoded again: windows that differ are lost, and nothing else. How many are, is measured
on answers whose tokens are known (:func:`surviving`); of a text of unknown tokens it can only be
said what the tokenizer cannot represent at all (:attr:`Retokenized.kept`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from difflib import SequenceMatcher
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from stillwatch.errors import InputError
from stillwatch.watermark.mark import Int64s
from stillwatch.watermark.windows import contexts_of, counted

__all__ = ["Retokenized", "TokenizerFile", "Tokenizing", "retokenized", "surviving"]


class Tokenizing(Protocol):
    """A tokenizer, whoever made it."""

    @property
    def name(self) -> str:
        """A name or a digest, to compare with :attr:`.refusing.Vocabulary.tokenizer`."""
        ...

    def encode(self, text: str) -> Sequence[int]:
        """Its tokens, without any that mark a beginning or an end."""
        ...

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of tokens, special ones included."""
        ...


class Retokenized(NamedTuple):
    """The tokens int64 [length] of a text, and the share of its characters that they keep: in lines
    that come back as they were when the tokens are decoded. 1 is usual for tokenizers of bytes."""

    tokens: Int64s
    kept: float


def retokenized(text: str, tokenizer: Tokenizing) -> Retokenized:
    """The tokens of a text. An empty one keeps everything."""
    ids = tokenizer.encode(text)
    back = tokenizer.decode(ids)
    return Retokenized(np.array(ids, np.int64), 1.0 if back == text else _kept(text, back))


def surviving(answers: Sequence[Int64s], tokenizer: Tokenizing, context: int) -> float:
    """The share of distinct windows of answers that are still there after decoding and encoding.

    Measure it on answers as they were sampled: where it is low, plain text is searched in vain.

    Args:
        answers: int64 [length] each, as sampled.
        context: of the mark that is to be found.

    Raises:
        ValueError: no answer is longer than a context.
    """
    there = left = 0
    for answer in answers:
        windows = _windows(np.asarray(answer, np.int64), context)
        again, _ = retokenized(tokenizer.decode(np.asarray(answer).tolist()), tokenizer)
        there += len(windows)
        left += len(windows & _windows(again, context))
    if not there:
        raise ValueError(f"no answer has more than {context} tokens")
    return left / there


class TokenizerFile:
    """A ``tokenizer.json`` of the library ``tokenizers``, as most open models come with.

    Args:
        path: of the file. Its name is the SHA-256 of what is in it, the first 16 digits.

    Raises:
        InputError: the file cannot be read, or is no tokenizer; ``tokenizers`` is not installed.
    """

    def __init__(self, path: Path) -> None:
        try:
            from tokenizers import Tokenizer
        except ImportError:
            raise InputError(
                "is read by the library tokenizers: pip install stillwatch[tokenizers]", path=path
            ) from None
        try:
            data = path.read_bytes()
        except OSError as error:
            raise InputError(f"cannot be read: {error.strerror}", path=path) from error
        try:
            self._tokenizer = Tokenizer.from_buffer(data)
        except Exception as error:  # the library raises no narrower one
            raise InputError(f"is no tokenizer.json: {error}", path=path) from error
        self.path = path
        self.name = hashlib.sha256(data).hexdigest()[:16]

    @property
    def size(self) -> int:
        """Tokens of its vocabulary, added ones included."""
        return int(self._tokenizer.get_vocab_size())

    def encode(self, text: str) -> Sequence[int]:
        """Its tokens, without any that mark a beginning or an end."""
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of tokens, special ones included.

        Raises:
            ValueError: a token is none.
        """
        if any(not 0 <= token < 1 << 32 for token in tokens):
            raise ValueError("a token is an integer from 0 to 4294967295")
        text: str = self._tokenizer.decode(list(tokens), skip_special_tokens=False)
        return text


def _kept(text: str, back: str) -> float:
    """The share of characters in lines of `text` that are in `back`, in their order."""
    lines, again = text.splitlines(keepends=True), back.splitlines(keepends=True)
    matcher = SequenceMatcher(None, lines, again, autojunk=False)
    same = sum(
        len(line)
        for block in matcher.get_matching_blocks()
        for line in lines[block.a : block.a + block.size]
    )
    return same / len(text)


def _windows(tokens: Int64s, context: int) -> set[bytes]:
    places = counted(tokens, context, once="pair", prefix=False)
    pairs = np.column_stack([contexts_of(tokens, context, places), tokens[places]])
    return {row.tobytes() for row in pairs}
