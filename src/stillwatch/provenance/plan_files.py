"""Files of plans: canonical JSON that names its format, written once and whole."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from stillwatch.errors import InputError, OutputError

__all__ = ["read_plan", "write_plan"]

Kind = TypeVar("Kind")


def write_plan(path: Path, canonical: bytes) -> None:
    """Write a plan to a new file; it is on the disk on return, and if that fails none is left.

    Raises:
        OutputError: it is there already, or cannot be written.
    """
    try:
        with path.open("xb") as file:
            try:
                file.write(canonical + b"\n")
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                path.unlink(missing_ok=True)
                raise
    except FileExistsError:
        raise OutputError("is there already, and a plan is never overwritten", path=path) from None
    except OSError as error:
        raise OutputError(f"cannot be written: {error.strerror}", path=path) from error


def read_plan(path: Path, kind: type[Kind], form: str, what: str) -> Kind:
    """Read what :func:`write_plan` left.

    Args:
        form: the format that the file has to name.
        what: it is, in the words of the message.

    Raises:
        InputError: it cannot be read, or is none.
    """
    try:
        found = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
        if found.pop("format", None) != form:
            raise InputError(f"is not of the format {form}", path=path)
        return msgspec.convert(found, kind, strict=True)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", path=path) from error
    except (msgspec.MsgspecError, ValueError) as error:
        raise InputError(f"is no {what}: {error}", path=path) from error
