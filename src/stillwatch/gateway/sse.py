"""Server-sent events, cut out of a stream of bytes as they arrive.

The format is that of the HTML Living Standard, section 9.2.6 ("Interpreting an event stream"), with
two differences: data stay bytes, and `id` and `retry` are dropped, because a stream of a model
cannot be taken up again.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["LARGEST_EVENT", "EventSplitter"]

#: Bytes of one event, at most. A whole answer's usage and tool calls fit many times over.
LARGEST_EVENT: Final = 4 * 2**20

Event = tuple[str | None, bytes]

_LINE_END: Final = re.compile(rb"\r\n?")
_BOM: Final = b"\xef\xbb\xbf"
_TOO_LARGE: Final = "an event of the stream is too large"


class EventSplitter:
    """One stream. How its bytes are cut into chunks changes nothing but when events come out.

    `kept_alive` says whether the last chunk had a comment: servers send them so that a connection
    is not closed while they are busy. What a comment says goes nowhere.
    """

    def __init__(self, largest: int = LARGEST_EVENT) -> None:
        self.kept_alive = False
        self._largest = largest
        self._rest = bytearray()  # what came after the last blank line
        self._careful = True  # the next bytes may need a look before they are plain lines
        self._after_return = False  # the last byte was CR; an LF that follows belongs to it
        self._begun = False  # the first bytes, which may be a byte order mark, have passed

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that `chunk` completes: the name (``None`` where none is given) and the data,
        its lines joined by newlines. Events without data are none.

        Raises:
            ValueError: an event is larger than allowed; the stream must end.
        """
        self.kept_alive = False
        if self._careful or b"\r" in chunk:
            chunk = self._plain(chunk)
        rest = self._rest
        if not rest:
            size = len(chunk)
            if chunk[:6] == b"data: " and chunk.find(b"\n") == size - 2 and chunk[-1:] == b"\n":
                if size - 2 > self._largest:
                    raise ValueError(_TOO_LARGE)
                return [(None, chunk[6:-2])]  # one whole event, by far the most frequent chunk
            blocks = chunk.split(b"\n\n")
        else:
            # A blank line may begin with the last byte that was there already.
            start = len(rest) - 1
            rest += chunk
            if rest.find(b"\n\n", start) < 0:
                self._bound_rest()
                return []
            blocks = bytes(rest).split(b"\n\n")
            rest.clear()
        last = blocks.pop()
        if last:
            rest += last
            self._bound_rest()
        return self._events(blocks)

    def _events(self, blocks: list[bytes]) -> list[Event]:
        largest = self._largest
        events: list[Event] = []
        for block in blocks:
            if len(block) > largest and len(self._without_comments(block)) > largest:
                raise ValueError(_TOO_LARGE)
            if block[:6] == b"data: " and b"\n" not in block:
                events.append((None, block[6:]))
                continue
            if block[:7] == b"event: ":
                end = block.find(b"\n")
                if block[end : end + 7] == b"\ndata: " and block.find(b"\n", end + 1) < 0:
                    name = block[7:end].decode("utf-8", "replace") or None
                    events.append((name, block[end + 7 :]))
                    continue
            event = self._event(block)
            if event is not None:
                events.append(event)
        return events

    def _plain(self, chunk: bytes) -> bytes:
        """The same with every line end as LF, and without a byte order mark at the start."""
        if not self._begun:
            chunk = bytes(self._rest) + chunk
            self._rest.clear()
            if len(chunk) < len(_BOM) and _BOM.startswith(chunk):
                self._rest += chunk  # not enough to tell
                return b""
            self._begun = True
            chunk = chunk.removeprefix(_BOM)
        if self._after_return and chunk:
            chunk = chunk.removeprefix(b"\n")
            self._after_return = False
        if b"\r" in chunk:
            self._after_return = chunk.endswith(b"\r")
            chunk = _LINE_END.sub(b"\n", chunk)
        self._careful = self._after_return
        return chunk

    def _bound_rest(self) -> None:
        """Comments before an event are no part of it: a server may send nothing else for long."""
        rest = self._rest
        while rest[:1] == b":" or rest[:1] == b"\n":
            end = rest.find(b"\n")
            if end < 0:
                del rest[1:]  # of a comment that has not ended, that it is one
                break
            self.kept_alive |= end > 0
            del rest[: end + 1]
        if len(rest) > self._largest + 1:  # one byte may be half of the blank line
            raise ValueError(_TOO_LARGE)

    def _without_comments(self, block: bytes) -> bytes:
        while block.startswith((b":", b"\n")):
            self.kept_alive |= block.startswith(b":")
            _, _, block = block.partition(b"\n")
        return block

    def _event(self, block: bytes) -> Event | None:
        name: str | None = None
        data: list[bytes] = []
        for line in block.split(b"\n"):
            field, colon, value = line.partition(b":")
            if value[:1] == b" ":
                value = value[1:]
            if field == b"data":
                data.append(value)
            elif field == b"event":
                name = value.decode("utf-8", "replace") or None
            elif colon and not field:
                self.kept_alive = True
        if not data:
            return None
        return name, data[0] if len(data) == 1 else b"\n".join(data)
