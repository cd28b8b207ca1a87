"""When recorded answers came, as far as their lines say so."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec

from stillwatch.errors import InputError

__all__ = ["earliest", "first_time"]


class _Line(msgspec.Struct):
    at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


def first_time(path: Path) -> datetime | None:
    """When the first of the answers of a file came; None where any line does not say.

    Raises:
        InputError: it cannot be read, or a line says something that is no time.
    """
    times = _times(path)
    known = [at for at in times if at is not None]
    return min(known) if known and len(known) == len(times) else None


def earliest(path: Path) -> datetime | None:
    """The earliest time that any line says, whatever the others do; None where none does.

    Raises:
        InputError: as :func:`first_time`.
    """
    return min((at for at in _times(path) if at is not None), default=None)


def _times(path: Path) -> list[datetime | None]:
    found: list[datetime | None] = []
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", path=path) from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if line.lstrip()[:1] == b"[":  # an answer as tokens alone
            found.append(None)
            continue
        try:
            found.append(msgspec.json.decode(line, type=_Line).at)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InputError(f"does not say when: {error}", path=path, line=number) from error
    return found
