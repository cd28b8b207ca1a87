"""A model server in our own process: the upstream of the middleware form, without a connection."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from stillwatch.gateway.upstream import Reply, UpstreamError
from stillwatch.gateway.wire import Receive, Scope, Send

__all__ = ["Application", "InProcess"]

Application = Callable[[Scope, Receive, Send], Awaitable[None]]

#: Parts of an answer that wait for us; then the model server waits, as it would on a connection.
_AHEAD = 16
_log = logging.getLogger(__name__)


class InProcess:
    """Asks an ASGI application as if it stood behind a connection."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._running: set[asyncio.Task[None]] = set()

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """The response, as soon as its head is there.

        Raises:
            UpstreamError: the application ended without one.
        """
        return await self._ask("POST", url, body, headers)

    async def get(self, url: str, headers: Mapping[str, str]) -> Reply:
        """The same for a request without a body."""
        return await self._ask("GET", url, b"", headers)

    async def close(self) -> None:
        """Nothing is held between requests."""

    async def _ask(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        call = _Call(body)
        scope = _scope(method, urlsplit(url).path, body, headers)
        task = asyncio.ensure_future(self._run(call, scope))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        try:
            await call.begun.wait()
        except asyncio.CancelledError:
            call.close()
            raise
        if call.status == 0:
            raise UpstreamError("the application gave no answer", sent=True)
        return call

    async def _run(self, call: _Call, scope: Scope) -> None:
        try:
            await self._application(scope, call.receive, call.send)
        except Exception:
            _log.exception("the application failed")
        finally:
            call.end()


class _Call:
    """One request to the application, and its reply."""

    def __init__(self, body: bytes) -> None:
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self.begun = asyncio.Event()
        self._body: bytes | None = body
        self._parts: asyncio.Queue[bytes | None] = asyncio.Queue(_AHEAD)
        self._whole = False
        self._left = asyncio.Event()

    async def receive(self) -> MutableMapping[str, Any]:
        """What the application reads: the body, and then that the client has left, if it does."""
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        """What the application answers."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {
                name.decode("latin-1").lower(): value.decode("latin-1")
                for name, value in message.get("headers", ())
            }
            self.begun.set()
            return
        if self._left.is_set():
            return
        if part := message.get("body"):
            await self._parts.put(part)
        if not message.get("more_body"):
            self._whole = True

    def end(self) -> None:
        """The application has returned."""
        self.begun.set()
        if self._left.is_set():
            return
        try:
            self._parts.put_nowait(None)
        except asyncio.QueueFull:
            asyncio.ensure_future(self._parts.put(None))  # noqa: RUF006 - the reader takes it

    async def read(self, most: int) -> bytes:
        """The whole body; see :class:`~stillwatch.gateway.upstream.Reply`."""
        parts, size = [], 0
        async for part in self.chunks():
            parts.append(part)
            size += len(part)
            if size > most:
                raise UpstreamError("the answer is too long", sent=True)
        return b"".join(parts)

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes."""
        while (part := await self._parts.get()) is not None:
            yield part
        if not self._whole:
            raise UpstreamError("the application broke off", sent=True)

    def close(self) -> None:
        """The application hears that nobody listens, and is not held up by what nobody reads."""
        self._left.set()
        while not self._parts.empty():
            self._parts.get_nowait()


def _scope(method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Scope:
    named = [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in headers.items()]
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [
            (b"host", b"in-process"),
            *named,
            (b"content-length", b"%d" % len(body)),
        ],
        "client": ("127.0.0.1", 0),
        "server": ("127.0.0.1", 0),
        "state": {},
    }
