"""Lists of the outermost level: their marks are changed together, from the first item on.

The first item decides, by the last word of the line that introduces it. From there on the two marks
of a kind change places, also in a neighbouring list that only its other mark parts from this one:
so every list stays one list, and two stay two.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from stillwatch.watermark.choices.english import LAYOUT

__all__ = ["BULLET", "EMPTY", "INNER", "LONGEST_LINE", "NUMBER", "Lists"]

BULLET: Final = re.compile(r"([-*+])[ \t]{1,90}(?=\S)")
NUMBER: Final = re.compile(r"\d{1,9}([.)])[ \t]{1,90}(?=\S)")
#: an item without words
EMPTY: Final = re.compile(r"(?:\d{1,9})?([-*+.)])[ \t]*(?:\r?\n|\Z)")
#: an item of a list within an item, or of one that does not begin with its line
INNER: Final = re.compile(r" {1,3}([-*+]|\d{1,9}[.)]) ")
#: characters of the end of a line that introduces, as they are given
LONGEST_LINE: Final = 81
_LAST_WORD: Final = re.compile(r"([A-Za-z]+)[^A-Za-z]*\Z")
#: in YAML, which may stand there without a fence, a bullet is more than a look
_FIELD: Final = re.compile(r"[\w.-]{1,79}:")

#: kind, context, options, which stands there → which is to stand there
Settle = Callable[[str, str, tuple[str, ...], int], int]


class Lists:
    """The lists of one text, in its order."""

    __slots__ = ("_kinds", "_numbers", "_plus")

    def __init__(self) -> None:
        self._kinds: dict[str, dict[str, str]] = {}  # kind → what stands for which mark
        self._numbers: dict[str, str] = {}  # of the last list of numbers
        self._plus = False

    def item(
        self, kind: str, mark: str, number: str, introduced: str, settle: Settle, *, blank: bool
    ) -> str:
        """The mark that an item gets.

        Args:
            kind: ``bullet`` or ``number``.
            number: of the item, its digits; empty for a bullet.
            introduced: the end of the last line before the list that is not empty.
            blank: whether the line before is empty. Otherwise only a 1 begins a list of numbers.
        """
        if mark == "+":
            self._plus = True  # bullets may tell for from against, and stay from here on
        if kind not in self._kinds:
            # steps with text between them are one list to whoever reads them
            goes_on = kind == "number" and int(number) != 1
            if goes_on and not blank and not self._kinds:
                self._kinds[kind] = {}
                return mark
            if goes_on:
                self._kinds[kind] = self._numbers
            else:
                self._kinds[kind] = self._begun(kind, mark, introduced, settle, blank)
            if kind == "number":
                self._numbers = self._kinds[kind]
        return self._kinds[kind].get(mark, mark)

    def goes_on(self, mark: str) -> str:
        """The mark that an item without words gets: it begins no list."""
        kind = "bullet" if mark in "-*+" else "number"
        return self._kinds.get(kind, {}).get(mark, mark)

    def inner(self, mark: str) -> None:
        """An item that does not begin with its line. Where no list is there for it to be in, it may
        be of the same list as items to come, and these are left alone."""
        if mark == "+":
            self._plus = True
        if not self._kinds:
            self._kinds = {kind: {} for kind in ("bullet", "number")}

    def end(self) -> None:
        """Something stands here that ends every list."""
        self._kinds = {}

    def _begun(
        self, kind: str, mark: str, introduced: str, settle: Settle, blank: bool
    ) -> dict[str, str]:
        options = LAYOUT[kind]
        if mark not in options or (kind == "bullet" and self._plus):
            return {}
        line = introduced.strip()
        if not blank and _FIELD.fullmatch(line):
            return {}
        context = ""
        if line.rstrip("*_ ").endswith(":") and (word := _LAST_WORD.search(line)):
            context = word[1].lower()
        taken = options.index(mark)
        if settle(kind, context, options, taken) == taken:
            return {}
        return dict(zip(options, reversed(options), strict=True))
