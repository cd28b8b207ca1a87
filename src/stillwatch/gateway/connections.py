"""Connections of clients: uvicorn's, with bounds on the time and the memory that one may take.

uvicorn bounds neither how long a head may take and how large it may be, nor how long a client may
read nothing of its answer, nor what it may send after it was answered; it takes the fields after a
chunked body (RFC 9112, section 7.1.2) for headers; and it answers what cannot be parsed in the
midst of the answer before. Times are looked at once a second for all connections, so that they cost
a request nothing.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable
from typing import Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from stillwatch.gateway.dialects.openai_errors import refusal_body
from stillwatch.gateway.refusals import bad_request

__all__ = ["HEAD_PATIENCE", "KEPT_OPEN", "LARGEST_HEAD", "READ_PATIENCE", "Connection", "watch"]

#: Seconds from the first byte of a head (from the connection's beginning, for the first head) until
#: it must be whole.
HEAD_PATIENCE: Final = 10.0
#: Seconds that a connection without a request is kept.
KEPT_OPEN: Final = 30
#: Seconds that a client may read nothing of an answer that waits for it.
READ_PATIENCE: Final = 60.0
#: Seconds for what is left of a body that nobody wants any more, and of an answer before the end.
_LINGER: Final = 5.0
LARGEST_HEAD: Final = 64 * 2**10
#: Bytes of one request as they come, chunks' heads and trailers included.
_LARGEST_MESSAGE: Final = 64 * 2**20
_EVERY: Final = 1.0
_NEVER: Final = math.inf


class _Nowhere(list[tuple[bytes, bytes]]):
    """Where the fields after a body go: they are no headers, and nobody has asked for them."""

    def append(self, _: tuple[bytes, bytes], /) -> None:
        pass


_NOWHERE: Final = _Nowhere()


class _Lingering:
    """The transport of an answer after which the connection ends. If it comes before the request
    is whole, the rest is read and dropped first: closing on bytes that have not been read resets
    the connection, and the client may lose the answer (RFC 9112, section 9.6)."""

    def __init__(self, transport: asyncio.Transport, cycle: RequestResponseCycle) -> None:
        self._transport, self._cycle = transport, cycle
        self.write, self.is_closing = transport.write, transport.is_closing

    def close(self) -> None:
        """Close, or leave that to the end of the request or of its time."""
        if not (self._cycle.response_complete and self._cycle.more_body):
            self._transport.close()


class Connection(HttpToolsProtocol):
    """One connection. :meth:`look` closes it when its time is up."""

    _due = _NEVER  # when the next head must be whole; never while one is being answered
    _in_head = False
    _taken = 0  # bytes of this head, or of what came after it
    _unsent = 0  # bytes that waited for the client at the last look
    _read = 0.0  # when it was last seen to have read some

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._due = self.loop.time() + HEAD_PATIENCE

    def data_received(self, data: bytes) -> None:
        within = self._in_head
        super().data_received(data)
        if within == self._in_head:  # else these bytes belong to both sides of the border
            self._taken += len(data)
            if self._taken > (LARGEST_HEAD if within else _LARGEST_MESSAGE):
                self._refuse(431 if within else 413)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._taken = True, 0
        self._due = min(self._due, self.loop.time() + HEAD_PATIENCE)

    def on_headers_complete(self) -> None:
        self._check()
        super().on_headers_complete()
        self._in_head, self._taken, self._due = False, 0, _NEVER
        self.headers = _NOWHERE
        # who asked whether to go on with the body, and was refused, does not send it
        if not self.cycle.keep_alive and not self.expect_100_continue:
            self.cycle.transport = cast(asyncio.Transport, _Lingering(self.transport, self.cycle))

    def on_response_complete(self) -> None:
        left = self.cycle.more_body and not self.pipeline  # of a body that nobody reads
        self._due = self.loop.time() + (_LINGER if left else KEPT_OPEN + HEAD_PATIENCE)
        super().on_response_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        latest = self.cycle
        if latest.response_complete and latest.more_body and not latest.keep_alive:
            self.transport.close()  # it has lingered for this

    def send_400_response(self, msg: str) -> None:
        self._refuse(400)

    def look(self, now: float) -> None:
        """Close the connection if the client has let its time pass."""
        unsent = self.transport.get_write_buffer_size()
        if not unsent or unsent != self._unsent:
            self._unsent, self._read = unsent, now
        elif now - self._read > READ_PATIENCE:
            self.transport.abort()
            return
        if now > self._due and not self._working:
            self._refuse(408)

    def _check(self) -> None:
        """What would be read in two ways is refused; the parser passes the error on.

        Raises:
            ValueError: another version; chunks in a version that has none (RFC 9112, section 6.1);
                or an upgrade with a body, which the parser would take for the next request.
        """
        version = self.parser.get_http_version()
        upgrade = self.parser.should_upgrade()
        if version == "1.1" and not upgrade:
            return
        names = {name for name, _ in self.headers}
        chunked = b"transfer-encoding" in names
        if version not in ("1.0", "1.1") or (version == "1.0" and chunked):
            raise ValueError("not HTTP/1.1")
        if upgrade and (chunked or b"content-length" in names):
            raise ValueError("an upgrade with a body")

    @property
    def _latest(self) -> RequestResponseCycle | None:
        """The request that came last; uvicorn's own type leaves out that there may be none."""
        return self.cycle

    @property
    def _working(self) -> bool:
        """Whether an answer is being made."""
        latest = self._latest
        return bool(self.pipeline) or (latest is not None and not latest.response_complete)

    def _refuse(self, status: int) -> None:
        """Say why, unless that would be read as a part of another answer, and close."""
        if self.transport.is_closing():
            return
        if self._may_answer(status):
            body = refusal_body(bad_request(_WORDS[status], "invalid_request", status))
            self.transport.write(
                b"HTTP/1.1 %d %s\r\ncontent-type: application/json\r\n"
                b"content-length: %d\r\nconnection: close\r\n\r\n%s"
                % (status, _PHRASES[status], len(body), body)
            )
        self.transport.close()

    def _may_answer(self, status: int) -> bool:
        if self._in_head:
            return not self._working
        latest = self._latest
        if latest is None:
            return status != 408  # nobody has asked for anything
        return not self.pipeline and not latest.response_started


_PHRASES: Final = {
    400: b"Bad Request",
    408: b"Request Timeout",
    413: b"Content Too Large",
    431: b"Request Header Fields Too Large",
}
_WORDS: Final = {
    400: "this cannot be read as HTTP/1.1, or is an upgrade with a body",
    408: "the request's head did not arrive in time",
    413: "the request is too large",
    431: f"the request's head is larger than {LARGEST_HEAD} bytes",
}


async def watch(connections: Iterable[object]) -> None:
    """Look at all connections once a second, until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(_EVERY)
        now = loop.time()
        for connection in tuple(connections):
            if isinstance(connection, Connection):
                connection.look(now)
