"""One JSON file → chunks of exchanges, by whichever decoder its format has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import itemgetter
from pathlib import Path

from stillwatch.exchange import RawExchange
from stillwatch.sources.documents import documents
from stillwatch.sources.lines import blocks
from stillwatch.sources.log import Chunk
from stillwatch.sources.rows import Context, Refused

__all__ = ["Decode", "JsonDocuments", "JsonLines"]

#: a JSON document → the exchanges in it, and what was refused in their place
Decode = Callable[[bytes], tuple[RawExchange | Refused, ...]]


class JsonLines:
    """A file of one JSON document a line, plain or gzip."""

    def __init__(self, path: Path, format: Callable[[Context], Decode]) -> None:  # noqa: A002
        self.path = path
        self.decoder = format

    def chunks(self, context: Context) -> Iterator[Chunk]:
        """A chunk for every block of the file."""
        decode = self.decoder(context)
        remarks = context.remarks
        for first, lines, read, faults in blocks(self.path):
            rows: list[RawExchange] = []
            places: list[int] = []
            refused: list[tuple[int, str]] = []
            for number, line in enumerate(lines, first):
                remarks.line = number
                for outcome in decode(line):
                    if isinstance(outcome, Refused):
                        refused.append((number, outcome.reason))
                    else:
                        rows.append(outcome)
                        places.append(number)
            refused = sorted(refused + faults, key=itemgetter(0))
            yield Chunk(rows, places, refused, read, sum(map(len, lines)))


class JsonDocuments:
    """A file of JSON objects in an array, or over several lines, plain or gzip."""

    def __init__(self, path: Path, format: Callable[[Context], Decode]) -> None:  # noqa: A002
        self.path = path
        self.decoder = format

    def chunks(self, context: Context) -> Iterator[Chunk]:
        """A chunk for every block of the file."""
        decode = self.decoder(context)
        for found, read, faults in documents(self.path):
            rows: list[RawExchange] = []
            places: list[int] = []
            refused: list[tuple[int, str]] = []
            for text, line, number, fault in found:
                context.remarks.line = line
                outcomes = decode(text) if fault is None else (Refused(f"the row {fault}"),)
                for outcome in outcomes:
                    if isinstance(outcome, Refused):
                        refused.append((line, f"object {number:,}: {outcome.reason}"))
                    else:
                        rows.append(outcome)
                        places.append(line)
            yield Chunk(rows, places, refused + faults, read, sum(len(one.text) for one in found))
