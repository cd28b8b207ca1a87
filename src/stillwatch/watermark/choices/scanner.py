"""One pass over a text, piece by piece: where it has a choice, and what is written there.

Whoever writes and whoever reads goes by this pass. What it does at a place depends on the text
before it and on a bounded number of characters after it (:data:`HELD`); so it gives out the same
however the text is cut, holds little back, and takes time in proportion to the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from stillwatch.watermark.choices.lists import BULLET, EMPTY, INNER, LONGEST_LINE, NUMBER, Lists
from stillwatch.watermark.choices.places import (
    FIRST_LETTERS,
    Place,
    connective_at,
    dash_at,
    rule_at,
)
from stillwatch.watermark.choices.untouched import (
    ADDRESS,
    DISPLAYED,
    FENCE,
    FENCE_END,
    FENCE_END_BEGUN,
    QUOTED,
    RUN,
    Region,
    region_at,
)

__all__ = ["HELD", "Scanner", "Slot"]

#: characters that are held back, at most
HELD: Final = 256
_LOOK: Final = 100  # of a line, to tell what it is
_LONGEST_INDENT: Final = 5  # of an item's text, with its mark; code stands further in


class Slot(NamedTuple):
    """A choice of a text.

    Attributes:
        kind, context: as in :class:`~stillwatch.watermark.choices.sightings.Sighting`.
        options: the texts that may stand there.
        taken: which stands there, from 0.
    """

    kind: str
    context: str
    options: tuple[str, ...]
    taken: int


_DRAWN: Final = re.compile(r" {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*(?:\r?\n|\Z)")
#: a line of which nobody can tell yet what it is
_UNDECIDED: Final = re.compile(
    r" {0,3}(?:`*|~*|\$|\\|<(?:!-?)?|[-*+]|\d{1,9}[.)]?)|(?:[-*_+][-*_ \t]*|\d{1,9}[.)][ \t]*)\r?"
)
_PLAIN_LINE: Final = re.compile(r"[^ \t\r\n\-*+_0-9>|#`~$\\<]")
_NEXT: Final = re.compile(rf"[\n|`$\\<\[\"“«„—–]|(?<=[.!?:]\s)[{FIRST_LETTERS}]")
_START: Final = re.compile(r"\s{0,200}(\S{0,3})")


class Scanner:
    """The pass over one text.

    Args:
        choose: says which option is to stand at a slot, from 0.
        left: kinds that are left alone.
        canary: the name of the prompt where it is one: then that is the context, with the number of
            the slot among those of its kind.
    """

    def __init__(
        self,
        choose: Callable[[Slot], int],
        *,
        left: frozenset[str] = frozenset(),
        canary: str | None = None,
    ) -> None:
        self._choose, self._left, self._canary = choose, left, canary
        self._counts: dict[str, int] = {}
        self._lists = Lists()
        self._mode: Callable[[Scanner], bool] = Scanner._first
        #: what is held, after the two characters before it
        self._text, self._at = "", 0
        self._final = False
        #: pieces that may leave, and how far the text has been copied into them
        self._out: list[str] = []
        self._done = 0
        #: the end of the line so far, and where the rest of it begins; the last line that says much
        self._line, self._from, self._before = "", 0, ""
        self._blank = True  # the line before was empty
        self._fresh = False  # here a sentence may begin
        self._region: Region | None = None
        self._closing = ""  # the fence, or what closes what is displayed

    def feed(self, piece: str) -> str:
        """What may leave of the text so far, and has not left yet."""
        self._text += piece
        return self._run()

    def end(self) -> str:
        """The rest; nothing follows."""
        self._final = True
        return self._run()

    def _run(self) -> str:
        size = len(self._text)
        self._done = self._at
        while self._at < size and self._mode(self):
            pass
        text, at = self._text, self._at
        self._out.append(text[self._done : at])
        said = "".join(self._out)
        self._out.clear()
        if at > self._from:
            self._line = (self._line + text[max(self._from, at - LONGEST_LINE) : at])[
                -LONGEST_LINE:
            ]
        start = max(0, at - 2)
        self._text = text[start:]
        self._at = self._from = at - start
        return said

    # Modes: each goes on from `_at`, and says whether there was enough text to do so.

    def _first(self) -> bool:
        """The first characters tell whether a program is to read it: JSON, XML, front matter."""
        text = self._text
        found = _START.match(text)
        assert found is not None
        head = found[1]
        undecided = not head or (len(head) < 3 and "---".startswith(head))
        if undecided and not self._final and found.end() == len(text) and len(text) < 200:
            return False
        machine = head.startswith(("{", "[", "<")) or head == "---"
        self._mode = Scanner._machine if machine else Scanner._begin
        return True

    def _machine(self) -> bool:
        self._at = len(self._text)
        return True

    def _begin(self) -> bool:
        """A line: what it is."""
        text, at = self._text, self._at
        first = text[at]
        if _PLAIN_LINE.match(first):
            return self._paragraph(first)
        if first in "\r\n":
            return self._within()
        head = text[at : at + _LOOK]
        short = not self._final and len(head) < _LOOK and "\n" not in head
        if short and _UNDECIDED.fullmatch(head):
            return False
        if head.startswith(("    ", "\t")):  # code, or the inside of a list
            return self._within(Scanner._rest)
        if QUOTED.match(head):
            if "#" in head[:4] or self._blank:
                self._lists.end()
            self._region, self._mode = None, Scanner._rest
            return True
        if found := FENCE.match(head):
            self._region, self._closing, self._mode = None, found[1], Scanner._fenced
            return True
        if found := DISPLAYED.match(head):
            self._region, self._mode = None, Scanner._displayed
            self._closing = {"$$": "$$", "\\[": "\\]", "<!--": "-->"}[found[1]]
            self._at = at + found.end()
            return True
        if first in "-*_" and (done := self._ruled(head)) is not None:
            return done
        for kind, pattern in (("bullet", BULLET), ("number", NUMBER)):
            if item := pattern.match(text, at):
                return self._item(kind, item)
        if empty := EMPTY.match(head):
            self._edit(at + empty.start(1), 1, self._lists.goes_on(empty[1]))
            self._region, self._mode = None, Scanner._rest
            return True
        if inner := INNER.match(head):
            self._lists.inner(inner[1])
        return self._paragraph(first)

    def _within(self, otherwise: Callable[[Scanner], bool] | None = None) -> bool:
        """A line that goes on with the paragraph, and with what is open in it."""
        self._mode = Scanner._inside if self._region else otherwise or Scanner._plain
        return True

    def _paragraph(self, first: str) -> bool:
        if self._blank and first != " ":
            self._lists.end()
        self._fresh = self._region is None and first != " "
        return self._within()

    def _ruled(self, head: str) -> bool | None:
        """A rule across the page, which may be a choice; ``None``: it is none."""
        place = rule_at(self._text, self._at, final=self._final)
        if place is None:
            return False
        if place:
            self._take(self._at, place)
        elif _DRAWN.match(head) is None:
            return None
        self._lists.end()
        self._region, self._mode = None, Scanner._rest
        return True

    def _item(self, kind: str, found: re.Match[str]) -> bool:
        mark, place = found[1], found.start(1)
        number = self._text[found.start() : place]
        new = self._lists.item(kind, mark, number, self._before, self._settled, blank=self._blank)
        self._edit(place, 1, new)
        code = found.end() - place > _LONGEST_INDENT
        self._at, self._region = found.end(), None
        self._fresh, self._mode = not code, Scanner._rest if code else Scanner._plain
        return True

    def _plain(self) -> bool:
        """Text with choices, as far as the next character that may mean something."""
        text, final = self._text, self._final
        if self._fresh:
            if (after := self._after(connective_at(text, self._at, final=final), 0)) is None:
                return False
            self._fresh, self._at = False, after
        found = _NEXT.search(text, self._at)
        if found is None:
            self._at = len(text)
            return True
        self._at = at = found.start()
        first = text[at]
        if first == "\n":
            self._newline(at)
        elif first == "|":  # the rest of a row of a table
            self._mode = Scanner._rest
        elif first in "—–" or first.isalpha():
            looked = dash_at if first in "—–" else connective_at
            if (after := self._after(looked(text, at, final=final), 1)) is None:
                return False
            self._at = after
        else:
            begun = region_at(text, at, final=final)
            if begun is None:
                return False
            self._region, self._at = begun
            self._mode = Scanner._inside if self._region else Scanner._plain
        return True

    def _inside(self) -> bool:
        """What is untouched within a paragraph, as far as it goes."""
        text, region = self._text, self._region
        assert region is not None
        found = region.closed.search(text, self._at)
        if found is None:
            held = 0 if self._final else region.size - 1
            self._at = max(self._at, len(text) - held)
            return False
        if found[0] == "\n":
            self._newline(found.start())
            return True
        last = found.end() == len(text) and not self._final
        size = found.end() - found.start()
        if last and (region.link or (region.run and size < RUN)):
            self._at = found.start()
            return False
        self._at = found.end()
        if region.run and size != region.run:
            return True
        if region.link and text.startswith("(", found.end()):
            self._region, self._at = ADDRESS, found.end() + 1
            return True
        self._region, self._mode = None, Scanner._plain
        return True

    def _rest(self) -> bool:
        """The rest of a line that is not for us."""
        end = self._text.find("\n", self._at)
        if end < 0:
            self._at = len(self._text)
        else:
            self._newline(end)
        return True

    def _fenced(self) -> bool:
        """The rest of a line, and then a line that may end a block of code."""
        end = self._text.find("\n", self._at)
        if end < 0:
            self._at = len(self._text)
        else:
            self._at, self._mode = end + 1, Scanner._fence_line
        return True

    def _fence_line(self) -> bool:
        head = self._text[self._at : self._at + _LOOK]
        short = not self._final and len(head) < _LOOK and "\n" not in head
        if short and FENCE_END_BEGUN.fullmatch(head):
            return False
        found = FENCE_END.match(head)
        ends = found is not None and found[1].startswith(self._closing)
        self._mode = Scanner._rest if ends else Scanner._fenced
        return True

    def _displayed(self) -> bool:
        end = self._text.find(self._closing, self._at)
        if end < 0:
            held = 0 if self._final else len(self._closing) - 1
            self._at = max(self._at, len(self._text) - held)
            return False
        self._at, self._mode = end + len(self._closing), Scanner._plain
        return True

    # What modes are made of.

    def _newline(self, at: int) -> None:
        line = self._line + self._text[max(self._from, at - LONGEST_LINE) : at]
        self._blank = not line.strip()
        if self._blank:
            self._region = None
        else:
            self._before = line[-LONGEST_LINE:]
        self._line, self._from, self._at = "", at + 1, at + 1
        self._mode = Scanner._begin

    def _after(self, place: Place | bool | None, step: int) -> int | None:
        """Where to go on after what stands at `_at`; ``None``: nobody can tell yet."""
        if place is None:
            return None
        if isinstance(place, bool):
            return self._at + step
        if not place.foreign:
            self._take(self._at, place)
        return place.after

    def _take(self, at: int, place: Place) -> None:
        new = self._settled(place.kind, place.context, place.options, place.taken)
        self._edit(at, len(place.options[place.taken]), place.options[new])

    def _settled(self, kind: str, context: str, options: tuple[str, ...], taken: int) -> int:
        """Which option is to stand there; that which does, where nobody chooses."""
        if kind in self._left:
            return taken
        if self._canary is not None:
            number = self._counts.get(kind, 0)
            self._counts[kind] = number + 1
            context = f"{self._canary} {number}"
        return self._choose(Slot(kind, context, options, taken)) if context else taken

    def _edit(self, at: int, size: int, new: str) -> None:
        self._out += [self._text[self._done : at], new]
        self._done = at + size
