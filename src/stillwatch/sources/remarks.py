"""What one pass over a log noticed beside its rows: remarks, and columns that nobody knows.

A remark is a fixed sentence with a count and the place where it was met first; an unknown column
is a name. Neither ever holds text of a row (law 4): a name that does not look like one is only
counted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Remarks"]

_NAMES_SHOWN = 100
_NAME = re.compile(r"[\w.$-]{1,64}")


@dataclass
class _Met:
    rows: int
    files: int
    last: str
    where: str


class Remarks:
    """Collects remarks and unknown columns; `at` is told where the pass is."""

    def __init__(self) -> None:
        self._met: dict[str, _Met] = {}
        self._unknown: dict[str, None] = {}
        self._unnamed = 0
        self.path = ""
        self.line = 0

    def note(self, sentence: str, times: int = 1) -> None:
        """Count `sentence` at the current place, or say it without a count where `times` is 0.

        Cheap enough for every row.
        """
        met = self._met.get(sentence)
        if met is None:
            where = f"{self.path}:{self.line}" if self.line else self.path
            self._met[sentence] = _Met(times, 1, self.path, where)
            return
        met.rows += times
        if met.last != self.path:
            met.files += 1
            met.last = self.path

    def unknown(self, name: str) -> None:
        """Remember a column that no reader knows."""
        if name in self._unknown:
            return
        if len(self._unknown) < _NAMES_SHOWN and _NAME.fullmatch(name):
            self._unknown[name] = None
        else:
            self._unnamed += 1

    @property
    def unknown_columns(self) -> tuple[str, ...]:
        """The names of unknown columns, in the order in which they were met; at most 100."""
        return tuple(self._unknown)

    @property
    def met(self) -> tuple[str, ...]:
        """Each remark without counts and places: what does not depend on how far the pass is."""
        return tuple(self._met)

    @property
    def sentences(self) -> tuple[str, ...]:
        """Each remark with its count and its first place."""
        found = [f"{sentence} ({_place(met)})" for sentence, met in self._met.items()]
        if self._unnamed:
            found.append(
                f"further unknown columns are not named here ({_counted(self._unnamed, 'time')})"
            )
        return tuple(found)


def _place(met: _Met) -> str:
    counts = [_counted(met.rows, "time")] if met.rows else []
    if met.files > 1:
        counts.append(f"{met.files:,} files")
    return ", ".join([*counts, f"first at {met.where}"])


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
