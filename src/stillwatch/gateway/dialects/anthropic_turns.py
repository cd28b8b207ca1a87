"""Anthropic Messages: the messages of a request and their content blocks."""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from stillwatch.exchange import Message
from stillwatch.gateway.dialects.dialect import UnreadableError
from stillwatch.gateway.dialects.opaque import Opaque

__all__ = ["Block", "Texts", "Turn", "opaque_of", "texts_of", "without_prefill"]

Free = Any | UnsetType
#: The blocks of a prompt, and those that we let answers have: clients send answers back.
BlockType = Literal[
    "text",
    "image",
    "document",
    "search_result",
    "thinking",
    "redacted_thinking",
    "tool_use",
    "tool_result",
    "server_tool_use",
    "web_search_tool_result",
    "web_search_tool_result_error",
    "web_search_result",
]


class Block(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    type: BlockType
    text: str | None = None
    cache_control: Free = UNSET
    citations: Free = UNSET
    source: Free = UNSET
    title: str | None = None
    context: str | None = None
    transformations: Free = UNSET
    content: str | list[Block] | Block | UnsetType | None = UNSET
    id: str | None = None
    name: str | None = None
    input: Free = UNSET
    caller: Free = UNSET
    toolset_name: str | None = None
    tool_use_id: str | None = None
    is_error: bool | None = None
    thinking: str | UnsetType = UNSET
    signature: str | UnsetType = UNSET
    data: str | UnsetType = UNSET
    url: str | None = None
    page_age: str | None = None
    encrypted_content: str | None = None
    error_code: str | None = None


class Turn(msgspec.Struct, forbid_unknown_fields=True):
    role: Literal["user", "assistant", "system"]
    content: str | list[Block]


class Texts(NamedTuple):
    """What was said, the system prompt first; the number of pictures and documents; the bytes of
    JSON that these take."""

    turns: tuple[Message, ...]
    media: int
    media_bytes: int


_ENCODE: Final = msgspec.json.Encoder().encode


def texts_of(system: str | list[Block] | UnsetType | None, turns: list[Turn]) -> Texts:
    """The texts of each turn, those of tools' results among them, joined by newlines."""
    held: list[Block] = []
    texts = []
    if system:
        texts.append(Message("system", _text(system, held)))
    texts += [
        Message(
            turn.role,
            turn.content if isinstance(turn.content, str) else _text(turn.content, held),
        )
        for turn in turns
    ]
    return Texts(tuple(texts), len(held), sum(len(_ENCODE(block.source)) for block in held))


def _text(content: str | list[Block], held: list[Block]) -> str:
    """The text; blocks whose source is no text are appended to `held`."""
    if isinstance(content, str):
        return content
    parts = []
    for block in content:
        if block.text:
            parts.append(block.text)
        elif block.source is not UNSET and not isinstance(block.source, str):
            written = _written(block.source)
            if written is None:
                held.append(block)
            else:
                parts.append(written)
        if isinstance(block.content, (str, list)) and block.content:
            parts.append(_text(block.content, held))
    return "\n".join(parts)


def _written(source: Any) -> str | None:
    """The text of a document that is given as text."""
    if isinstance(source, dict) and source.get("type") == "text":
        data = source.get("data")
        return data if isinstance(data, str) else None
    return None


def opaque_of(turns: list[Turn]) -> tuple[Opaque, ...]:
    """The signatures of thinking and the thinking that was encrypted; an empty one is none."""
    places = []
    for turn in turns:
        if isinstance(turn.content, str):
            continue
        for block in turn.content:
            field = _OPAQUE.get(block.type)
            if field is not None and getattr(block, field):  # UNSET is false
                places.append(Opaque(block, field))
    return tuple(places)


_OPAQUE: Final = {"thinking": "signature", "redacted_thinking": "data"}


def without_prefill(turns: list[Turn]) -> list[Turn]:
    """The conversation up to the last turn that is not the model's.

    Raises:
        UnreadableError: nothing would be left.
    """
    end = len(turns)
    while end and turns[end - 1].role == "assistant":
        end -= 1
    if not end:
        raise UnreadableError("messages must not be prefilled answers alone", "messages")
    return turns[:end]
