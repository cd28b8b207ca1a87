"""Plain text as token ids and back, so that what works on tokens works on words.

A unit is a word with what is written after it, up to the next word: an untouched text comes back
as it was. In scripts without spaces a unit is all that stands between two spaces.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from stillwatch.lab.attacks.attack import Attack, Int64s

__all__ = ["OnWords", "Wording"]

_UNIT = re.compile(r"^\s+|\S+\s*")
#: what ends a sentence, and what may be written after it
_END = re.compile(r"[.!?…。!?][\"'”’»)\]]*\s*$")


class Wording:
    """The units of some texts, numbered as they come."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}
        self._units: list[str] = []

    def read(self, text: str) -> Int64s:
        """The ids of the units of a text, int64 [units]; those that are new get the next ones."""
        units = _UNIT.findall(text)
        for unit in units:
            if unit not in self._ids:
                self._ids[unit] = len(self._units)
                self._units.append(unit)
        return np.fromiter((self._ids[unit] for unit in units), np.int64, len(units))

    def write(self, ids: Iterable[int]) -> str:
        """The text of these units; words that would touch are parted by a space."""
        out: list[str] = []
        for i in ids:
            if out and not out[-1][-1:].isspace():
                out.append(" ")
            out.append(self._units[i])
        return "".join(out)

    @property
    def ends(self) -> frozenset[int]:
        """The units that end a sentence."""
        return frozenset(i for i, unit in enumerate(self._units) if _END.search(unit))


class OnWords:
    """An attack on tokens, on the words of a plain text.

    Args:
        attack: on the ids of `wording`.
        wording: all that the attack was made of has been read by it.
    """

    def __init__(self, attack: Attack[Int64s], wording: Wording) -> None:
        self._attack, self._wording = attack, wording
        self.budget = attack.budget

    def __call__(self, text: str, rng: np.random.Generator) -> str:
        return self._wording.write(self._attack(self._wording.read(text), rng).tolist())
