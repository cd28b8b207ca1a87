"""Results on disk: one line of JSON a detector, cell and seed, appended whole.

A benchmark that is interrupted goes on where it was: what has a line is not computed again. A line
says what its cell was, so that a changed cell is a new one.
"""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stillwatch.errors import InputError
from stillwatch.lab.bench.cell import Cell
from stillwatch.lab.bench.scored import Scored

__all__ = ["FORMAT", "Result", "Results", "design_of"]

FORMAT = "stillwatch.bench/1"


@dataclass(frozen=True, kw_only=True)
class Result:
    """One run.

    Attributes:
        design: the settings of the cell, and the size, in words.
        reason: why there are no counts; None where there are.
        rounds: of an adaptive campaign, the generation that worked in each round.
        leaked, hours: attack exchanges and time before the first report; None where nobody
            counted, and no hours where there was no report.
        exchanges, accounts, days: of the log that the detector saw last.
        seconds, processor, state: see :class:`stillwatch.lab.bench.detector.Spent`.
    """

    detector: str
    size: str
    cell: str
    seed: int
    design: str
    reason: str | None = None
    scored: Scored | None = None
    rounds: tuple[int, ...] = ()
    leaked: int | None = None
    hours: float | None = None
    exchanges: int = 0
    accounts: int = 0
    days: float = 0.0
    seconds: float = 0.0
    processor: float = 0.0
    state: int | None = None

    @property
    def key(self) -> tuple[str, str, str, int, str]:
        """What makes two runs the same one."""
        return self.detector, self.size, self.cell, self.seed, self.design


def design_of(cell: Cell, size: str, accounts: int, days: float) -> str:
    """Everything that a result of `cell` depends on, besides seed and detector."""
    settings = dataclasses.asdict(cell)
    words = (f"{name}={value}" for name, value in settings.items() if value not in ("", None))
    return f"{size}: {accounts} accounts, {days:g} days; " + ", ".join(words)


class Results:
    """The lines of one file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, result: Result) -> None:
        """Add a line; several processes may do so at once."""
        line = json.dumps({"format": FORMAT} | dataclasses.asdict(result), ensure_ascii=False)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            # a line that a killed process left unfinished must not swallow this one
            torn = file.tell() and not self._ends_whole()
            file.write((b"\n" if torn else b"") + line.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def _ends_whole(self) -> bool:
        with self.path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"

    def read(self) -> list[Result]:
        """All results, the later of two for the same run. A torn line is left out.

        Raises:
            InputError: a whole line is not one of ours.
        """
        found: dict[object, Result] = {}
        for number, line in enumerate(self._lines(), 1):
            try:
                content = json.loads(line)
            except ValueError:
                continue
            try:
                result = _result(content)
            except (TypeError, KeyError) as error:
                raise InputError(
                    "is no result of this benchmark", path=self.path, line=number
                ) from error
            found[result.key] = result
        return list(found.values())

    def _lines(self) -> Iterator[str]:
        if self.path.exists():
            yield from self.path.read_text("utf-8", errors="replace").splitlines()


def _result(content: dict[str, Any]) -> Result:
    if content.pop("format") != FORMAT:
        raise KeyError("format")
    scored = content.pop("scored")
    rounds: Iterable[int] = content.pop("rounds")
    return Result(
        **content, scored=None if scored is None else Scored(**scored), rounds=tuple(rounds)
    )
