"""Files of tokenised texts: one text a line, as a JSON array of token ids or an object with one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from stillwatch.errors import InputError
from stillwatch.watermark.mark import Int64s

__all__ = ["Tokenised", "read_tokens"]


class _Line(msgspec.Struct):
    tokens: list[int]
    id: str | None = None


class Tokenised(NamedTuple):
    """One text: its name (the `id` of its line, or the number of the line) and its tokens."""

    name: str
    tokens: Int64s


_ARRAY = msgspec.json.Decoder(list[int]).decode
_OBJECT = msgspec.json.Decoder(_Line).decode


def read_tokens(path: Path) -> Iterator[Tokenised]:
    """The texts of the file at `path`; empty lines are none.

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
            tokens = np.array(found.tokens, np.int64)
        except (msgspec.DecodeError, OverflowError) as error:
            raise InputError(
                f'must be an array of token ids, or {{"tokens": […]}}: {error}',
                path=path,
                line=number,
            ) from error
        yield Tokenised(found.id or str(number), tokens)
