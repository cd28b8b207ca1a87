"""When answers in tokens came, where their lines say so."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec

from stillwatch.errors import InputError

__all__ = ["first_time"]


class _Line(msgspec.Struct):
    at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


def first_time(path: Path) -> str | None:
    """When the first of the answers of a file came, RFC 3339; None where any line does not say.

    Raises:
        InputError: it cannot be read, or a line says something that is no time.
    """
    found: list[datetime] = []
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", path=path) from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if line.lstrip()[:1] == b"[":
            return None
        try:
            at = msgspec.json.decode(line, type=_Line).at
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InputError(f"does not say when: {error}", path=path, line=number) from error
        if at is None:
            return None
        found.append(at)
    return min(found).isoformat() if found else None
