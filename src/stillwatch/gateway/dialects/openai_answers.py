"""OpenAI Chat Completions: the response, whole and streamed.

The structs below are the allow-list. Decoding drops every field that they do not name; what a
surface does not show is unset before the rest is encoded anew. A list of more choices than were
granted is cut, whoever sent them.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from stillwatch.access import Reasoning, Surface
from stillwatch.gateway.dialects.bodies import UNREADABLE, reading_error
from stillwatch.gateway.dialects.dialect import Answer, Choices, Told, UnreadableError
from stillwatch.gateway.dialects.opaque import Bind
from stillwatch.gateway.dialects.openai_logprobs import Logprobs, narrow_logprobs
from stillwatch.gateway.dialects.openai_reasoning import Details, opaque_in
from stillwatch.gateway.dialects.openai_usage import (
    PromptLogprobs,
    Usage,
    narrow_prompt_logprobs,
    note_usage,
)
from stillwatch.gateway.dialects.sizes import tokens_of_piece

__all__ = ["ChatScrubber", "scrub_chat"]

Text = str | None | UnsetType
Ids = list[int] | None | UnsetType


class Call(msgspec.Struct):
    """A function with its arguments, or a custom tool with its input."""

    name: Text = UNSET
    arguments: Text = UNSET
    input: Text = UNSET


class ToolCall(msgspec.Struct):
    index: int | UnsetType = UNSET
    id: Text = UNSET
    type: Text = UNSET
    function: Call | UnsetType | None = UNSET
    custom: Call | UnsetType | None = UNSET


class Citation(msgspec.Struct):
    start_index: int = 0
    end_index: int = 0
    title: str = ""
    url: str = ""


class Annotation(msgspec.Struct):
    type: str = "url_citation"
    url_citation: Citation | UnsetType | None = UNSET


class Message(msgspec.Struct):
    role: Text = UNSET
    content: Text = UNSET
    refusal: Text = UNSET
    tool_calls: list[ToolCall] | UnsetType | None = UNSET
    function_call: Call | UnsetType | None = UNSET
    reasoning: Text = UNSET
    reasoning_content: Text = UNSET
    reasoning_details: Details = UNSET
    annotations: list[Annotation] | UnsetType | None = UNSET


class Choice(msgspec.Struct):
    index: int = 0
    message: Message | UnsetType = UNSET
    delta: Message | UnsetType = UNSET
    logprobs: Logprobs | UnsetType | None = UNSET
    finish_reason: Text = UNSET
    token_ids: Ids = UNSET


class Chat(msgspec.Struct):
    id: str = ""
    object: str = "chat.completion"
    created: int = 0
    model: str = ""
    choices: list[Choice] = msgspec.field(default_factory=list)
    usage: Usage | UnsetType | None = UNSET
    system_fingerprint: Text = UNSET
    service_tier: Text = UNSET
    prompt_logprobs: PromptLogprobs | UnsetType | None = UNSET
    prompt_token_ids: Ids = UNSET
    error: Any = UNSET


_READ: Final = msgspec.json.Decoder(Chat).decode
_ENCODE: Final = msgspec.json.Encoder().encode


def scrub_chat(
    body: bytes, surface: Surface, bind: Bind | None = None, choices: Choices | None = None
) -> Answer:
    """A whole response within `surface`.

    Raises:
        UnreadableError: it is no chat completion.
    """
    chat = _read(body)
    chat.object = "chat.completion"
    if not chat.choices or any(choice.message is UNSET for choice in chat.choices):
        raise UnreadableError("the upstream's answer is no chat completion")
    for choice in chat.choices:
        choice.delta = UNSET
        if choice.finish_reason is UNSET:
            choice.finish_reason = None
    if choices is not None:
        _write_whole(chat, choices)
    told = Told()
    _note(chat, told)
    _narrow(chat, surface, bind)
    return Answer(_ENCODE(chat), told)


class ChatScrubber:
    """One stream. The usage chunk is always asked for, and shown only to whom asked for it."""

    def __init__(
        self,
        surface: Surface,
        *,
        usage: bool,
        bind: Bind | None = None,
        choices: Choices | None = None,
    ) -> None:
        self.told = Told()
        self.ended = False
        self._surface, self._usage, self._bind = surface, usage, bind
        self._choices = choices
        self._last = Chat()  # to which what is held at the end belongs

    def event(self, name: str | None, data: bytes) -> bytes:
        if self.ended:
            return b""
        if data == b"[DONE]":
            self.ended = True
            return self._rest() + b"data: [DONE]\n\n"
        chat = _read(data)
        if chat.error is not UNSET or name == "error":
            raise UnreadableError("the upstream reported an error in mid-stream")
        chat.object = "chat.completion.chunk"
        if self._choices is not None:
            _write_piece(chat, self._choices, self._surface.n)
            self._last = chat
        _note(chat, self.told)
        had = bool(chat.choices)
        _narrow(chat, self._surface, self._bind)
        if not self._usage:
            if not had and chat.usage:
                return b""
            chat.usage = UNSET
        if had and not chat.usage and _is_empty(chat):
            return b""
        return b"data: " + _ENCODE(chat) + b"\n\n"

    def _rest(self) -> bytes:
        """The chunk with what is held of choices that did not say that they end."""
        rests = {} if self._choices is None else self._choices.rests()
        if not rests:
            return b""
        last = self._last
        chat = Chat(id=last.id, object=last.object, created=last.created, model=last.model)
        for index, rest in rests.items():
            assert isinstance(index, int)
            chat.choices.append(Choice(index=index, delta=Message(content=rest)))
        _note(chat, self.told)
        return b"data: " + _ENCODE(chat) + b"\n\n"


def _read(data: bytes) -> Chat:
    try:
        return _READ(data)
    except UNREADABLE as error:
        raise reading_error(error) from error


def _write_whole(chat: Chat, choices: Choices) -> None:
    for choice in chat.choices:
        message = choice.message
        if message is not UNSET and message.content:
            message.content = choices.whole(message.content)
            choice.logprobs, choice.token_ids = UNSET, UNSET  # they are of another text


def _write_piece(chat: Chat, choices: Choices, n: int) -> None:
    """Put what may leave in the place of what came; the end of a choice brings the rest of it."""
    for choice in chat.choices:
        if not 0 <= choice.index < n:
            continue  # it is not shown
        delta = choice.delta
        content = (delta.content or "") if delta is not UNSET else ""
        written = choices.piece(choice.index, content) if content else ""
        called = delta is not UNSET and (delta.tool_calls or delta.function_call)
        if choice.finish_reason or called:
            written += choices.rest(choice.index)
        if not (content or written):
            continue
        choice.logprobs, choice.token_ids = UNSET, UNSET  # they are of another text
        if delta is UNSET:
            choice.delta = Message(content=written)
        else:
            delta.content = written


def _narrow(chat: Chat, surface: Surface, bind: Bind | None) -> None:
    chat.error = UNSET
    fields = surface.response_fields
    if "system_fingerprint" not in fields:
        chat.system_fingerprint = UNSET
    if "service_tier" not in fields:
        chat.service_tier = UNSET
    if chat.prompt_logprobs is not UNSET:
        chat.prompt_logprobs = narrow_prompt_logprobs(chat.prompt_logprobs, surface)
    if not surface.token_ids:
        chat.prompt_token_ids = UNSET
    n = surface.n
    if len(chat.choices) > n or any(not 0 <= choice.index < n for choice in chat.choices):
        chat.choices = [choice for choice in chat.choices if 0 <= choice.index < n][:n]
    for choice in chat.choices:
        kept = True
        if choice.delta is not UNSET:
            kept = _narrow_message(choice.delta, surface, bind)
        if choice.message is not UNSET:
            kept = _narrow_message(choice.message, surface, bind) and kept
        if not kept:  # they would spell out what was taken away, token by token
            choice.logprobs, choice.token_ids = None, UNSET
        if choice.logprobs:
            choice.logprobs = narrow_logprobs(choice.logprobs, surface)
        if not surface.token_ids:
            choice.token_ids = UNSET


def _narrow_message(message: Message, surface: Surface, bind: Bind | None) -> bool:
    """Whether nothing that the model generated had to be taken away."""
    kept = True
    # A summary cannot be told from the full text in this dialect, so only FULL shows it.
    if surface.reasoning < Reasoning.FULL:
        kept = not (message.reasoning or message.reasoning_content or message.reasoning_details)
        message.reasoning = message.reasoning_content = message.reasoning_details = UNSET
    if bind is not None and message.reasoning_details:
        for place in opaque_in(message.reasoning_details):
            place.put(bind(place.text))
    if not surface.tools:
        kept = kept and not (message.tool_calls or message.function_call)
        message.tool_calls = message.function_call = UNSET
    if "annotations" not in surface.response_fields:
        message.annotations = UNSET
    return kept


def _is_empty(chat: Chat) -> bool:
    """Whether scrubbing left nothing in a chunk that a client could use."""
    return all(
        not (choice.finish_reason or choice.logprobs or choice.token_ids)
        and (choice.delta is UNSET or _says_nothing(choice.delta))
        for choice in chat.choices
    )


def _says_nothing(delta: Message) -> bool:
    return not (
        delta.content
        or delta.role
        or delta.refusal
        or delta.tool_calls
        or delta.function_call
        or delta.reasoning
        or delta.reasoning_content
        or delta.reasoning_details
        or delta.annotations
    )


def _note(chat: Chat, told: Told) -> None:
    if chat.model:
        told.model = chat.model
    for choice in chat.choices:
        message = choice.delta if choice.message is UNSET else choice.message
        if message is not UNSET:
            text = message.content
            if text:
                if choice.index == 0:
                    told.texts.append(text)
                told.streamed += tokens_of_piece(text)
            reasoned = message.reasoning or message.reasoning_content
            if not reasoned and message.reasoning_details:
                reasoned = "".join(each.text or "" for each in message.reasoning_details)
            if reasoned:
                told.streamed += tokens_of_piece(reasoned)
            if message.tool_calls or message.function_call:
                told.streamed += _called(message)
        if choice.finish_reason:
            told.finish_reason = choice.finish_reason
    if chat.usage:
        note_usage(chat.usage, told)


def _called(message: Message) -> int:
    """Tokens of the tools that the model calls, and of what it gives them."""
    tokens = 0
    for tool in message.tool_calls or ():
        for call in (tool.function, tool.custom):
            if call:
                tokens += tokens_of_piece(call.arguments or call.input or call.name or "")
    if message.function_call:
        tokens += tokens_of_piece(message.function_call.arguments or "")
    return tokens
