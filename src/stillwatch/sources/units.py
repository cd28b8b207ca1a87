"""A file that may still grow → its units from a place on, each with the place behind it.

A unit is what is whole or not there: a line, an object of a JSON document, a row of Parquet. A
place counts unpacked bytes of lines, objects, or rows. The first unit identifies a file: so a log
that was renamed, copied aside or packed with gzip is known to be the one that was read before.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from stillwatch.exchange import RawExchange
from stillwatch.sources.documents import UNFINISHED, documents, is_lines
from stillwatch.sources.json_source import JsonDocuments, JsonLines
from stillwatch.sources.lines import complete_lines, is_gzip, opened
from stillwatch.sources.log import Source
from stillwatch.sources.parquet import NativeParquet, is_parquet
from stillwatch.sources.rows import Context, Refused

__all__ = ["Place", "Unit", "identify", "print_before", "units"]

_HEAD = 1 << 16
_BEFORE = 256


@dataclass(frozen=True)
class Place:
    """How far a file was read: the position behind the last unit, and that unit's number.

    ``before`` is a digest of the bytes before the position, empty where there is none.
    """

    path: str
    position: int = 0
    number: int = 0
    before: str = ""


class Unit(NamedTuple):
    """What one unit holds: exchanges, reasons of refusals, its line (or row) from 1, its end."""

    exchanges: list[RawExchange]
    refused: list[str]
    number: int
    position: int


def identify(path: Path) -> str | None:
    """A name for the file by its first unit; None while it has no whole one.

    Raises:
        InputError: the file cannot be read.
    """
    with opened(path) as file:
        head = file.read(8)
        if is_parquet(head):
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _HEAD))
            tail = file.read(_HEAD)
            return f"parquet:{_digest(tail)}" if tail.endswith(head[:4]) and size > 12 else None
    if is_lines(path):
        for stretch in complete_lines(path):
            for line in stretch.lines:
                if line.strip():
                    return f"lines:{_digest(line[:_HEAD])}"
    else:
        for found, _, _ in documents(path):
            for document in found:
                if document.fault is None:
                    return f"objects:{_digest(document.text[:_HEAD])}"
    return None


def print_before(path: Path, position: int) -> str:
    """A digest of the bytes before `position`; empty where positions are not bytes on disk."""
    with opened(path) as file:
        if not position or is_parquet(file.read(4)) or is_gzip(path):
            return ""
        first = max(0, position - _BEFORE)
        file.seek(first)
        return _digest(file.read(position - first))


def units(source: Source, place: Place, context: Context) -> Iterator[Unit]:
    """What `source` holds from `place` on, as far as it is whole.

    Raises:
        InputError: the file is gone, or its storage fails.
    """
    match source:
        case JsonLines():
            return _lines(source, place, context)
        case JsonDocuments():
            return _objects(source, place, context)
        case NativeParquet():
            return _rows(source, place, context)
    raise TypeError(f"{type(source).__name__} cannot be followed")


def _lines(source: JsonLines, place: Place, context: Context) -> Iterator[Unit]:
    decode = source.decoder(context)
    number = place.number
    for lines, ends, faults in complete_lines(source.path, place.position):
        reasons = dict(faults)
        for at, (line, end) in enumerate(zip(lines, ends, strict=True)):
            number += 1
            context.remarks.line = number
            exchanges, refused = _sorted(decode(line))
            if at in reasons:
                refused.append(reasons[at])
            yield Unit(exchanges, refused, number, end)


def _objects(source: JsonDocuments, place: Place, context: Context) -> Iterator[Unit]:
    decode = source.decoder(context)
    for found, _, _ in documents(source.path):
        for text, line, number, fault in found:
            if number <= place.position or fault == UNFINISHED:
                continue
            context.remarks.line = line
            if fault is not None:
                yield Unit([], [f"object {number:,}: the row {fault}"], line, number)
                continue
            exchanges, refused = _sorted(decode(text))
            told = [f"object {number:,}: {reason}" for reason in refused]
            yield Unit(exchanges, told, line, number)


def _rows(source: NativeParquet, place: Place, context: Context) -> Iterator[Unit]:
    for chunk in source.chunks(context, place.position):
        made = [Unit([row], [], n, n) for n, row in zip(chunk.lines, chunk.rows, strict=True)]
        made += [Unit([], [reason], n, n) for n, reason in chunk.faults]
        made.sort(key=attrgetter("position"))
        yield from (unit for unit in made if unit.position > place.position)


def _sorted(outcomes: tuple[RawExchange | Refused, ...]) -> tuple[list[RawExchange], list[str]]:
    exchanges = [each for each in outcomes if not isinstance(each, Refused)]
    return exchanges, [each.reason for each in outcomes if isinstance(each, Refused)]


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()
