"""How this room's functions are compiled, and when a compiled one is out of date.

Functions that entry points call are compiled without numba's reference counting: they allocate
nothing. numba's cache knows only the file of an entry point itself, so each closes over a digest of
the sources that are compiled in: an edit to any of them makes it compile again.
"""

from __future__ import annotations

from hashlib import blake2b
from importlib.resources import files
from typing import Any

from numba import njit, types

__all__ = ["ENTRY", "digest_of", "given", "inlined", "result"]

inlined = njit(_nrt=False, forceinline=True)
#: options of entry points: kept on disk, and the interpreter's lock is released while they run
ENTRY: dict[str, Any] = {"cache": True, "nogil": True}


def digest_of(*modules: str) -> int:
    """A number that changes with the source of any of these modules of the room."""
    digest = blake2b(digest_size=7)
    for name in sorted({*modules, "compiled"}):
        digest.update((files(__package__) / f"{name}.py").read_bytes())
    return int.from_bytes(digest.digest(), "little")


def given(dtype: Any, dimensions: int = 1) -> Any:
    """The type of an array that is read only; without it numba would compile once more for one."""
    return types.Array(dtype, dimensions, "C", readonly=True)


def result(dtype: Any, dimensions: int = 1) -> Any:
    """The type of an array that is written."""
    return types.Array(dtype, dimensions, "C")
