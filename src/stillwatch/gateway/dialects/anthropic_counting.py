"""Anthropic's token counting: how many tokens a request for a message would have.

It is judged as the message would be: who may not name a model, offer tools or prefill learns
nothing by having it counted. No model reads the prompt, so no tokens are charged, only a request.
"""

from __future__ import annotations

from typing import Final

import msgspec

from stillwatch.access import Asked, Refusal, Surface
from stillwatch.gateway.dialects.anthropic_errors import failure_event, refusal_body
from stillwatch.gateway.dialects.anthropic_fields import PromptFields, brought_down, incoming_of
from stillwatch.gateway.dialects.bodies import UNREADABLE, Form, encoded, reading_error
from stillwatch.gateway.dialects.dialect import (
    Answer,
    Choices,
    Incoming,
    Scrubber,
    Told,
    UnreadableError,
)
from stillwatch.gateway.dialects.opaque import Bind

__all__ = ["AnthropicCounting"]


class _Count(msgspec.Struct):
    input_tokens: int


_FORM: Final = Form(PromptFields)
_READ: Final = msgspec.json.Decoder(_Count).decode


class AnthropicCounting:
    """``POST /v1/messages/count_tokens``."""

    name = "anthropic_counting"
    upstream_path = "/v1/messages/count_tokens"

    def read(self, body: bytes) -> Incoming:
        try:
            incoming = incoming_of(_FORM.read(body), len(body))
        except RecursionError as error:
            raise reading_error(error) from error
        asked = msgspec.structs.replace(incoming.asked, n=0, counted_only=True)
        return msgspec.structs.replace(incoming, asked=asked)

    def write(self, incoming: Incoming, granted: Asked) -> bytes:
        request, extras = incoming.body.request, incoming.body.extras
        if granted is not incoming.asked:
            new = brought_down(request, incoming.asked, granted)
            request = msgspec.structs.replace(request, **new)
            extras = extras if granted.unknown_fields else {}
        return encoded(request, extras)

    def scrub(
        self,
        body: bytes,
        incoming: Incoming,
        surface: Surface,
        bind: Bind | None = None,
        choices: Choices | None = None,
    ) -> Answer:
        try:
            count = _READ(body)
        except UNREADABLE as error:
            raise reading_error(error) from error
        # The count is what was asked for; the row says how many tokens were used, and none were.
        return Answer(msgspec.json.encode(count), Told())

    def stream(
        self,
        incoming: Incoming,
        surface: Surface,
        bind: Bind | None = None,
        choices: Choices | None = None,
    ) -> Scrubber:
        raise UnreadableError("tokens are counted at once, not in a stream", "stream")

    def refusal(self, refusal: Refusal) -> bytes:
        return refusal_body(refusal)

    def failure(self, refusal: Refusal) -> bytes:
        return failure_event(refusal)
