"""The door to the model servers: a narrow protocol, and aiohttp behind it.

aiohttp delivers what has arrived, so that the first event of a stream leaves before the last one
comes; httpx was measured at a tenth of its throughput.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Protocol

import aiohttp

__all__ = ["Reply", "Upstream", "UpstreamError", "open_upstream"]

#: Seconds without a byte after which an upstream counts as gone; models may think for long.
SILENCE = 600.0
CONNECT = 10.0


class UpstreamError(Exception):
    """The upstream could not be reached or broke off. `sent` says whether it may have our request,
    `message` is for logs and has nothing of the request in it."""

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.message, self.sent = message, sent


class Reply(Protocol):
    """One response of an upstream, whose body is read once, whole or as it comes."""

    status: int
    headers: Mapping[str, str]

    async def read(self, most: int) -> bytes:
        """The whole body.

        Raises:
            UpstreamError: it broke off, or is longer than `most` bytes.
        """

    def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives; reading slowly slows the upstream.

        Raises:
            UpstreamError: it broke off.
        """

    def close(self) -> None:
        """Let go. An answer that was not read to its end breaks the connection, which is how a
        model server learns that nobody listens any more."""


class Upstream(Protocol):
    """Sends requests to model servers over pooled connections."""

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """The response, as soon as its head is there.

        Raises:
            UpstreamError: there is none.
        """

    async def get(self, url: str, headers: Mapping[str, str]) -> Reply:
        """The same for a request without a body."""

    async def close(self) -> None:
        """Close every connection."""


def open_upstream(*, connections: int = 0) -> Upstream:
    """An upstream; call it within a running event loop. `connections` a host, 0 for no bound."""
    return _Aiohttp(connections)


class _Aiohttp:
    def __init__(self, connections: int) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, limit_per_host=connections, ttl_dns_cache=60),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT, sock_read=SILENCE),
            auto_decompress=True,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
        )

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        return await self._ask("POST", url, body, headers)

    async def get(self, url: str, headers: Mapping[str, str]) -> Reply:
        return await self._ask("GET", url, None, headers)

    async def close(self) -> None:
        await self._session.close()

    async def _ask(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Reply:
        try:
            return _AiohttpReply(
                await self._session.request(
                    method, url, data=body, headers=headers, allow_redirects=False
                )
            )
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise UpstreamError(f"cannot connect: {type(error).__name__}", sent=False) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise UpstreamError(f"no answer: {type(error).__name__}", sent=True) from error


class _AiohttpReply:
    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers
        self._response = response

    async def read(self, most: int) -> bytes:
        length = self._response.content_length
        if length is not None and length > most:
            raise UpstreamError("the answer is too long", sent=True)
        if length is not None:
            return await self._whole()
        parts, size = [], 0
        async for chunk in self.chunks():
            size += len(chunk)
            if size > most:
                raise UpstreamError("the answer is too long", sent=True)
            parts.append(chunk)
        return b"".join(parts)

    async def _whole(self) -> bytes:
        try:
            return await self._response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise UpstreamError(f"broke off: {type(error).__name__}", sent=True) from error

    async def chunks(self) -> AsyncIterator[bytes]:
        content = self._response.content
        try:
            while chunk := await content.readany():
                yield chunk
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise UpstreamError(f"broke off: {type(error).__name__}", sent=True) from error

    def close(self) -> None:
        self._response.close() if not self._response.content.at_eof() else self._response.release()
