"""An upstream that says what a test dictates, byte by byte."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable

__all__ = ["Scripted", "whole"]

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def whole(body: bytes, *headers: str) -> bytes:
    """A response with a length."""
    lines = "".join(f"{each}\r\n" for each in headers)
    return f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n{lines}\r\n".encode() + body


class Scripted:
    """Answers each request on a connection with the next of `answers`, the last one for ever;
    counts connections and keeps the heads that came."""

    def __init__(self, *answers: bytes | Answer, encryption: ssl.SSLContext | None = None) -> None:
        self._answers, self._encryption = answers, encryption
        self.connections = 0
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []
        self.closed = asyncio.Event()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Scripted:
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", 0, ssl=self._encryption, limit=2**20
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    @property
    def url(self) -> str:
        assert self._server is not None
        scheme = "http" if self._encryption is None else "https"
        return f"{scheme}://localhost:{self._server.sockets[0].getsockname()[1]}/v1/chat"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = [line for line in head.split(b"\r\n") if line.startswith(b"content-le")]
                body = await reader.readexactly(int(length[0].split()[1]) if length else 0)
                self.heads.append(head)
                self.bodies.append(body)
                answer = self._answers[min(len(self.heads), len(self._answers)) - 1]
                if isinstance(answer, bytes):
                    writer.write(answer)
                    await writer.drain()
                else:
                    await answer(reader, writer)
                    if writer.is_closing():
                        return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            self.closed.set()
            writer.close()
