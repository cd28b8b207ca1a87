"""What a detector is to the benchmark: a view of a log in, the files of the design out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from stillwatch.lab.bench.view import View

__all__ = ["Detector", "DetectorError", "Spent"]


@dataclass(frozen=True)
class Spent:
    """What one run cost: seconds on the clock, seconds of processor time with reading the log,
    and bytes that are kept between two looks (None where the detector does not say).
    """

    seconds: float
    processor: float
    state: int | None = None


class DetectorError(Exception):
    """The detector gave no result that can be scored; the message says why, in one line."""


class Detector(Protocol):
    """``campaigns.json`` and ``accounts.parquet`` are read from `out` after :meth:`run`."""

    name: str

    def run(self, view: View, out: Path) -> Spent:
        """Look for campaigns in `view`.

        Raises:
            DetectorError: there is no result.
        """
        ...
