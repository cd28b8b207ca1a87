"""OpenAI Chat Completions: the response, whole and streamed.

The structs below are the allow-list. Decoding drops every field that they do not name; what a
surface does not show is unset before the rest is encoded anew. A list of more choices than were
granted is cut, whoever sent them.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw, UnsetType

from stillwatch.access import Reasoning, Surface
from stillwatch.gateway.dialects.dialect import Answer, Told, UnreadableError
from stillwatch.gateway.dialects.openai_fields import reading_error
from stillwatch.gateway.dialects.sizes import tokens_of_bytes

__all__ = ["ChatScrubber", "Usage", "note_usage", "scrub_chat"]

Text = str | None | UnsetType


class Message(msgspec.Struct):
    role: Text = UNSET
    content: Text = UNSET
    refusal: Text = UNSET
    tool_calls: Raw | UnsetType = UNSET
    function_call: Raw | UnsetType = UNSET
    reasoning: Text = UNSET
    reasoning_content: Text = UNSET
    annotations: Raw | UnsetType = UNSET


class Alternative(msgspec.Struct):
    token: str
    logprob: float
    bytes: list[int] | UnsetType | None = UNSET


class Position(msgspec.Struct):
    token: str
    logprob: float
    bytes: list[int] | UnsetType | None = UNSET
    top_logprobs: list[Alternative] | UnsetType = UNSET


class Logprobs(msgspec.Struct):
    content: list[Position] | UnsetType | None = UNSET
    refusal: list[Position] | UnsetType | None = UNSET


class Choice(msgspec.Struct):
    index: int = 0
    message: Message | UnsetType = UNSET
    delta: Message | UnsetType = UNSET
    logprobs: Logprobs | UnsetType | None = UNSET
    finish_reason: Text = UNSET
    token_ids: list[int] | UnsetType | None = UNSET


class _PromptDetails(msgspec.Struct):
    cached_tokens: int | None = None


class _OutputDetails(msgspec.Struct):
    reasoning_tokens: int | None = None


class Usage(msgspec.Struct):
    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    prompt_tokens_details: _PromptDetails | UnsetType | None = UNSET
    completion_tokens_details: _OutputDetails | UnsetType | None = UNSET


class Chat(msgspec.Struct):
    id: str = ""
    object: str = "chat.completion"
    created: int = 0
    model: str = ""
    choices: list[Choice] = msgspec.field(default_factory=list)
    usage: Usage | UnsetType | None = UNSET
    system_fingerprint: Text = UNSET
    service_tier: Text = UNSET


_CHAT: Final = msgspec.json.Decoder(Chat)
_ENCODE: Final = msgspec.json.Encoder().encode


def scrub_chat(body: bytes, surface: Surface) -> Answer:
    """A whole response within `surface`.

    Raises:
        UnreadableError: it is no chat completion.
    """
    chat = _read(body)
    if not chat.choices or any(choice.message is UNSET for choice in chat.choices):
        raise UnreadableError("the upstream's answer is no chat completion")
    _narrow(chat, surface)
    told = Told()
    _note(chat, told)
    return Answer(_ENCODE(chat), told)


class ChatScrubber:
    """One stream. The usage chunk is always asked for, and shown only to whom asked for it."""

    def __init__(self, surface: Surface, *, usage: bool) -> None:
        self.told = Told()
        self.ended = False
        self._surface, self._usage = surface, usage

    def event(self, name: str | None, data: bytes) -> bytes:
        if data == b"[DONE]":
            self.ended = True
            return b"data: [DONE]\n\n"
        chat = _read(data)
        if chat.object == "chat.completion":
            chat.object = "chat.completion.chunk"
        _narrow(chat, self._surface)
        _note(chat, self.told)
        if not self._usage:
            if not chat.choices and chat.usage:
                return b""
            chat.usage = UNSET
        return b"data: " + _ENCODE(chat) + b"\n\n"


def _read(data: bytes) -> Chat:
    try:
        return _CHAT.decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise reading_error(error) from error


def _narrow(chat: Chat, surface: Surface) -> None:
    if "system_fingerprint" not in surface.response_fields:
        chat.system_fingerprint = UNSET
    if "service_tier" not in surface.response_fields:
        chat.service_tier = UNSET
    if len(chat.choices) > surface.n or any(c.index >= surface.n for c in chat.choices):
        chat.choices = [c for c in chat.choices if 0 <= c.index < surface.n][: surface.n]
    for choice in chat.choices:
        if choice.logprobs:
            choice.logprobs = narrow_logprobs(choice.logprobs, surface.logprobs)
        if not surface.token_ids:
            choice.token_ids = UNSET
        for message in (choice.message, choice.delta):
            if message is UNSET:
                continue
            # A summary cannot be told from the full text in this dialect, so only FULL shows it.
            if surface.reasoning < Reasoning.FULL:
                message.reasoning = message.reasoning_content = UNSET
            if not surface.tools:
                message.tool_calls = message.function_call = UNSET
            if "annotations" not in surface.response_fields:
                message.annotations = UNSET


def narrow_logprobs(logprobs: Logprobs, shown: int) -> Logprobs | None:
    """At most `shown` alternatives a position; none, and nothing is left."""
    if not shown:
        return None
    for positions in (logprobs.content, logprobs.refusal):
        for position in positions or ():
            if position.top_logprobs:
                position.top_logprobs = position.top_logprobs[:shown]
    return logprobs


def _note(chat: Chat, told: Told) -> None:
    told.model = chat.model or told.model
    for choice in chat.choices:
        message: Any = choice.delta if choice.message is UNSET else choice.message
        if message is not UNSET:
            text = message.content
            if text:
                if choice.index == 0:
                    told.completion += text
                told.streamed += tokens_of_bytes(len(text))
            for other in (message.tool_calls, message.function_call):
                if other is not UNSET:
                    told.streamed += tokens_of_bytes(len(bytes(other)))
        if choice.finish_reason:
            told.finish_reason = choice.finish_reason
    if chat.usage:
        note_usage(chat.usage, told)


def note_usage(usage: Usage, told: Told) -> None:
    """What the upstream counted; counts below zero are taken for none."""
    told.prompt_tokens = max(0, usage.prompt_tokens)
    told.completion_tokens = max(0, usage.completion_tokens)
    if usage.prompt_tokens_details:
        told.cached_tokens = usage.prompt_tokens_details.cached_tokens
    if usage.completion_tokens_details:
        told.reasoning_tokens = usage.completion_tokens_details.reasoning_tokens
