"""JSON that does not keep to one object a line: an array of objects, or objects over several lines.

Finds where each object begins and ends by its braces, outside of strings, a block at a time. An
array of any length, on one line or many, is read in the memory of a block and one of its objects,
which may have 64 MB at most.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from stillwatch.sources.lines import LINE_MAX, chunks

__all__ = ["UNFINISHED", "Document", "documents", "is_lines"]

_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
#: everything up to the next brace that stands in no string, or up to a string that has no end yet
_TO_BRACE = re.compile(rb'(?:[^"{}]++|' + _STRING + rb")*+", re.DOTALL)
_IN_STRING = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_BETWEEN = re.compile(rb"[\s,\[\]]*+")
_STRAY = re.compile(_STRING + rb'|[^\s,\[\]{}"]++|[}]', re.DOTALL)
_OPEN, _QUOTE = ord("{"), ord('"')
_TOO_LONG = f"is an object of more than {LINE_MAX >> 20} MB and was skipped"
_STRAYED = "is a value where an object should be"
UNFINISHED = "is cut off: the file ends inside it"


class Document(NamedTuple):
    """One object of a file: its text, the line on which it begins, and its number from 1.

    Without a text, ``fault`` completes "the object …".
    """

    text: bytes
    line: int
    number: int
    fault: str | None = None


def is_lines(path: Path) -> bool:
    """Whether a file keeps to one JSON document a line, as far as its beginning tells.

    It does not if it begins with an array, or if its first line stops in the middle of an object.
    """
    for data, _, _ in chunks(path):
        head = data.lstrip()
        if not head:
            continue
        first, ended, _ = head.partition(b"\n")
        return not (head[:1] == b"[" or (ended and first.rstrip()[-1:] in b"{[,:"))
    return True


def documents(path: Path) -> Iterator[tuple[list[Document], int, list[tuple[int, str]]]]:
    """The objects of a file, block by block.

    Yields:
        Objects, the position in the file on disk, and the faults of the file itself with their
        lines, as :func:`stillwatch.sources.lines.chunks` has them.
    """
    scan = _Scan()
    position = 0
    for data, position, fault in chunks(path):
        found = list(scan.feed(data))
        yield found, position, [] if fault is None else [(scan.line, fault)]
    yield list(scan.finish()), position, []


class _Scan:
    """Where we are, between two blocks."""

    def __init__(self) -> None:
        self.line = 1  # at which the buffer begins
        self._buffer = bytearray()
        self._at = 0  # scanned up to here
        self._depth = 0  # of braces
        self._began = 1  # the line of the object that is open
        self._number = 0
        self._skipping = False  # the open object is too long to keep
        self._quoted = False  # and the buffer begins inside a string of it

    def feed(self, data: bytes) -> Iterator[Document]:
        """Scan on; yields the objects that end in `data`."""
        self._buffer += data
        while True:
            if not self._depth and (stray := self._begin()) is not None:
                yield stray
            elif self._depth and self._close():
                yield self._take()
            else:
                break
        if len(self._buffer) > LINE_MAX or self._skipping:
            yield from self._skip()

    def finish(self) -> Iterator[Document]:
        """What stands open at the end of the file."""
        if self._depth or self._buffer.strip(b" \t\r\n,[]"):
            yield Document(b"", self._began, self._number + 1, UNFINISHED)

    def _begin(self) -> Document | None:
        """Go to the next object; returns what stands in its place, or None."""
        self._drop(_end(_BETWEEN, self._buffer, 0))
        self._began = self.line
        if not self._buffer:
            return None
        if self._buffer[0] == _OPEN:
            self._depth, self._at = 1, 1
            return None
        end = _end(_STRAY, self._buffer, 0)
        if end == len(self._buffer) or not end:
            return None  # it may go on in the next block
        return self._took(end, _STRAYED)

    def _close(self) -> bool:
        """Scan to the end of the open object; False where the buffer ends before."""
        buffer = self._buffer
        if self._quoted:
            end = _end(_IN_STRING, buffer, 0)
            if end == len(buffer) or buffer[end] != _QUOTE:
                self._drop(end)
                return False
            self._at, self._quoted = end + 1, False
        while True:
            self._at = _end(_TO_BRACE, buffer, self._at)
            if self._at == len(buffer) or buffer[self._at] == _QUOTE:
                return False
            self._depth += 1 if buffer[self._at] == _OPEN else -1
            self._at += 1
            if not self._depth:
                return True

    def _take(self) -> Document:
        if self._skipping:
            self._skipping = False
            return self._took(self._at, _TOO_LONG)
        return self._took(self._at, None)

    def _skip(self) -> Iterator[Document]:
        """Keep nothing of what is too long."""
        if not self._depth:
            yield self._took(len(self._buffer), _STRAYED)
            return
        self._skipping = True
        self._drop(self._at)
        if self._buffer and not self._quoted:
            self._quoted = True  # what is left is a string without its end
            self._drop(1)
            self._drop(_end(_IN_STRING, self._buffer, 0))

    def _took(self, end: int, fault: str | None) -> Document:
        self._number += 1
        text = bytes(self._buffer[:end]) if fault is None else b""
        self._drop(end)
        return Document(text, self._began, self._number, fault)

    def _drop(self, end: int) -> None:
        self.line += self._buffer.count(b"\n", 0, end)
        del self._buffer[:end]
        self._at = 0


def _end(pattern: re.Pattern[bytes], buffer: bytearray, start: int) -> int:
    """Where `pattern` ends that begins at `start`; `start` if it does not."""
    match = pattern.match(buffer, start)
    return start if match is None else match.end()
