"""Where a GenAI span keeps its text: three generations of the conventions.

Current: ``gen_ai.input.messages``, ``gen_ai.output.messages``, ``gen_ai.system_instructions``, as
attributes or on the event ``gen_ai.client.inference.operation.details``. Before 1.37: an event a
message (``gen_ai.user.message``…, ``gen_ai.choice``), or ``gen_ai.content.prompt``. OpenLLMetry:
indexed attributes (``gen_ai.prompt.0.content``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stillwatch.sources.conversation import answer, structured
from stillwatch.sources.nested import first
from stillwatch.sources.otlp import Span

__all__ = ["content_of"]

_DETAILS = "gen_ai.client.inference.operation.details"
_ROLE_EVENTS = {f"gen_ai.{role}.message": role for role in ("system", "user", "assistant", "tool")}
#: keys of a turn, and of a part of its content, by which their JSON is told from text
_TURN = ("role", "parts", "content", "tool_calls")
_PART = ("type",)
_BODY = ("gen_ai.event.content", "event_body", "body", "content")


def content_of(span: Span) -> dict[str, Any]:
    """`messages` or `prompt`, `completion`, `system` and `tools`, as far as the span has them."""
    attributes = dict(span.attributes)
    for name, given in span.events:
        if name == _DETAILS:
            attributes = {**given, **attributes}
    found: dict[str, Any] = {
        "system": structured(attributes.get("gen_ai.system_instructions"), *_PART),
        "tools": first(attributes, "gen_ai.tool.definitions", "llm.request.functions")
        or _indexed(attributes, "llm.request.functions")
        or _indexed(attributes, "gen_ai.request.functions")
        or None,
    }
    messages = (
        first(attributes, "gen_ai.input.messages")
        or _indexed(attributes, "gen_ai.prompt")
        or _from_events(span.events)
        or first(attributes, "gen_ai.prompt")
    )
    messages = structured(messages, *_TURN)
    found["prompt" if isinstance(messages, str) else "messages"] = messages
    text, reason = _completion(attributes, span.events)
    found["completion"] = text
    if reason is not None and "gen_ai.response.finish_reasons" not in attributes:
        found["finish_reason"] = reason
    return found


def _completion(
    attributes: Mapping[str, Any], events: tuple[tuple[str, Mapping[str, Any]], ...]
) -> tuple[str | None, str | None]:
    """The text of the first choice, and why it ended."""
    choices = structured(
        first(attributes, "gen_ai.output.messages")
        or _indexed(attributes, "gen_ai.completion")
        or first(attributes, "gen_ai.completion"),
        *_TURN,
    )
    if choices is None:
        for name, given in events:
            if name in ("gen_ai.choice", "gen_ai.content.completion"):
                body = structured(first(given, *_BODY, "gen_ai.completion"), "message", *_TURN)
                choices = body if body is not None else _plain(given)
                break
    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
        choices = choices[0]
    if isinstance(choices, dict):
        message = structured(choices.get("message"), *_TURN)
        parts = choices.get("parts")
        choices = dict(choices, message=message)
        if parts is not None and message is None:
            choices["content"] = parts
    return answer(choices)


def _from_events(
    events: tuple[tuple[str, Mapping[str, Any]], ...],
) -> list[Any] | str | None:
    """The conversation in the events of a span, in their order."""
    turns: list[Any] = []
    for name, given in events:
        if name == "gen_ai.content.prompt":
            prompt = structured(first(given, "gen_ai.prompt", *_BODY), *_TURN)
            if isinstance(prompt, str) and not turns:
                return prompt
            turns += prompt if isinstance(prompt, list) else [prompt]
        elif name in _ROLE_EVENTS:
            body = structured(first(given, *_BODY), *_TURN)
            turn = dict(body) if isinstance(body, dict) else dict(_plain(given), content=body)
            turn.setdefault("role", _ROLE_EVENTS[name])
            turns.append(turn)
    return turns or None


def _plain(given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a message that an event holds as attributes."""
    names = ("role", "content", "message", "tool_calls", "finish_reason")
    return {name: structured(given[name], *_TURN, *_PART) for name in names if name in given}


def _indexed(attributes: Mapping[str, Any], prefix: str) -> list[dict[str, Any]]:
    """Objects from attributes like ``PREFIX.0.role``; nested ones (``.tool_calls.0.name``) too."""
    found: dict[int, dict[str, Any]] = {}
    for name, value in attributes.items():
        if name.startswith(prefix + "."):
            number, _, key = name[len(prefix) + 1 :].partition(".")
            if number.isdecimal() and len(number) < 9 and key:
                found.setdefault(int(number), {})[key] = value
    for entry in found.values():
        calls = _indexed(entry, "tool_calls") if "tool_calls.0.name" in entry else None
        for key in [key for key in entry if "." in key]:
            del entry[key]
        if calls:
            entry["tool_calls"] = calls
    return [found[number] for number in sorted(found)]
