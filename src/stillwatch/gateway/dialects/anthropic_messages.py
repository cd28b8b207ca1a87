"""Anthropic Messages: the request.

Thinking is asked for with `thinking`, and how much of it is shown with its `display`:
``summarized`` or ``omitted`` (Anthropic's API reference, "Controlling thinking display"). Model
servers that know no `display` show all of it, so answers are scrubbed whatever was asked.
"""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from stillwatch.access import Asked, Reasoning, Refusal, Structure, Surface
from stillwatch.gateway.dialects.anthropic_answers import scrub_message
from stillwatch.gateway.dialects.anthropic_errors import failure_event, refusal_body
from stillwatch.gateway.dialects.anthropic_events import MessageScrubber
from stillwatch.gateway.dialects.anthropic_turns import (
    Block,
    Turn,
    opaque_of,
    texts_of,
    without_prefill,
)
from stillwatch.gateway.dialects.bodies import (
    UNREADABLE,
    Body,
    Form,
    encoded,
    limited,
    reading_error,
)
from stillwatch.gateway.dialects.dialect import Answer, Incoming, Scrubber, UnreadableError
from stillwatch.gateway.dialects.names import model_name
from stillwatch.gateway.dialects.opaque import Bind
from stillwatch.gateway.dialects.sizes import MEDIA_TOKENS, tokens_of_bytes

__all__ = ["AnthropicMessages"]

Free = Any | UnsetType


class _Thinking(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    type: Literal["enabled", "adaptive", "between_tools", "disabled"]
    budget_tokens: int | None = None
    display: Literal["summarized", "omitted"] | None = None


class _Output(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    effort: str | None = None
    format: Free = UNSET


class _Metadata(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    user_id: str | None = None


class _Request(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    model: str
    max_tokens: int
    messages: list[Turn]
    system: str | list[Block] | UnsetType | None = UNSET
    stream: bool | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop_sequences: list[str] | None = None
    thinking: _Thinking | None = None
    output_config: _Output | None = None
    output_format: Free = UNSET
    tools: Free = UNSET
    tool_choice: Free = UNSET
    mcp_servers: Free = UNSET
    container: Free = UNSET
    metadata: _Metadata | None = None
    service_tier: str | None = None
    speed: str | None = None
    cache_control: Free = UNSET


class _Tool(msgspec.Struct):
    name: str = ""


_FORM: Final = Form(_Request)
_TOOL_FIELDS: Final = ("tools", "tool_choice", "mcp_servers", "container")
_DISPLAYS: Final[dict[str | None, Reasoning]] = {
    None: Reasoning.FULL,  # what a server shows by default depends on the model
    "summarized": Reasoning.SUMMARY,
    "omitted": Reasoning.NONE,
}
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
        self, body: bytes, incoming: Incoming, surface: Surface, bind: Bind | None = None
    ) -> Answer:
        return scrub_message(body, surface, bind)

    def stream(self, incoming: Incoming, surface: Surface, bind: Bind | None = None) -> Scrubber:
        return MessageScrubber(surface, bind)

    def refusal(self, refusal: Refusal) -> bytes:
        return refusal_body(refusal)

    def failure(self, refusal: Refusal) -> bytes:
        return failure_event(refusal)


def _incoming(body: Body[_Request], size: int) -> Incoming:
    request = body.request
    if not request.messages:
        raise UnreadableError("messages must hold at least one message", "messages")
    texts = texts_of(request.system, request.messages)
    turns = texts.turns
    prefilled = request.messages[-1].role == "assistant"
    structure, format_name = _structure(request)
    tools = _tool_names(request)
    asked = Asked(
        model=model_name(request.model),
        stream=bool(request.stream),
        prompt_tokens=tokens_of_bytes(size - texts.media_bytes) + texts.media * MEDIA_TOKENS,
        reasoning=_reasoning(request.thinking),
        prefill=prefilled,
        max_tokens=limited("max_tokens", request.max_tokens, 1, 1),
        structure=structure,
        tools=bool(tools) or _given(request.mcp_servers) or _given(request.container),
        temperature=request.temperature,
        unknown_fields=tuple(body.extras),
    )
    output = request.output_config
    effort = output.effort if output else None
    return Incoming(
        asked=asked,
        body=body,
        messages=turns,
        system="\n".join(t.content for t in turns if t.role == "system") or None,
        prefill=turns[-1].content if prefilled else None,
        tools=tools,
        top_p=request.top_p,
        response_format=format_name,
        reasoning=effort or (request.thinking.type if request.thinking else None),
        end_user=request.metadata.user_id if request.metadata else None,
        stripped=body.stripped,
        opaque=opaque_of(request.messages),
    )


def _given(value: Any) -> bool:
    return value is not UNSET and bool(value)


def _reasoning(thinking: _Thinking | None) -> Reasoning:
    if thinking is None or thinking.type == "disabled":
        return Reasoning.NONE
    return _DISPLAYS[thinking.display]


def _structure(request: _Request) -> tuple[Structure, str | None]:
    """The form that the request dictates, and its name. Anthropic knows JSON schemas only; what
    another type would be, we cannot say."""
    output = request.output_config
    strongest, named = Structure.TEXT, None
    for wanted in (output.format if output else UNSET, request.output_format):
        if not _given(wanted):
            continue
        name = wanted.get("type") if isinstance(wanted, dict) else None
        named = name if isinstance(name, str) else "unknown"
        schema = named == "json_schema"
        strongest = max(strongest, Structure.SCHEMA if schema else Structure.GRAMMAR)
    return strongest, named


def _tool_names(request: _Request) -> tuple[str, ...] | None:
    if not _given(request.tools):
        return None
    try:
        return tuple(tool.name for tool in msgspec.convert(request.tools, list[_Tool]))
    except UNREADABLE as error:
        raise UnreadableError(f"tools: {error}", "tools") from error


def _brought_down(request: _Request, asked: Asked, granted: Asked) -> _Request:
    """The request with what was granted written over what was asked."""
    new: dict[str, Any] = {}
    if granted.max_tokens is not None and granted.max_tokens != asked.max_tokens:
        new |= {
            "max_tokens": granted.max_tokens,
            "thinking": _within(request.thinking, granted.max_tokens),
        }
    if granted.temperature != asked.temperature:
        new["temperature"] = granted.temperature
    if granted.reasoning != asked.reasoning:
        new["thinking"] = _shown(new.get("thinking", request.thinking), granted.reasoning)
    if granted.structure != asked.structure:
        output = request.output_config
        new["output_format"] = UNSET
        new["output_config"] = output and msgspec.structs.replace(output, format=UNSET)
    if asked.tools and not granted.tools:
        new |= dict.fromkeys(_TOOL_FIELDS, UNSET)
    if asked.prefill and not granted.prefill:
        new["messages"] = without_prefill(request.messages)
    return msgspec.structs.replace(request, **new)


def _within(thinking: _Thinking | None, cap: int) -> _Thinking | None:
    """The budget must stay below the cap; where none can, there is no thinking."""
    if thinking is None or thinking.budget_tokens is None or thinking.budget_tokens < cap:
        return thinking
    if cap <= _LEAST_BUDGET:
        return None
    return msgspec.structs.replace(thinking, budget_tokens=cap - 1)


def _shown(thinking: _Thinking | None, granted: Reasoning) -> _Thinking | None:
    """The model thinks as it would; less of it is shown. `between_tools` takes no `display`."""
    if thinking is None or thinking.type == "between_tools":
        return None
    display: Literal["summarized", "omitted"] = "omitted" if not granted else "summarized"
    return msgspec.structs.replace(thinking, display=display)
