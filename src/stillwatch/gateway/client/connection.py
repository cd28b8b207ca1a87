"""One connection to an upstream: writes requests one after the other, reads their responses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import httptools

from stillwatch.gateway.client.replies import ClientReply
from stillwatch.gateway.upstream import UpstreamError

__all__ = ["Connection"]

_MOST_HEAD = 64 * 2**10  # bytes of one head


class Connection(asyncio.Protocol):
    """`idle` is called when a response is here to its end and another request may be written,
    `lost` once when the connection is gone. `heard` is the time of the last byte, either way."""

    def __init__(
        self, idle: Callable[[Connection], None], lost: Callable[[Connection], None]
    ) -> None:
        self.heard = 0.0
        #: we take nothing at the moment, so that silence is ours
        self.paused = False
        #: seconds that the upstream keeps an idle connection, if it says so
        self.kept: float | None = None
        self._idle, self._lost = idle, lost
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self._reply: ClientReply | None = None
        self._headers: dict[str, str] = {}
        self._head_size = 0
        self._confused = False

    @property
    def usable(self) -> bool:
        """Whether another request may be written."""
        transport = self._transport
        return self._reply is None and transport is not None and not transport.is_closing()

    @property
    def busy(self) -> bool:
        """Whether a response is awaited."""
        return self._reply is not None

    def ask(self, request: bytes) -> ClientReply:
        """Write a request; its response fills the reply."""
        assert self._transport is not None  # connected
        self._reply = reply = ClientReply(self)
        self.heard = self._loop.time()
        self._transport.write(request)
        return reply

    def pause(self) -> None:
        """Take nothing more from the upstream for now."""
        self.paused = True
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume(self) -> None:
        """Go on."""
        self.paused = False
        self.heard = self._loop.time()
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def abort(self) -> None:
        """Break off."""
        self._reply = None
        if self._transport is not None:
            self._transport.abort()

    def give_up(self, why: str) -> None:
        """Break off, and tell whoever waits."""
        reply = self._reply
        self.abort()
        if reply is not None:
            reply.ended(UpstreamError(why, sent=True))

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Parse; what is no HTTP, or was not asked for, ends the connection."""
        self.heard = self._loop.time()
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.give_up("the answer is no HTTP")
            return
        if self._confused:
            self.give_up("the answer is followed by what nobody asked for")

    def connection_lost(self, exc: Exception | None) -> None:
        """The end, which may be that of a body whose length was not said."""
        reply, self._reply = self._reply, None
        if reply is not None:
            whole = exc is None and reply.status and not self._framed()
            reply.ended(None if whole else UpstreamError("the connection broke off", sent=True))
        self._transport = None
        self._lost(self)

    # httptools

    def on_message_begin(self) -> None:
        """Bytes after the end of a response that nobody asked for are not one."""
        self._headers, self._head_size = {}, 0
        if self._reply is None:
            self._confused = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header; those of trailers are dropped."""
        self._head_size += len(name) + len(value)
        if self._head_size > _MOST_HEAD:
            self._confused = True
            return
        if self._reply is not None and not self._reply.status:
            self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """The head is here."""
        reply, status = self._reply, self._parser.get_status_code()
        if reply is None or self._confused or status < 200:
            return
        if self._headers.get("content-encoding", "identity") != "identity":
            self._confused = True  # we asked for none
            return
        reply.headers, reply.status = self._headers, status
        reply.wake()

    def on_body(self, data: bytes) -> None:
        """Some of the body."""
        if self._reply is not None and not self._confused:
            self._reply.arrived(data)

    def on_message_complete(self) -> None:
        """The last byte is here; whether the connection goes on can only be read now."""
        reply = self._reply
        if reply is None or self._confused or not reply.status:  # or an interim response
            return
        self._reply = None
        if self._parser.should_keep_alive():
            self.kept = _kept(self._headers)
            self._idle(self)
        elif self._transport is not None:
            self._transport.close()
        reply.ended()

    def _framed(self) -> bool:
        return "content-length" in self._headers or "transfer-encoding" in self._headers


def _kept(headers: dict[str, str]) -> float | None:
    """The time-out of the header Keep-Alive (RFC 2068, section 19.7.1.1), in seconds."""
    for part in headers.get("keep-alive", "").split(","):
        name, _, value = part.strip().partition("=")
        if name.lower() == "timeout" and value.isascii() and value.isdigit():
            return float(value[:9])
    return None
