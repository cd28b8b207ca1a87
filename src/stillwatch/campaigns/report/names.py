"""Hostile strings → text that shows what it holds: account names, labels, masked words.

Whoever registers an account chooses its name. Control and format characters (line ends, bidi
overrides, zero-width joiners: Unicode categories Cc, Cf, Cs, Co, Cn, Zl, Zp) are written as
``⟨U+202E⟩``, so that a name neither hides nor reorders what stands beside it (Unicode TR 36
§2.5). Markup is escaped later, by the templates, without exception.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from markupsafe import Markup, escape

from stillwatch.campaigns.report.words import number

__all__ = ["LongNames", "Name", "masked", "shorten", "visible"]

MASK = "▢"
SHOWN = 40
"""Characters of a name that a table shows."""
FULL = 10_000
"""Characters of a long name that can be unfolded."""
BUDGET = 120_000
"""Characters of all unfolded names of a page together, so that the page stays small."""
PHRASE = 320
"""Characters of a template that are shown."""

_PLAIN = re.compile(r"[ -~]*")
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_STACK = 3
"""Combining marks on one letter; more of them would run into the lines above."""


def visible(text: str) -> str:
    """`text` with every character that cannot be seen, or acts on others, written out."""
    return text if _PLAIN.fullmatch(text) else "".join(_seen(text))


def _seen(text: str) -> Iterator[str]:
    """Each character as it is shown."""
    marks = 0
    for character in text:
        category = unicodedata.category(character)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        hidden = category in _HIDDEN or (category == "Zs" and character != " ") or marks > _STACK
        yield _written_out(character) if hidden else character


def _written_out(character: str) -> str:
    return f"⟨U+{ord(character):04X}⟩"


def shorten(text: str, most: int) -> str:
    """Visible text of at most `most` characters: beginning and end, the middle left out."""
    if len(text) <= most and _PLAIN.fullmatch(text):
        return text
    pieces = list(_seen(text if len(text) <= 2 * most else text[:most] + text[-most:]))
    if sum(map(len, pieces)) <= most:
        return "".join(pieces)
    end = most // 3
    first, last = _as_many(pieces, most - end - 1), _as_many(pieces[::-1], end)
    return "".join([*first, "…", *last[::-1]])


def _as_many(pieces: Sequence[str], most: int) -> list[str]:
    """The first pieces that have at most `most` characters together."""
    ends = accumulate(map(len, pieces))
    return [piece for piece, end in zip(pieces, ends, strict=True) if end <= most]


@dataclass(frozen=True)
class Name:
    """A name as a table shows it; `full` is None where nothing is left out.

    `rest` says what even `full` lacks, or is empty.
    """

    shown: str
    full: str | None = None
    rest: str = ""


class LongNames:
    """Cuts names for one page; unfolds long ones as long as the page's budget lasts."""

    def __init__(self) -> None:
        self._left = BUDGET

    def cut(self, text: str) -> Name:
        """The name for a cell of a table. Spaces at its ends are written out too."""
        core = text.strip(" ")
        before, space = len(text) - len(text.lstrip(" ")), _written_out(" ")
        if core != text and len(text) <= SHOWN:
            text = space * before + core + space * (len(text) - before - len(core))
        shown = shorten(text, SHOWN)
        if len(text) <= SHOWN and shown == visible(text):
            return Name(shown or "(empty)")
        kept = text[: min(FULL, self._left)]
        full = visible(kept)
        self._left = max(0, self._left - len(full))
        missing = len(text) - len(kept)
        rest = f"{number(missing)} more characters stand in accounts.parquet" if missing else ""
        return Name(shown, full, rest)


def masked(words: str) -> Markup:
    """Masked words as HTML: what was masked out is drawn as a sign with a name of its own."""
    parts = shorten(words, PHRASE).split(MASK)
    sign = Markup('<abbr title="masked">▢</abbr>')
    return sign.join(escape(part) for part in parts)
