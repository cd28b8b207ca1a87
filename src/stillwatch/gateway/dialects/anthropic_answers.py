"""Anthropic Messages: a whole response, rebuilt from the blocks that a surface shows."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from stillwatch.access import Surface
from stillwatch.gateway.dialects.anthropic_blocks import (
    Block,
    RedactedThinkingBlock,
    TextBlock,
    ThinkingBlock,
    Usage,
    hidden_from,
    known_type,
    note_usage,
)
from stillwatch.gateway.dialects.bodies import UNREADABLE, reading_error
from stillwatch.gateway.dialects.dialect import Answer, Choices, Told
from stillwatch.gateway.dialects.opaque import Bind
from stillwatch.gateway.dialects.sizes import tokens_of_piece

__all__ = ["Message", "StopDetails", "bind_block", "narrow_message", "scrub_message"]


class StopDetails(msgspec.Struct):
    """Why a request was refused by the model server itself."""

    type: str = "refusal"
    category: str | UnsetType | None = UNSET
    explanation: str | UnsetType | None = UNSET


class Message(msgspec.Struct):
    content: list[Block]
    id: str = ""
    type: str = "message"
    role: str = "assistant"
    model: str = ""
    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: StopDetails | UnsetType | None = UNSET
    usage: Usage = msgspec.field(default_factory=Usage)


_READ: Final = msgspec.json.Decoder(Message).decode
_ENCODE: Final = msgspec.json.Encoder().encode


def scrub_message(
    body: bytes, surface: Surface, bind: Bind | None = None, choices: Choices | None = None
) -> Answer:
    """A whole response within `surface`.

    Raises:
        UnreadableError: it is no message.
    """
    message = _read(body)
    if choices is not None:
        for block in message.content:
            if isinstance(block, TextBlock):
                block.text = choices.whole(block.text)
    told = Told(finish_reason=message.stop_reason)
    narrow_message(message, told, surface, bind)
    return Answer(_ENCODE(message), told)


def narrow_message(message: Message, told: Told, surface: Surface, bind: Bind | None) -> None:
    """Take away what the surface does not show, bind what is opaque, and note what was said."""
    message.type, message.role = "message", "assistant"
    told.model = message.model or told.model
    for block in message.content:
        if isinstance(block, TextBlock):
            told.texts.append(block.text)
            told.streamed += tokens_of_piece(block.text)
            if "citations" not in surface.response_fields:
                block.citations = UNSET
        elif isinstance(block, ThinkingBlock):
            told.streamed += tokens_of_piece(block.thinking)
        else:
            told.streamed += tokens_of_piece(_ENCODE(block).decode())
    hidden = hidden_from(surface)
    if hidden:
        message.content = [block for block in message.content if type(block) not in hidden]
    if bind is not None:
        for block in message.content:
            bind_block(block, bind)
    if message.usage.input_tokens is UNSET:
        message.usage.input_tokens = 0
    note_usage(message.usage, told, surface)


def bind_block(block: Block, bind: Bind) -> None:
    """Bind what is opaque in a block; where nothing is, nothing is bound."""
    if isinstance(block, ThinkingBlock):
        block.signature = block.signature and bind(block.signature)
    elif isinstance(block, RedactedThinkingBlock):
        block.data = block.data and bind(block.data)


def _read(body: bytes) -> Message:
    try:
        return _READ(body)
    except UNREADABLE as error:
        known = _without_unknown_blocks(body)
        if known is None:
            raise reading_error(error) from error
    try:
        return _READ(known)
    except UNREADABLE as error:
        raise reading_error(error) from error


def _without_unknown_blocks(body: bytes) -> bytes | None:
    """The same without blocks of types that we do not know, if it has any."""
    try:
        found: Any = msgspec.json.decode(body)
        content = found["content"]
        kept = [block for block in content if known_type(str(block["type"]))]
        if len(kept) == len(content):
            return None
        return _ENCODE({**found, "content": kept})
    except (*UNREADABLE, LookupError, TypeError):
        return None
