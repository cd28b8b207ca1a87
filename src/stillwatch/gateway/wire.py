"""The ASGI side: reading a body within bounds, sending a response, noticing that a client left."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from stillwatch.access import Refusal
from stillwatch.gateway.refusals import bad_request, too_large

__all__ = [
    "JSON",
    "BodyTooLarge",
    "ClientGone",
    "Receive",
    "RefusedError",
    "Scope",
    "Send",
    "answer_lifespan",
    "part",
    "read_body",
    "respond",
    "stream_head",
    "until_gone",
    "whole_body",
]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

JSON = b"application/json"
#: Seconds that a client may take to send a body that it has announced.
PATIENCE = 30.0


class ClientGone(Exception):  # noqa: N818 - not an error: clients may leave
    """The client closed the connection."""


class BodyTooLarge(Exception):  # noqa: N818 - whoever reads it says what that means
    """A body has more bytes than may come."""


class RefusedError(Exception):
    """The request ends here, with this refusal."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


async def read_body(receive: Receive, most: int) -> bytes:
    """The whole body.

    Raises:
        ClientGone: before it was whole.
        RefusedError: it is longer than `most` bytes, or did not come in time.
    """
    try:
        return await whole_body(receive, most, PATIENCE)
    except BodyTooLarge:
        raise RefusedError(too_large(most)) from None
    except TimeoutError:
        raise RefusedError(
            bad_request("the body did not arrive in time", "body_timeout", 408)
        ) from None


async def whole_body(receive: Receive, most: int, seconds: float) -> bytes:
    """The whole body, for applications that refuse in words of their own.

    Raises:
        ClientGone: the client left before it was whole.
        BodyTooLarge: it is longer than `most` bytes.
        TimeoutError: it did not come within so many seconds.
    """
    parts: list[bytes] = []
    size = 0
    async with asyncio.timeout(seconds):
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > most:
                raise BodyTooLarge
            if not message.get("more_body"):
                return b"".join(parts)


async def answer_lifespan(receive: Receive, send: Send) -> None:
    """Say yes to start and end, for which there is nothing to do."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        else:
            await send({"type": "lifespan.shutdown.complete"})
            return


async def until_gone(receive: Receive) -> None:
    """Return when the client has closed the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def respond(
    send: Send, status: int, body: bytes, headers: Iterable[tuple[bytes, bytes]]
) -> None:
    """Send a whole JSON response."""
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", JSON),
                (b"content-length", b"%d" % len(body)),
                *headers,
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})


def stream_head(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, Any]:
    """The start of a streamed response; proxies in between must not hold it back."""
    return {
        "type": "http.response.start",
        "status": 200,
        "headers": [
            (b"content-type", b"text/event-stream; charset=utf-8"),
            (b"cache-control", b"no-cache"),
            (b"x-accel-buffering", b"no"),
            *headers,
        ],
    }


def part(body: bytes, *, more: bool = True) -> dict[str, Any]:
    """A part of a streamed response."""
    return {"type": "http.response.body", "body": body, "more_body": more}
