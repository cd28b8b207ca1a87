"""What goes through the pipes between a gateway and its writer: frames there, notes back.

A frame is a head and a msgpack array of exchanges. It holds at most :data:`ROWS` of them, and at
most :data:`SIZE` bytes unless a single exchange is longer: the whole of it fits into a pipe.
"""

from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, Final

import msgspec

from stillwatch.errors import StillwatchError
from stillwatch.exchange import Message, RawExchange

__all__ = [
    "ROWS",
    "SIZE",
    "Frame",
    "Kept",
    "Neglected",
    "NoteReader",
    "Ready",
    "Refused",
    "Stuck",
    "frames",
    "read_frames",
    "tell",
]

ROWS: Final = 4_096
SIZE: Final = 1 << 20

#: bytes that follow, sequence, rows, when the oldest was recorded (monotonic clock, ns)
_HEAD = struct.Struct("<IQIQ")
_ARRAY = struct.Struct(">BI")  # msgpack: array 32 and how many
_LENGTH = struct.Struct("<I")
_MOST = 2**63 - 1
_LONGEST_WHY = 2_000  # characters: a note is written in one piece, below PIPE_BUF
_encoder = msgspec.msgpack.Encoder()


class Frame(msgspec.Struct):
    """Exchanges under way: `data` is the encoded frame, head included."""

    sequence: int
    rows: int
    recorded: int
    data: bytearray

    def exchanges(self) -> memoryview:
        """The msgpack array of exchanges."""
        return memoryview(self.data)[_HEAD.size :]


class Ready(msgspec.Struct, tag=True):
    """The writer takes frames."""


class Refused(msgspec.Struct, tag=True):
    """The writer cannot begin: the code of the error, and its message."""

    code: str
    why: str

    def error(self) -> StillwatchError:
        """The error as it was raised there."""
        classes = [StillwatchError]
        for each in classes:
            if each.code == self.code:
                return each(self.why)
            classes.extend(each.__subclasses__())
        return StillwatchError(self.why)


class Kept(msgspec.Struct, tag=True):
    """All frames up to `sequence` were on the disk at `when` (monotonic clock, ns)."""

    sequence: int
    when: int


class Stuck(msgspec.Struct, tag=True):
    """The writer cannot write, and will try again."""

    why: str


class Neglected(msgspec.Struct, tag=True):
    """Old rows could not be rolled or expired; with no `why`, they could again."""

    why: str | None


Note = Ready | Refused | Kept | Stuck | Neglected
_notes = msgspec.msgpack.Decoder(Note)


def frames(exchanges: Iterable[RawExchange], first: int, recorded: int) -> Iterator[Frame]:
    """Encode `exchanges` in frames numbered from `first` on. `recorded` is that of the oldest."""
    data, rows = bytearray(_HEAD.size + _ARRAY.size), 0
    for exchange in exchanges:
        _add(data, exchange)
        rows += 1
        if rows == ROWS or len(data) >= SIZE:
            yield _framed(data, rows, first, recorded)
            data, rows, first = bytearray(_HEAD.size + _ARRAY.size), 0, first + 1
    if rows:
        yield _framed(data, rows, first, recorded)


def _framed(data: bytearray, rows: int, sequence: int, recorded: int) -> Frame:
    _HEAD.pack_into(data, 0, len(data) - _HEAD.size, sequence, rows, recorded)
    _ARRAY.pack_into(data, _HEAD.size, 0xDD, rows)
    return Frame(sequence, rows, recorded, data)


def _add(data: bytearray, exchange: RawExchange) -> None:
    end = len(data)
    try:
        _encoder.encode_into(exchange, data, -1)
    except (UnicodeEncodeError, OverflowError):
        del data[end:]
        _encoder.encode_into(_encodable(exchange), data, -1)


def _encodable(exchange: RawExchange) -> RawExchange:
    """Without lone surrogates, which JSON can smuggle in, and numbers beyond 64 bits."""
    fields = msgspec.structs.asdict(exchange)
    return RawExchange(**{name: _held(value) for name, value in fields.items()})


def _held(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, int):
        return value if isinstance(value, bool) else max(-_MOST, min(_MOST, value))
    if isinstance(value, Message):
        return Message(_held(value.role), _held(value.content))
    return tuple(map(_held, value)) if isinstance(value, tuple) else value


def read_frames(pipe: BinaryIO) -> Iterator[Frame]:
    """The whole frames that come through, until the other end is closed, or killed."""
    while len(head := pipe.read(_HEAD.size)) == _HEAD.size:
        length, sequence, rows, recorded = _HEAD.unpack(head)
        data = bytearray(head)
        data += pipe.read(length)
        if len(data) < _HEAD.size + length:
            return
        yield Frame(sequence, rows, recorded, data)


def tell(descriptor: int, note: Note) -> None:
    """Send a note, from any thread. Nobody need be there to read it."""
    if isinstance(note, (Refused, Stuck, Neglected)) and note.why is not None:
        note.why = note.why.encode("ascii", "backslashreplace").decode()[:_LONGEST_WHY]
    body = _encoder.encode(note)
    with contextlib.suppress(BrokenPipeError):
        os.write(descriptor, _LENGTH.pack(len(body)) + body)


class NoteReader:
    """Bytes as they arrive → notes."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def read(self, data: bytes) -> Iterator[Note]:
        """The notes that are whole with `data`."""
        waiting = self._waiting
        waiting += data
        while len(waiting) >= _LENGTH.size:
            end = _LENGTH.size + _LENGTH.unpack_from(waiting)[0]
            if len(waiting) < end:
                return
            note = _notes.decode(bytes(waiting[_LENGTH.size : end]))
            del waiting[:end]
            yield note
