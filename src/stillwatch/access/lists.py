"""Lists from a file: JSON Lines, read whole before anything of them counts."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

from stillwatch.errors import InputError

__all__ = ["read_list"]

T = TypeVar("T")


def read_list(path: Path, kind: type[T]) -> list[tuple[int, T]]:
    """The number and the content of every line that is not empty.

    Raises:
        InputError: the file cannot be read, or a line is no such object; it is named.
    """
    decoder = msgspec.json.Decoder(kind)
    found: list[tuple[int, T]] = []
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    found.append((number, _decoded(decoder, line, path, number)))
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", path=path) from error
    return found


def _decoded(decoder: msgspec.json.Decoder[T], line: bytes, path: Path, number: int) -> T:
    try:
        return decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(
            f"{error}; nothing of the file counts until every line is right",
            path=path,
            line=number,
        ) from error
