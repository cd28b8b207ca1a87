"""What a detector is to the benchmark: a view of a log in, the files of the design out."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from stillwatch.campaigns.progress import Progress
from stillwatch.lab.bench.sizes import Size, scenario_of
from stillwatch.lab.bench.view import View
from stillwatch.lab.bench.world import World, open_world, simulated_log
from stillwatch.lab.traffic import PERIODS

__all__ = ["Detector", "DetectorError", "Periods", "Spent"]


@dataclass(frozen=True)
class Spent:
    """What one run cost: seconds on the clock, seconds of processor time with reading the log,
    and bytes that are kept between two looks (None where the detector does not say).
    """

    seconds: float
    processor: float
    state: int | None = None


@dataclass
class Periods:
    """The periods of one seed; each is made when it is first asked for.

    Attributes:
        memory: what detectors remember of this seed from one cell to the next.
    """

    folder: Path
    size: Size
    seed: int
    progress: Progress
    memory: dict[object, Any] = field(default_factory=dict)
    _worlds: dict[int, World] = field(default_factory=dict)

    def world(self, period: int) -> World:
        """`period` with the campaigns of all cells, sketched."""
        if period not in self._worlds:
            self._worlds[period] = open_world(
                self._place(period),
                scenario_of(self.size, period),
                self.seed,
                self.progress,
                parts_a_day=self.size.looks,
            )
        return self._worlds[period]

    def log(self, period: int) -> Path:
        """The native log of a period without campaigns; ``labels.parquet`` stands beside it."""
        scenario = scenario_of(self.size, period)
        assert not scenario.campaigns
        return simulated_log(self._place(period), scenario, self.seed, self.progress)

    def remove(self) -> None:
        """Take all periods of the seed off the disk."""
        self._worlds.clear()
        for period in range(PERIODS):
            shutil.rmtree(self._place(period), ignore_errors=True)

    def _place(self, period: int) -> Path:
        return self.folder / f"{self.size.name}-{self.seed}-{period}"


class DetectorError(Exception):
    """The detector gave no result that can be scored; the message says why, in one line."""


class Detector(Protocol):
    """``campaigns.json`` and ``accounts.parquet`` are read from `out` after :meth:`run`."""

    name: str

    def run(self, view: View, out: Path, periods: Periods) -> Spent:
        """Look for campaigns in `view`; `out` is a new folder, `periods` are what came before.

        Raises:
            DetectorError: there is no result.
        """
        ...
