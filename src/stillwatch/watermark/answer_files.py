"""Files of what a suspect said: an answer a line, with the prompt that it answers where known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from stillwatch.errors import InputError
from stillwatch.watermark.mark import Int64s

__all__ = ["Answer", "read_answers"]


class Answer(NamedTuple):
    """Tokens of a prompt, empty where it is not known, and of the answer to it, int64 [length],
    by the tokenizer of the model that was marked."""

    prompt: Int64s
    answer: Int64s


class _Line(msgspec.Struct):
    answer: list[int] | None = None
    tokens: list[int] | None = None
    prompt: list[int] = []


_ARRAY = msgspec.json.Decoder(list[int]).decode
_OBJECT = msgspec.json.Decoder(_Line).decode


def read_answers(path: Path) -> Iterator[Answer]:
    """The answers of the file at `path`; empty lines are none.

    A line is ``{"prompt": […], "answer": […]}``, or a text as ``mark detect`` reads it: an array of
    token ids, or ``{"tokens": […]}``.

    Raises:
        InputError: it cannot be read, or a line is neither; with its number.
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
            said = found.tokens if found.answer is None else found.answer
            if said is None or (found.answer is not None and found.tokens is not None):
                raise msgspec.ValidationError("it has `answer`, or `tokens`, and not both")
            yield Answer(np.array(found.prompt, np.int64), np.array(said, np.int64))
        except (msgspec.DecodeError, OverflowError) as error:
            raise InputError(
                'must be an array of token ids, {"tokens": […]} or {"prompt": […], "answer": […]}: '
                f"{error}",
                path=path,
                line=number,
            ) from error
