"""A file → its lines, in blocks of about a megabyte, with their numbers; plain or gzip.

Memory holds one block and one line, whatever the size of the file. A line above 64 MB, a damaged
or truncated gzip stream become faults that name the line; everything before the fault is delivered.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO, NamedTuple

from stillwatch.errors import InputError

__all__ = [
    "LINE_MAX",
    "Block",
    "Stretch",
    "blocks",
    "chunks",
    "complete_lines",
    "is_gzip",
    "opened",
]

LINE_MAX = 64 << 20
_READ = 1 << 20
_BOM = b"\xef\xbb\xbf"
_GZIP = b"\x1f\x8b"
_TOO_LONG = f"is longer than {LINE_MAX >> 20} MB and was skipped"
_DAMAGED = "the gzip data is damaged from here on; what came before was read"
_TRUNCATED = "the gzip file is truncated here; what came before was read"


class Block(NamedTuple):
    """Consecutive lines. ``first`` is the number of the first one, counted from 1.

    ``read`` says how many bytes of the file on disk were read so far; ``faults`` are the numbers
    of lines that could not be delivered and the reasons; a line that was skipped is empty here.
    """

    first: int
    lines: list[bytes]
    read: int
    faults: list[tuple[int, str]]


class Stretch(NamedTuple):
    """Consecutive lines that are whole, and where each ends: the offset of the byte after it.

    Offsets count unpacked bytes. ``faults`` are positions in ``lines`` and reasons; what stands
    there is empty.
    """

    lines: list[bytes]
    ends: list[int]
    faults: list[tuple[int, str]]


def opened(path: Path) -> BinaryIO:
    """The file, open for reading.

    Raises:
        InputError: it is not there or may not be read.
    """
    try:
        return path.open("rb", buffering=0)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", path=path) from error


def is_gzip(path: Path) -> bool:
    """Whether the file begins like gzip (RFC 1952)."""
    with opened(path) as file:
        return file.read(2) == _GZIP


def chunks(path: Path) -> Iterator[tuple[bytes, int, str | None]]:
    """Blocks of the file's (unpacked) bytes without a byte order mark.

    Yields:
        The bytes, the position in the file on disk, and the fault that ends the file here.
    """
    source = _unpacked(path) if is_gzip(path) else _plain(path)
    start = True
    for data, position, fault in source:
        whole = data.removeprefix(_BOM) if start else data
        start = start and not data
        yield whole, position, fault


def blocks(path: Path) -> Iterator[Block]:
    """The lines of the file, without their line feeds."""
    number = 1
    pending: list[bytes] = []
    size = 0
    position = 0
    broken: list[str] = []
    for data, position, fault in chunks(path):
        broken += [fault] if fault is not None else []
        *ended, rest = data.split(b"\n")
        faults: list[tuple[int, str]] = []
        if ended:
            if size + len(ended[0]) > LINE_MAX:
                faults.append((number, _TOO_LONG))
                ended[0] = b""
            elif pending:
                ended[0] = b"".join((*pending, ended[0]))
            pending, size = [], 0
            yield Block(number, ended, position, faults)
            number += len(ended)
        size += len(rest)
        pending = [] if size > LINE_MAX else [*pending, rest]
    last: list[tuple[int, str]] = []
    if size > LINE_MAX:
        last.append((number, _TOO_LONG))
    complete = number - (0 if any(pending) or size > LINE_MAX else 1)
    last += [(max(complete, 1), fault) for fault in broken]
    if any(pending) or last:
        yield Block(number, [b"".join(pending)], position, last)


def complete_lines(path: Path, start: int = 0) -> Iterator[Stretch]:
    """The lines from the unpacked byte `start` on that end in a line feed: a file may still grow.

    The last line of a gzip file that is whole needs none. Damaged gzip data is told once, as a
    line behind the end.
    """
    packed = is_gzip(path)
    at = 0 if packed else start
    begin, size = start, 0
    pending: list[bytes] = []
    broken = None
    for block, _, fault in _unpacked(path) if packed else _plain(path, start):
        broken = fault
        data = block[max(start - at, 0) :]
        at += len(block)
        if not data:
            continue
        *ended, rest = data.split(b"\n")
        if ended:
            too_long = size + len(ended[0]) > LINE_MAX
            ends = list(accumulate((len(line) + 1 for line in ended), initial=begin + size))[1:]
            ended[0] = b"" if too_long else b"".join((*pending, ended[0]))
            if not begin:
                ended[0] = ended[0].removeprefix(_BOM)
            yield Stretch(ended, ends, [(0, _TOO_LONG)] if too_long else [])
            begin, pending, size = ends[-1], [], 0
        size += len(rest)
        pending = [] if size > LINE_MAX else [*pending, rest]
    if packed and broken is None and any(pending):
        yield Stretch([b"".join(pending)], [begin + size], [])
    if broken == _DAMAGED and start <= at:
        yield Stretch([b""], [at + 1], [(0, _DAMAGED)])


def _plain(path: Path, start: int = 0) -> Iterator[tuple[bytes, int, str | None]]:
    position = start
    with opened(path) as file:
        file.seek(start)
        while data := _read(file, path):
            position += len(data)
            yield data, position, None


def _unpacked(path: Path) -> Iterator[tuple[bytes, int, str | None]]:
    """All members of a gzip file, never more than a block at a time, however well it packs."""
    position = 0
    member = zlib.decompressobj(wbits=31)
    with opened(path) as file:
        while packed := _read(file, path):
            position += len(packed)
            while packed:
                if member.eof:  # the next member follows, or the zero bytes that may pad a file
                    packed = packed.lstrip(b"\0")
                    if not packed:
                        break
                    member = zlib.decompressobj(wbits=31)
                before = member.copy()
                try:
                    data = member.decompress(packed, _READ)
                except zlib.error:
                    yield from ((data, position, None) for data in _salvaged(before, packed))
                    yield b"", position, _DAMAGED
                    return
                packed = member.unused_data if member.eof else member.unconsumed_tail
                yield data, position, None
    if not member.eof:
        yield b"", position, _TRUNCATED


def _salvaged(member: zlib._Decompress, packed: bytes) -> Iterator[bytes]:
    """What `packed` holds before the byte that makes it invalid: zlib keeps that to itself."""
    for step in (256, 1):
        while packed:
            before = member.copy()
            try:
                yield member.decompress(packed[:step])
            except zlib.error:
                member = before
                break
            packed = packed[step:]


def _read(file: BinaryIO, path: Path) -> bytes:
    try:
        return file.read(_READ)
    except OSError as error:
        raise InputError(f"cannot be read to its end: {error.strerror}", path=path) from error
