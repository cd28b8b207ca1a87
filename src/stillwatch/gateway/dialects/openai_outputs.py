"""OpenAI Responses: what an answer may consist of.

The structs are the allow-list: decoding drops the fields that they do not name, and items and parts
of types that we do not know are left out.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from stillwatch.gateway.dialects.bodies import UNREADABLE, reading_error
from stillwatch.gateway.dialects.openai_logprobs import Position

__all__ = [
    "Annotation",
    "FunctionCall",
    "Item",
    "Message",
    "OutputRefusal",
    "OutputText",
    "Part",
    "ReasoningText",
    "Repeated",
    "Response",
    "SummaryText",
    "read_item",
    "read_part",
]

Text = str | None | UnsetType


class Annotation(msgspec.Struct):
    type: str = ""
    url: str = ""
    title: str = ""
    start_index: int = 0
    end_index: int = 0


class OutputText(msgspec.Struct, tag="output_text"):
    text: str = ""
    annotations: list[Annotation] = msgspec.field(default_factory=list)
    logprobs: list[Position] | UnsetType | None = UNSET


class OutputRefusal(msgspec.Struct, tag="refusal"):
    refusal: str = ""


class ReasoningText(msgspec.Struct, tag="reasoning_text"):
    text: str = ""


class SummaryText(msgspec.Struct, tag="summary_text"):
    text: str = ""


Part = OutputText | OutputRefusal | ReasoningText


class Message(msgspec.Struct, tag="message"):
    id: str = ""
    role: str = "assistant"
    status: Text = UNSET
    phase: Text = UNSET
    content: list[Any] = msgspec.field(default_factory=list)


class ReasoningItem(msgspec.Struct, tag="reasoning"):
    id: str = ""
    summary: list[SummaryText] = msgspec.field(default_factory=list)
    content: list[ReasoningText] | UnsetType | None = UNSET
    encrypted_content: Text = UNSET
    status: Text = UNSET


class FunctionCall(msgspec.Struct, tag="function_call"):
    call_id: str
    name: str
    arguments: str = ""
    id: Text = UNSET
    status: Text = UNSET


Item = Message | ReasoningItem | FunctionCall


class _InputDetails(msgspec.Struct):
    cached_tokens: int | None = 0
    cache_write_tokens: int | UnsetType | None = UNSET


class _OutputDetails(msgspec.Struct):
    reasoning_tokens: int | None = 0


class Usage(msgspec.Struct):
    input_tokens: int | None = 0
    output_tokens: int | None = 0
    total_tokens: int | None = 0
    input_tokens_details: _InputDetails | UnsetType | None = UNSET
    output_tokens_details: _OutputDetails | UnsetType | None = UNSET


class Error(msgspec.Struct):
    code: str = "server_error"
    message: str = ""


class Incomplete(msgspec.Struct):
    reason: str | None = None


class Response(msgspec.Struct):
    output: list[Any]
    id: str = ""
    object: str = "response"
    created_at: int | float = 0
    completed_at: int | float | UnsetType | None = UNSET
    status: str = "completed"
    error: Error | None = None
    incomplete_details: Incomplete | None = None
    model: str = ""
    usage: Usage | UnsetType | None = UNSET
    service_tier: Text = UNSET
    tools: Any = UNSET
    tool_choice: Any = UNSET
    parallel_tool_calls: Any = UNSET
    metadata: Any = UNSET


class Repeated(NamedTuple):
    """Those fields of a request that clients want to see again in the answer."""

    tools: Any
    tool_choice: Any
    parallel_tool_calls: bool
    metadata: dict[str, str]


class Read(NamedTuple):
    """What is known of an item; and how many things in it, itself included, are of no type that we
    know."""

    item: Item | None
    unknown: int


class _Kind(msgspec.Struct):
    type: str


_ITEMS: Final = frozenset({"message", "reasoning", "function_call"})
_PARTS: Final = frozenset({"output_text", "refusal", "reasoning_text"})


def read_item(raw: Any) -> Read:
    """The item with those of its parts that we know.

    Raises:
        UnreadableError: the type of one is known, so that something else is wrong.
    """
    item: Item | None = _converted(raw, Item, _ITEMS)
    if item is None:
        return Read(None, 1)
    if not isinstance(item, Message):
        return Read(item, 0)
    parts = [read_part(part) for part in item.content]
    item.content = [part for part in parts if part is not None]
    return Read(item, parts.count(None))


def read_part(raw: Any) -> Part | None:
    """A part of a message; ``None`` for one of a type that we do not know.

    Raises:
        UnreadableError: as above.
    """
    found: Part | None = _converted(raw, Part, _PARTS)
    return found


def _converted(raw: Any, kind: Any, known: frozenset[str]) -> Any:
    try:
        return msgspec.convert(raw, kind)
    except UNREADABLE as error:
        try:
            name = msgspec.convert(raw, _Kind).type
        except UNREADABLE:
            raise reading_error(error) from error
        if name in known:
            raise reading_error(error) from error
        return None
