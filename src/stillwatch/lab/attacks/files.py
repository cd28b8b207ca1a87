"""Files of texts to attack, one a line: token ids or plain text, written back in the form they had.

A line is a JSON array of token ids, an object with `tokens`, a JSON string, or an object with
`text`; what else an object holds stays in it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np

from stillwatch.errors import InputError, OutputError
from stillwatch.lab.attacks.attack import Int64s

__all__ = ["Texts", "read_texts", "write_texts"]

Field = Literal["tokens", "text"]


class Texts(NamedTuple):
    """The texts of a file: their lines as they were, and the tokens or the plain text of each."""

    field: Field
    lines: list[Any]
    texts: list[Int64s] | list[str]

    @property
    def tokens(self) -> list[Int64s]:
        """The texts, where they are tokens; none otherwise."""
        return [text for text in self.texts if not isinstance(text, str)]

    @property
    def plain(self) -> list[str]:
        """The texts, where they are plain; none otherwise."""
        return [text for text in self.texts if isinstance(text, str)]


def read_texts(path: Path) -> Texts:
    """The texts of the file at `path`; empty lines are none.

    Raises:
        InputError: it cannot be read; a line is no text; lines of both kinds; no text at all.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", path=path) from error
    said, field = [], None
    texts: list[Any] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found = msgspec.json.decode(line)
            kind, text = _text(found)
        except (msgspec.DecodeError, OverflowError, ValueError) as error:
            raise InputError(
                f'must be token ids, {{"tokens": […]}}, a string or {{"text": "…"}}: {error}',
                path=path,
                line=number,
            ) from error
        if field not in (None, kind):
            raise InputError(
                f"has {kind} where the lines before have {field}", path=path, line=number
            )
        field = kind
        said.append(found)
        texts.append(text)
    if field is None:
        raise InputError("has no texts", path=path)
    return Texts(field, said, texts)


def write_texts(path: Path, like: Texts, texts: Sequence[Int64s | str]) -> None:
    """Write the texts in the form of the lines that they were, aside and renamed when whole.

    Raises:
        OutputError: it cannot be written.
    """
    lines = []
    for line, text in zip(like.lines, texts, strict=True):
        said = text if isinstance(text, str) else text.tolist()
        lines.append(msgspec.json.encode({**line, like.field: said} if _named(line) else said))
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        aside.write_bytes(b"".join(line + b"\n" for line in lines))
        aside.replace(path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise OutputError(f"cannot be written: {error.strerror}", path=path) from error


def _named(line: Any) -> bool:
    return isinstance(line, dict)


def _text(found: Any) -> tuple[Field, Int64s | str]:
    """The kind of a line, and its text."""
    if isinstance(found, dict):
        kinds: list[Field] = [kind for kind in ("tokens", "text") if kind in found]
        if len(kinds) != 1:
            raise ValueError("an object has either `tokens` or `text`")
        found = found[kinds[0]]
        if isinstance(found, str) != (kinds[0] == "text"):
            raise ValueError(f"`{kinds[0]}` is something else")
    if isinstance(found, str):
        return "text", found
    return "tokens", np.array(msgspec.convert(found, list[int]), np.int64)
