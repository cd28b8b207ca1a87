"""The fields that Anthropic's requests have in common, whether a message is made or only counted.

Thinking is asked for with `thinking`, and how much of it is shown with its `display`:
``summarized`` or ``omitted`` (Anthropic's API reference, "Controlling thinking display"). Model
servers that know no `display` show all of it, so answers are scrubbed whatever was asked.
"""

from __future__ import annotations

from typing import Any, Final, Literal, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from stillwatch.access import Asked, Reasoning, Structure
from stillwatch.gateway.dialects.anthropic_turns import (
    Block,
    Turn,
    opaque_of,
    texts_of,
    without_prefill,
)
from stillwatch.gateway.dialects.bodies import UNREADABLE, Body
from stillwatch.gateway.dialects.dialect import Incoming, UnreadableError
from stillwatch.gateway.dialects.names import model_name
from stillwatch.gateway.dialects.sizes import MEDIA_TOKENS, tokens_of_bytes

__all__ = ["Free", "PromptFields", "Thinking", "brought_down", "given", "incoming_of"]

Free = Any | UnsetType


class Thinking(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    type: Literal["enabled", "adaptive", "between_tools", "disabled"]
    budget_tokens: int | None = None
    display: Literal["summarized", "omitted"] | None = None


class _Output(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    effort: str | None = None
    format: Free = UNSET


class PromptFields(msgspec.Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a prompt consists of, and what changes its length."""

    model: str
    messages: list[Turn]
    system: str | list[Block] | UnsetType | None = UNSET
    thinking: Thinking | None = None
    output_config: _Output | None = None
    output_format: Free = UNSET
    tools: Free = UNSET
    tool_choice: Free = UNSET
    mcp_servers: Free = UNSET
    speed: str | None = None
    cache_control: Free = UNSET


class _Tool(msgspec.Struct):
    name: str = ""


P = TypeVar("P", bound=PromptFields)

_TOOL_FIELDS: Final = ("tools", "tool_choice", "mcp_servers")
_DISPLAYS: Final[dict[str | None, Reasoning]] = {
    None: Reasoning.FULL,  # what a server shows by default depends on the model
    "summarized": Reasoning.SUMMARY,
    "omitted": Reasoning.NONE,
}


def incoming_of(body: Body[P], size: int) -> Incoming:
    """The request as far as its prompt tells; `size` is that of the body in bytes.

    Raises:
        UnreadableError: there is no message, or tools have no form.
    """
    request = body.request
    if not request.messages:
        raise UnreadableError("messages must hold at least one message", "messages")
    texts = texts_of(request.system, request.messages)
    turns = texts.turns
    prefilled = request.messages[-1].role == "assistant"
    structure, format_name = _structure(request)
    tools = _tool_names(request)
    effort = request.output_config.effort if request.output_config else None
    return Incoming(
        asked=Asked(
            model=model_name(request.model),
            prompt_tokens=tokens_of_bytes(size - texts.media_bytes) + texts.media * MEDIA_TOKENS,
            reasoning=_reasoning(request.thinking),
            prefill=prefilled,
            structure=structure,
            tools=bool(tools) or given(request.mcp_servers),
            unknown_fields=tuple(body.extras),
        ),
        body=body,
        messages=turns,
        system="\n".join(t.content for t in turns if t.role == "system") or None,
        prefill=turns[-1].content if prefilled else None,
        tools=tools,
        response_format=format_name,
        reasoning=effort or (request.thinking.type if request.thinking else None),
        stripped=body.stripped,
        opaque=opaque_of(request.messages),
    )


def brought_down(request: PromptFields, asked: Asked, granted: Asked) -> dict[str, Any]:
    """The shared fields that must change for the request to ask what was granted, and no more.

    Raises:
        UnreadableError: without its prefilled answers, no message would be left.
    """
    new: dict[str, Any] = {}
    if granted.reasoning != asked.reasoning:
        new["thinking"] = _shown(request.thinking, granted.reasoning)
    if granted.structure != asked.structure:
        output = request.output_config
        new["output_format"] = UNSET
        new["output_config"] = output and msgspec.structs.replace(output, format=UNSET)
    if asked.tools and not granted.tools:
        new |= dict.fromkeys(_TOOL_FIELDS, UNSET)
    if asked.prefill and not granted.prefill:
        new["messages"] = without_prefill(request.messages)
    return new


def given(value: Any) -> bool:
    """Whether a field is there and says something."""
    return value is not UNSET and bool(value)


def _reasoning(thinking: Thinking | None) -> Reasoning:
    if thinking is None or thinking.type == "disabled":
        return Reasoning.NONE
    return _DISPLAYS[thinking.display]


def _structure(request: PromptFields) -> tuple[Structure, str | None]:
    """The form that the request dictates, and its name. Anthropic knows JSON schemas only; what
    another type would be, we cannot say."""
    output = request.output_config
    strongest, named = Structure.TEXT, None
    for wanted in (output.format if output else UNSET, request.output_format):
        if not given(wanted):
            continue
        name = wanted.get("type") if isinstance(wanted, dict) else None
        named = name if isinstance(name, str) else "unknown"
        schema = named == "json_schema"
        strongest = max(strongest, Structure.SCHEMA if schema else Structure.GRAMMAR)
    return strongest, named


def _tool_names(request: PromptFields) -> tuple[str, ...] | None:
    if not given(request.tools):
        return None
    try:
        return tuple(tool.name for tool in msgspec.convert(request.tools, list[_Tool]))
    except UNREADABLE as error:
        raise UnreadableError(f"tools: {error}", "tools") from error


def _shown(thinking: Thinking | None, granted: Reasoning) -> Thinking | None:
    """The model thinks as it would; less of it is shown. `between_tools` takes no `display`."""
    if thinking is None or thinking.type == "between_tools":
        return None
    display: Literal["summarized", "omitted"] = "omitted" if not granted else "summarized"
    return msgspec.structs.replace(thinking, display=display)
