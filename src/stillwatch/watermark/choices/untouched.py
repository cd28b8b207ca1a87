"""What is never read and never rewritten: code, markup, formulas, quotations, tables, headings.

Each region begins with a few characters that are known when they have come, and reaches to what
closes it. What is never closed reaches to the end of its paragraph (of the text, for what stands in
a block of its own), so that nobody has to wait for an end that may not come.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final, NamedTuple

__all__ = [
    "ADDRESS",
    "DISPLAYED",
    "FENCE",
    "FENCE_END",
    "FENCE_END_BEGUN",
    "QUOTED",
    "RUN",
    "Region",
    "in_code",
    "region_at",
]

#: a line of a quotation, a table, or a heading
QUOTED: Final = re.compile(r" {0,3}[>|#]")
FENCE: Final = re.compile(r" {0,3}(`{3,}|~{3,})")
FENCE_END: Final = re.compile(r" {0,3}(`{3,}|~{3,})[ \t]*(?:\r?\n|\Z)")
FENCE_END_BEGUN: Final = re.compile(r" {0,3}(?:`*|~*)[ \t]*\r?")
#: a formula or a comment in a block of its own, and what closes it
DISPLAYED: Final = re.compile(r" {0,3}(\$\$|\\\[|<!--)")
#: of backticks; a longer one counts as several
RUN: Final = 64


class Region(NamedTuple):
    """What is untouched within a paragraph.

    Attributes:
        closed: finds what closes it, or the end of a line.
        size: characters of what closes it.
        run: backticks that close it, for code; 0 for everything else.
        link: whether an address in parentheses may follow.
    """

    closed: re.Pattern[str]
    size: int = 1
    run: int = 0
    link: bool = False


_REGIONS: Final = {
    '"': Region(re.compile(r'["\n]')),
    "“": Region(re.compile(r"[”\n]")),
    "«": Region(re.compile(r"[»\n]")),
    "„": Region(re.compile(r"[“”\n]")),
    "[": Region(re.compile(r"[\]\n]"), link=True),
    "(": Region(re.compile(r"[)\n]")),
    "<": Region(re.compile(r"[>\n]")),
    "<!--": Region(re.compile(r"-->|\n"), 3),
    "$": Region(re.compile(r"[$\n]")),
    "$$": Region(re.compile(r"\$\$|\n"), 2),
    "\\[": Region(re.compile(r"\\\]|\n"), 2),
    "\\(": Region(re.compile(r"\\\)|\n"), 2),
}
_CODE: Final = re.compile(rf"`{{1,{RUN}}}|\n")
_TAG: Final = re.compile(r"</?[A-Za-z]")


@cache
def in_code(run: int) -> Region:
    """Code within a line, between runs of so many backticks."""
    return Region(_CODE, 1, run)


def region_at(text: str, at: int, *, final: bool) -> tuple[Region | None, int] | None:
    """The region that begins at a character which may begin one, and where its inside begins.

    Without a region, where to go on. ``None``: more text must come first.
    """
    first = text[at]
    if first == "`":
        return _code(text, at, final)
    if first == "$":
        return _formula(text, at, final)
    if first == "\\":
        if at + 1 == len(text) and not final:
            return None
        if text.startswith("\n", at + 1):
            return None, at + 1
        return _REGIONS.get(text[at : at + 2]), at + 2
    if first == "<":
        return _markup(text, at, final)
    if first == '"' and at and text[at - 1].isalnum():
        return None, at + 1  # an inch, or the end of what began before this paragraph
    return _REGIONS[first], at + 1


def _code(text: str, at: int, final: bool) -> tuple[Region | None, int] | None:
    found = _CODE.match(text, at)
    assert found is not None  # there is a backtick
    run = found.end() - at
    if found.end() == len(text) and run < RUN and not final:
        return None
    return in_code(run), found.end()


def _formula(text: str, at: int, final: bool) -> tuple[Region | None, int] | None:
    """Between dollars, but for sums of money: a digit or a space follows those."""
    if at and (text[at - 1].isalnum() or text[at - 1] == "$"):
        return None, at + 1
    after = text[at + 1 : at + 2]
    if not after and not final:
        return None
    if after == "$":
        return _REGIONS["$$"], at + 2
    if not after or after.isspace() or after.isdigit():
        return None, at + 1
    return _REGIONS["$"], at + 1


def _markup(text: str, at: int, final: bool) -> tuple[Region | None, int] | None:
    if text.startswith("<!--", at):
        return _REGIONS["<!--"], at + 4
    if _TAG.match(text, at):
        return _REGIONS["<"], at + 1
    if not final and text[at:] in ("<", "</", "<!", "<!-"):
        return None
    return None, at + 1


#: what may follow what a link shows
ADDRESS: Final = _REGIONS["("]
