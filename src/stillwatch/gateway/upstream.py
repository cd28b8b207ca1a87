"""The door to the model servers: a narrow protocol, and what goes wrong behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Protocol

__all__ = ["Reply", "Upstream", "UpstreamError"]


class UpstreamError(Exception):
    """The upstream could not be reached or broke off. `sent` says whether it may have our request,
    `message` is for logs and has nothing of the request in it."""

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.message, self.sent = message, sent


class Reply(Protocol):
    """One response of an upstream, whose body is read once, whole or as it comes. Names of headers
    are in lower case."""

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
    """Sends requests to model servers."""

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """The response, as soon as its head is there.

        Raises:
            UpstreamError: there is none.
        """

    async def get(self, url: str, headers: Mapping[str, str]) -> Reply:
        """The same for a request without a body."""

    async def close(self) -> None:
        """Close every connection."""
