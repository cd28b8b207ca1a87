"""What the gateway needs to speak an API: the protocol of a dialect.

A dialect knows one wire format and no HTTP: bytes of a body in, bytes of a body out. It reads a
request into :class:`Incoming`, writes what was granted for the upstream, rebuilds responses from
the fields that a surface allows, and words refusals as its clients expect them. Everything that
leaves is encoded anew from checked fields, so that a key that stands twice means one thing and a
field that nobody named never passes.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Protocol

import msgspec

from stillwatch.access import Asked, Refusal, Surface
from stillwatch.exchange import Message
from stillwatch.gateway.dialects.opaque import Bind, Opaque

__all__ = ["Answer", "Choices", "Dialect", "Incoming", "Scrubber", "Told", "UnreadableError"]


class UnreadableError(Exception):
    """A body that is not what its route takes. `parameter` names the field, where there is one."""

    def __init__(self, message: str, parameter: str | None = None) -> None:
        super().__init__(message)
        self.message, self.parameter = message, parameter


class Told(msgspec.Struct, kw_only=True):
    """What a response said, for the exchange's row and for the bill. Tokens as the upstream counts
    them, ``None`` while it has not said; `streamed` is our own estimate of what has passed. `texts`
    are the pieces of the answer's text, which a stream may send one token at a time; `unknown` is
    how many events, items and parts were left out, being of a type that we do not know."""

    texts: list[str] = msgspec.field(default_factory=list)
    finish_reason: str | None = None
    model: str | None = None
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning_tokens: int | None = None
    streamed: int = 0
    unknown: int = 0

    @property
    def completion(self) -> str:
        """The answer's text as far as it has passed."""
        return "".join(self.texts)


class Answer(msgspec.Struct, frozen=True):
    """A whole response: the bytes that may leave, and what it said."""

    body: bytes
    told: Told


class Incoming(msgspec.Struct, frozen=True, kw_only=True):
    """A request that was read. `body` is the dialect's own; `opaque` are the places in it that hold
    opaque reasoning; the rest is what the row needs."""

    asked: Asked
    body: Any
    messages: tuple[Message, ...] | None = None
    prompt: str | None = None
    system: str | None = None
    prefill: str | None = None
    tools: tuple[str, ...] | None = None
    top_p: float | None = None
    response_format: str | None = None
    reasoning: str | None = None
    end_user: str | None = None
    stripped: tuple[str, ...] = ()
    opaque: tuple[Opaque, ...] = ()


class Choices(Protocol):
    """Writes a mark into the prose of one answer. An answer has several texts, each at a place."""

    def whole(self, text: str) -> str:
        """A whole text as it is to leave."""

    def piece(self, place: Hashable, text: str) -> str:
        """What may leave, given one more piece of the text at `place`."""

    def rest(self, place: Hashable) -> str:
        """What was held of the text at `place`, which has ended; empty where nothing was."""

    def rests(self) -> dict[Hashable, str]:
        """What was held of every text, as far as it was."""


class Scrubber(Protocol):
    """Rewrites one stream, event by event."""

    told: Told

    def event(self, name: str | None, data: bytes) -> bytes:
        """The bytes to send for one event, whole and framed; empty to send nothing.

        Raises:
            UnreadableError: the event is not of this dialect; the stream must end.
        """

    @property
    def ended(self) -> bool:
        """Whether the event that ends a stream has passed."""


class Dialect(Protocol):
    """One wire format. Instances hold no state of a request, and serve all of them."""

    name: str
    upstream_path: str

    def read(self, body: bytes) -> Incoming:
        """Check and read a request.

        Raises:
            UnreadableError: no JSON, a missing or mistyped field; unknown fields are no error here.
        """

    def write(self, incoming: Incoming, granted: Asked) -> bytes:
        """The body for the upstream: what was asked, brought down to what was granted."""

    def scrub(
        self,
        body: bytes,
        incoming: Incoming,
        surface: Surface,
        bind: Bind | None = None,
        choices: Choices | None = None,
    ) -> Answer:
        """A whole response of the upstream, rebuilt from what the surface allows; opaque reasoning
        is given to `bind`, and prose to `choices`, where there are any.

        Raises:
            UnreadableError: it is no response of this dialect.
        """

    def stream(
        self,
        incoming: Incoming,
        surface: Surface,
        bind: Bind | None = None,
        choices: Choices | None = None,
    ) -> Scrubber:
        """A scrubber for the stream that answers `incoming`; the others as in :meth:`scrub`."""

    def refusal(self, refusal: Refusal) -> bytes:
        """The body of an error response."""

    def failure(self, refusal: Refusal) -> bytes:
        """The event that tells a client, in mid-stream, that something went wrong; framed."""
