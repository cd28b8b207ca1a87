"""One JSON file → chunks of exchanges, by whichever decoder its format has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from stillwatch.exchange import RawExchange
from stillwatch.sources.lines import blocks
from stillwatch.sources.log import Chunk
from stillwatch.sources.rows import Context, Refused

__all__ = ["Decode", "JsonLines"]

#: a JSON document → the exchanges in it, and what was refused in their place
Decode = Callable[[bytes], tuple[RawExchange | Refused, ...]]


class JsonLines:
    """A file of one JSON document a line, plain or gzip."""

    def __init__(self, path: Path, format: Callable[[Context], Decode]) -> None:  # noqa: A002
        self.path = path
        self._format = format

    def chunks(self, context: Context) -> Iterator[Chunk]:
        """A chunk for every block of the file."""
        decode = self._format(context)
        for first, lines, read, faults in blocks(self.path):
            rows: list[RawExchange] = []
            places: list[int] = []
            for number, line in enumerate(lines, first):
                context.remarks.line = number
                for outcome in decode(line):
                    if type(outcome) is Refused:
                        faults.append((number, outcome.reason))
                    else:
                        rows.append(outcome)  # type: ignore[arg-type]
                        places.append(number)
            yield Chunk(rows, places, faults, read)
