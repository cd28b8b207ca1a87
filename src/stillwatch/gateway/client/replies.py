"""One response, filled by a connection and read by a request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Protocol

from stillwatch.gateway.upstream import UpstreamError

__all__ = ["ClientReply", "Line"]

#: Bytes that wait to be read, from which on the upstream has to wait.
_AHEAD = 256 * 2**10


class Line(Protocol):
    """What a reply needs of its connection."""

    def pause(self) -> None:
        """Take nothing more from the upstream for now."""

    def resume(self) -> None:
        """Go on."""

    def abort(self) -> None:
        """Break the connection."""


class ClientReply:
    """See :class:`~stillwatch.gateway.upstream.Reply`. Everything that arrived is kept here, not in
    the connection: that may serve somebody else once the last byte is there."""

    def __init__(self, line: Line) -> None:
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self._line: Line | None = line  # none once the connection has nothing more for us
        self._parts: list[bytes] = []
        self._size = 0
        self._bounded = True  # nobody reads the whole: the upstream has to wait for us
        self._paused = False
        self._error: UpstreamError | None = None
        self._waiter: asyncio.Future[None] | None = None

    async def head(self) -> None:
        """Wait for the head.

        Raises:
            UpstreamError: there is none.
        """
        while self.status == 0:
            if self._error is not None:
                raise self._error
            await self._change()

    async def read(self, most: int) -> bytes:
        """The whole body, `most` bytes at most."""
        self._bounded = False
        self._go_on()
        while self._line is not None:
            if self._size > most:
                raise UpstreamError("the answer is too long", sent=True)
            await self._change()
        if self._error is not None:
            raise self._error
        if self._size > most:
            raise UpstreamError("the answer is too long", sent=True)
        return self._take()

    def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives."""
        return self

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        while not self._parts:
            if self._line is None:
                if self._error is not None:
                    raise self._error
                raise StopAsyncIteration
            self._go_on()
            await self._change()
        return self._take()

    def close(self) -> None:
        """Let go; breaks the connection if the answer is not here to its end."""
        if self._line is not None:
            line, self._line = self._line, None
            line.abort()
        self._parts.clear()

    # what the connection tells

    def arrived(self, data: bytes) -> None:
        """Some of the body."""
        self._parts.append(data)
        self._size += len(data)
        if self._bounded and self._size > _AHEAD and not self._paused and self._line is not None:
            self._paused = True
            self._line.pause()
        self.wake()

    def ended(self, error: UpstreamError | None = None) -> None:
        """All of it is here, or `error` says why not."""
        self._go_on()
        self._line, self._error = None, error
        self.wake()

    def wake(self) -> None:
        """Let whoever waits look again."""
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            if not waiter.done():
                waiter.set_result(None)

    def _take(self) -> bytes:
        parts, self._parts, self._size = self._parts, [], 0
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _go_on(self) -> None:
        if self._paused and self._line is not None:
            self._paused = False
            self._line.resume()

    async def _change(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        await self._waiter
