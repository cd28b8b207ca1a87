"""Files of texts, one a line: token ids as a JSON array or an object with one, or plain text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from stillwatch.errors import InputError
from stillwatch.watermark.mark import Int64s
from stillwatch.watermark.retokenizing import Tokenizing, retokenized

__all__ = ["Tokenised", "read_tokens"]


class _Line(msgspec.Struct):
    tokens: list[int] | None = None
    text: str | None = None
    id: str | None = None


class Tokenised(NamedTuple):
    """One text: its name (the `id` of its line, or the number of the line) and its tokens; and, if
    they were made here, the share of its characters that they keep."""

    name: str
    tokens: Int64s
    kept: float | None = None


_ARRAY = msgspec.json.Decoder(list[int]).decode
_OBJECT = msgspec.json.Decoder(_Line).decode


def read_tokens(
    path: Path, tokenizer: Tokenizing | None = None, *, written_by: Tokenizing | None = None
) -> Iterator[Tokenised]:
    """The texts of the file at `path`; empty lines are none.

    Args:
        tokenizer: of the model that was marked: plain text becomes its tokens.
        written_by: the tokenizer of the token ids in the file, where it is another one: they are
            decoded, and tokenized again by `tokenizer`.

    Raises:
        InputError: it cannot be read, or a line is no text; with its number.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", path=path) from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found = _Line(_ARRAY(line)) if line.lstrip()[:1] == b"[" else _OBJECT(line)
            yield _tokenised(found, str(number), tokenizer, written_by)
        except (msgspec.DecodeError, OverflowError, ValueError) as error:
            raise InputError(
                f'must be an array of token ids, {{"tokens": […]}} or {{"text": "…"}}: {error}',
                path=path,
                line=number,
            ) from error


def _tokenised(
    line: _Line, number: str, tokenizer: Tokenizing | None, written_by: Tokenizing | None
) -> Tokenised:
    name, text = line.id or number, line.text
    if (line.tokens is None) == (text is None):
        raise ValueError("it has either tokens or text")
    if line.tokens is not None:
        if written_by is None:
            return Tokenised(name, np.array(line.tokens, np.int64))
        text = written_by.decode(line.tokens)
    assert text is not None
    if tokenizer is None:
        raise ValueError("text needs the tokenizer of the model that was marked")
    return Tokenised(name, *retokenized(text, tokenizer))
