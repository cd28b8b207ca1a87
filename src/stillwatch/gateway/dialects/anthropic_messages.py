"""Anthropic Messages: the request."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import UNSET

from stillwatch.access import Asked, Refusal, Surface
from stillwatch.gateway.dialects.anthropic_answers import scrub_message
from stillwatch.gateway.dialects.anthropic_errors import failure_event, refusal_body
from stillwatch.gateway.dialects.anthropic_events import MessageScrubber
from stillwatch.gateway.dialects.anthropic_fields import (
    Free,
    PromptFields,
    Thinking,
    brought_down,
    given,
    incoming_of,
)
from stillwatch.gateway.dialects.bodies import Body, Form, encoded, limited, reading_error
from stillwatch.gateway.dialects.dialect import Answer, Choices, Incoming, Scrubber
from stillwatch.gateway.dialects.opaque import Bind

__all__ = ["AnthropicMessages"]


class _Metadata(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    user_id: str | None = None


class _Request(PromptFields, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    max_tokens: int
    stream: bool | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop_sequences: list[str] | None = None
    container: Free = UNSET
    metadata: _Metadata | None = None
    service_tier: str | None = None


_FORM: Final = Form(_Request)
_LEAST_BUDGET: Final = 1024  # tokens, by the API


class AnthropicMessages:
    """``POST /v1/messages``."""

    name = "anthropic"
    upstream_path = "/v1/messages"

    def read(self, body: bytes) -> Incoming:
        try:
            return _incoming(_FORM.read(body), len(body))
        except RecursionError as error:
            raise reading_error(error) from error

    def write(self, incoming: Incoming, granted: Asked) -> bytes:
        request, extras = incoming.body.request, incoming.body.extras
        if granted is not incoming.asked:
            request = _brought_down(request, incoming.asked, granted)
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
        return scrub_message(body, surface, bind, choices)

    def stream(
        self,
        incoming: Incoming,
        surface: Surface,
        bind: Bind | None = None,
        choices: Choices | None = None,
    ) -> Scrubber:
        return MessageScrubber(surface, bind, choices)

    def refusal(self, refusal: Refusal) -> bytes:
        return refusal_body(refusal)

    def failure(self, refusal: Refusal) -> bytes:
        return failure_event(refusal)


def _incoming(body: Body[_Request], size: int) -> Incoming:
    request = body.request
    incoming = incoming_of(body, size)
    asked = msgspec.structs.replace(
        incoming.asked,
        stream=bool(request.stream),
        max_tokens=limited("max_tokens", request.max_tokens, 1, 1),
        temperature=request.temperature,
        tools=incoming.asked.tools or given(request.container),
    )
    return msgspec.structs.replace(
        incoming,
        asked=asked,
        top_p=request.top_p,
        end_user=request.metadata.user_id if request.metadata else None,
    )


def _brought_down(request: _Request, asked: Asked, granted: Asked) -> _Request:
    """The request with what was granted written over what was asked."""
    new: dict[str, Any] = brought_down(request, asked, granted)
    if granted.max_tokens is not None and granted.max_tokens != asked.max_tokens:
        thinking = new.get("thinking", request.thinking)
        new |= {
            "max_tokens": granted.max_tokens,
            "thinking": _within(thinking, granted.max_tokens),
        }
    if granted.temperature != asked.temperature:
        new["temperature"] = granted.temperature
    if asked.tools and not granted.tools:
        new["container"] = UNSET
    return msgspec.structs.replace(request, **new)


def _within(thinking: Thinking | None, cap: int) -> Thinking | None:
    """The budget must stay below the cap; where none can, there is no thinking."""
    if thinking is None or thinking.budget_tokens is None or thinking.budget_tokens < cap:
        return thinking
    if cap <= _LEAST_BUDGET:
        return None
    return msgspec.structs.replace(thinking, budget_tokens=cap - 1)
