"""OpenAI Responses: the items of a request's input.

Only items that stand for themselves are read: a reference to one that was stored would be somebody
else's for all we know, and files by their ids likewise. So are items of tools that a model server
runs by itself, which are not served.
"""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from stillwatch.exchange import Message
from stillwatch.gateway.dialects.dialect import UnreadableError
from stillwatch.gateway.dialects.opaque import Opaque
from stillwatch.gateway.dialects.openai_fields import Free

__all__ = ["Item", "Texts", "opaque_of", "prefilled", "texts_of", "without_prefill"]


class Part(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    type: Literal[
        "input_text",
        "input_image",
        "input_file",
        "input_audio",
        "output_text",
        "refusal",
        "reasoning_text",
        "summary_text",
    ]
    text: str | None = None
    refusal: str | None = None
    image_url: str | None = None
    detail: str | None = None
    file_data: str | None = None
    file_url: str | None = None
    filename: str | None = None
    input_audio: Free = UNSET
    annotations: Free = UNSET
    logprobs: Free = UNSET
    prompt_cache_breakpoint: Free = UNSET


class Item(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """A message (without a type, too), a call of a function, what it gave, or reasoning."""

    type: Literal["message", "function_call", "function_call_output", "reasoning"] | None = None
    role: Literal["user", "assistant", "system", "developer"] | None = None
    content: str | list[Part] | UnsetType | None = UNSET
    id: str | None = None
    status: str | None = None
    phase: str | None = None
    name: str | None = None
    call_id: str | None = None
    arguments: str | None = None
    output: str | list[Part] | UnsetType | None = UNSET
    summary: list[Part] | UnsetType | None = UNSET
    encrypted_content: str | None = None


class Texts(NamedTuple):
    """What was said, the instructions first; the number of pictures, files and recordings; the
    bytes that these take."""

    turns: tuple[Message, ...]
    media: int
    media_bytes: int


_ENCODE: Final = msgspec.json.Encoder().encode


def texts_of(instructions: str | None, given: str | list[Item]) -> Texts:
    """The texts of each turn; parts of one turn are joined by newlines. A function's result is a
    turn of its tool, its call one of the model without a text; reasoning is none.

    Raises:
        UnreadableError: a message without a role, or nothing that anybody said.
    """
    held: list[Any] = []
    turns = [Message("system", instructions)] if instructions else []
    if isinstance(given, str):
        turns.append(Message("user", given))
    else:
        for item in given:
            turn = _turn(item, held)
            if turn is not None:
                turns.append(turn)
    if not turns:
        raise UnreadableError("input must hold at least one message", "input")
    return Texts(tuple(turns), len(held), sum(len(_ENCODE(each)) for each in held))


def _turn(item: Item, held: list[Any]) -> Message | None:
    match item.type:
        case "reasoning":
            return None
        case "function_call":
            return Message("assistant", "")
        case "function_call_output":
            return Message("tool", _text(item.output, held))
        case _:
            if item.role is None:
                raise UnreadableError("input: a message needs a role", "input")
            return Message(item.role, _text(item.content, held))


def _text(content: str | list[Part] | UnsetType | None, held: list[Any]) -> str:
    """The text; what is none is appended to `held`."""
    if isinstance(content, str):
        return content
    texts = []
    for part in content or ():  # UNSET is false
        if part.text:
            texts.append(part.text)
        held += [
            each
            for each in (part.image_url, part.file_data, part.file_url, part.input_audio)
            if each is not None and each is not UNSET
        ]
    return "\n".join(texts)


def opaque_of(given: str | list[Item]) -> tuple[Opaque, ...]:
    """The encrypted reasoning of all items; an empty one is none."""
    if isinstance(given, str):
        return ()
    return tuple(Opaque(item, "encrypted_content") for item in given if item.encrypted_content)


def prefilled(given: str | list[Item]) -> bool:
    """Whether the last item is the model's: servers may go on from there."""
    return not isinstance(given, str) and bool(given) and _is_model(given[-1])


def without_prefill(given: list[Item]) -> list[Item]:
    """The conversation up to the last item that is not the model's.

    Raises:
        UnreadableError: nothing would be left.
    """
    end = len(given)
    while end and _is_model(given[end - 1]):
        end -= 1
    if not end:
        raise UnreadableError("input must not be prefilled answers alone", "input")
    return given[:end]


def _is_model(item: Item) -> bool:
    return item.role == "assistant" or item.type in ("function_call", "reasoning")
