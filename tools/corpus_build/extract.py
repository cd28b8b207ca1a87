"""HTML documentation → paragraphs, headings and list items, as plain text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple

__all__ = ["Piece", "pieces", "sentences_only"]

_BLOCKS = {"p": "paragraph", "li": "item", "h1": "heading", "h2": "heading", "h3": "heading"}
_BLOCKS |= {"h4": "heading", "dt": "term"}
_SKIPPED = {"script", "style", "pre", "nav", "footer", "table", "head", "svg"}


class Piece(NamedTuple):
    """One block of a page. `kind` is paragraph, item or heading."""

    kind: str
    text: str


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[Piece] = []
        self._skip = 0
        self._kind: str | None = None
        self._text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SKIPPED:
            self._skip += 1
            self._end()
        elif tag in _BLOCKS:
            self._end()
            self._kind = _BLOCKS[tag]

    def handle_endtag(self, tag: str) -> None:
        if tag in _SKIPPED:
            self._skip = max(0, self._skip - 1)
        elif tag in _BLOCKS or tag in ("div", "ul", "ol", "dl", "body"):
            self._end()

    def handle_data(self, data: str) -> None:
        if self._kind is not None and not self._skip:
            self._text.append(data)

    def _end(self) -> None:
        text = re.sub(r"\s+", " ", "".join(self._text)).replace("¶", "").strip()
        if text and self._kind is not None:
            self.pieces.append(Piece(self._kind, text))
        self._kind, self._text = None, []


def pieces(path: Path) -> Iterator[Piece]:
    """The blocks of the HTML page at `path`, in its order."""
    page = _Page()
    page.feed(path.read_text(encoding="utf-8", errors="replace"))
    page.close()
    yield from page.pieces


_PEOPLE = re.compile(
    r"(?i:copyright|\bthanks?\b|contributed|written by|maintain|author|patch(es)? by|reported by"
    r"|e-mail|mailing list|©)|\b[Bb]y [A-Z][\w.’'-]+( [A-Z]|\.$)|[A-Z]\w+ [A-Z]\w+\.?\)?$"
)
_MARKUP = re.compile(r"%\(|%[sd]\b|\{\w*\}|</?\w+>|\$\{|={3,}|-{3,}|\|\s*\|")


def sentences_only(text: str) -> bool:
    """Whether `text` is prose: whole sentences, mostly letters, nobody thanked or named in it."""
    letters = sum(c.isalpha() or c.isspace() for c in text)
    return (
        text[-1:] in ".!?:。！？।"
        and letters > 0.85 * len(text)
        and not _PEOPLE.search(text)
        and not _MARKUP.search(text)
    )
