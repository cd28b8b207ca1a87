"""Results in a folder by the digest of what they were made from, so that a long run can be resumed.

A result is written aside and renamed when whole: after a kill there is all of it or none. What it
was made from includes the versions of torch and numpy, for both draw numbers.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, is_dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import torch

__all__ = ["Kept"]

Arrays = dict[str, np.ndarray[Any, Any]]


class Kept:
    """Arrays and states of models by name and settings, below one folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder

    def path(self, name: str, settings: Mapping[str, object], ending: str) -> Path:
        """Where the result of this name and these settings stands, made or not."""
        said = {**settings, "torch": torch.__version__, "numpy": np.__version__}
        text = json.dumps(said, sort_keys=True, default=_plain)
        digest = blake2b(text.encode(), digest_size=8).hexdigest()
        return self.folder / f"{name}-{digest}.{ending}"

    def text(self, name: str, settings: Mapping[str, object], make: Callable[[], str]) -> str:
        """The text that `make` gives, from the folder if it is there."""
        path = self.path(name, settings, "json")
        if not path.exists():
            said = make()
            _whole(path, lambda aside: aside.write_text(said))
        return path.read_text()

    def arrays(
        self, name: str, settings: Mapping[str, object], make: Callable[[], Arrays]
    ) -> Arrays:
        """The arrays that `make` gives, from the folder if they are there."""
        path = self.path(name, settings, "npz")
        if not path.exists():
            arrays = make()

            def write(aside: Path) -> None:
                with aside.open("wb") as file:
                    np.savez(file, **arrays)  # type: ignore[arg-type]

            _whole(path, write)
        with np.load(path) as kept:
            return {key: kept[key] for key in kept.files}

    def state(
        self, name: str, settings: Mapping[str, object], make: Callable[[], dict[str, Any]]
    ) -> dict[str, Any]:
        """The state of a model that `make` gives, from the folder if it is there."""
        path = self.path(name, settings, "pt")
        if not path.exists():
            state = make()
            _whole(path, lambda aside: torch.save(state, aside))
        said: dict[str, Any] = torch.load(path, weights_only=True)
        return said


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return {type(value).__name__: asdict(value)}
    raise TypeError(f"settings hold plain values and data classes, not {type(value).__name__}")


def _whole(path: Path, write: Callable[[Path], object]) -> None:
    """Write aside, then rename."""
    aside = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        write(aside)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
