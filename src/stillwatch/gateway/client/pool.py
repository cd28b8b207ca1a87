"""Connections to all upstreams: opened when none is idle, used again, closed when stale."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections import defaultdict
from collections.abc import Mapping

from stillwatch.gateway.client.addresses import Address, address_of
from stillwatch.gateway.client.connection import Connection
from stillwatch.gateway.client.replies import ClientReply
from stillwatch.gateway.upstream import Reply, UpstreamError

__all__ = ["Client"]

#: Seconds without a byte after which an upstream counts as gone; models may think for long.
SILENCE = 600.0
#: Seconds to connect, encryption included.
CONNECT = 10.0
#: Seconds that an idle connection is used again, where the upstream does not say how long it keeps
#: one: uvicorn, under which most model servers run, closes after five.
IDLE = 4.0
_MARGIN = 1.0  # before the upstream closes
_LONGEST = 60.0
_SWEEP = 1.0

_Server = tuple[str, int, bool]


class Client:
    """An :class:`~stillwatch.gateway.upstream.Upstream`; make it within a running event loop.

    A request is written once: when its connection breaks, whoever asked has to decide.
    """

    def __init__(self, *, silence: float = SILENCE, connect: float = CONNECT) -> None:
        self._silence, self._connect = silence, connect
        self._loop = asyncio.get_running_loop()
        self._idle: dict[_Server, list[Connection]] = defaultdict(list)
        self._all: dict[Connection, _Server] = {}
        self._encryption: ssl.SSLContext | None = None
        self._sweeper = self._loop.call_later(_SWEEP, self._sweep)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """The response, as soon as its head is there."""
        return await self._ask("POST", url, body, headers)

    async def get(self, url: str, headers: Mapping[str, str]) -> Reply:
        """The same for a request without a body."""
        return await self._ask("GET", url, None, headers)

    async def close(self) -> None:
        """Close every connection, those in use too."""
        self._sweeper.cancel()
        for connection in tuple(self._all):
            connection.give_up("we are ending")

    async def _ask(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]
    ) -> ClientReply:
        address = address_of(url)
        request = _request(method, address, body, headers)
        connection = self._again(address.server)
        if connection is None:
            connection = await self._open(address)
        reply = connection.ask(request)
        try:
            await reply.head()
        except BaseException:
            reply.close()
            raise
        return reply

    def _again(self, server: _Server) -> Connection | None:
        """The connection that was used last, which is the least likely to be closed."""
        idle = self._idle.get(server)
        now = self._loop.time()
        while idle:
            connection = idle.pop()
            if connection.usable and now - connection.heard < _life(connection):
                return connection
            connection.abort()
        return None

    async def _open(self, address: Address) -> Connection:
        connection = Connection(self._freed, self._lost)
        try:
            async with asyncio.timeout(self._connect):
                await self._loop.create_connection(
                    lambda: connection,
                    address.host,
                    address.port,
                    ssl=self._context() if address.encrypted else None,
                )
        except (OSError, TimeoutError) as error:  # ssl.SSLError is an OSError
            connection.abort()
            raise UpstreamError(f"cannot connect: {type(error).__name__}", sent=False) from error
        except BaseException:
            connection.abort()
            raise
        if not connection.usable:
            raise UpstreamError("cannot connect: closed at once", sent=False)
        self._all[connection] = address.server
        return connection

    def _context(self) -> ssl.SSLContext:
        if self._encryption is None:
            self._encryption = ssl.create_default_context()
            self._encryption.set_alpn_protocols(["http/1.1"])
        return self._encryption

    def _freed(self, connection: Connection) -> None:
        server = self._all.get(connection)
        if server is not None:
            self._idle[server].append(connection)

    def _lost(self, connection: Connection) -> None:
        server = self._all.pop(connection, None)
        if server is not None:
            with contextlib.suppress(ValueError):
                self._idle[server].remove(connection)

    def _sweep(self) -> None:
        """Close what has been idle or silent for too long."""
        now = self._loop.time()
        for connection in tuple(self._all):
            silent = now - connection.heard
            if connection.busy:
                if silent > self._silence and not connection.paused:
                    connection.give_up("nothing came for too long")
            elif silent > _life(connection):
                connection.abort()
        self._sweeper = self._loop.call_later(_SWEEP, self._sweep)


def _life(connection: Connection) -> float:
    if connection.kept is None:
        return IDLE
    return min(max(connection.kept - _MARGIN, 0.0), _LONGEST)


def _request(
    method: str, address: Address, body: bytes | None, headers: Mapping[str, str]
) -> bytes:
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    if lines.count("\r") != len(headers) or lines.count("\n") != len(headers) or "\0" in lines:
        raise ValueError("a header has more than one line")
    length = f"content-length: {len(body)}\r\n" if body is not None else ""
    head = f"{method} {address.head}{lines}{length}\r\n".encode("latin-1")
    return head if body is None else head + body
