"""OpenAI Chat Completions: the request."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from stillwatch.access import Asked, Reasoning, Refusal, Surface
from stillwatch.exchange import Message
from stillwatch.gateway.dialects import openai_answers
from stillwatch.gateway.dialects.dialect import Answer, Incoming, Scrubber, UnreadableError
from stillwatch.gateway.dialects.openai_errors import failure_event, refusal_body
from stillwatch.gateway.dialects.openai_fields import (
    NEVER_FORWARDED,
    STRUCTURE_FIELDS,
    SamplingFields,
    StreamOptions,
    bias_of,
    generic,
    limited,
    reading_error,
    structure_of,
    unknown_in,
)
from stillwatch.gateway.dialects.sizes import MEDIA_TOKENS, tokens_of_bytes

__all__ = ["OpenAIChat"]


class _Part(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    type: str
    text: str | None = None
    refusal: str | None = None
    image_url: Raw | UnsetType = UNSET
    input_audio: Raw | UnsetType = UNSET
    video_url: Raw | UnsetType = UNSET
    audio_url: Raw | UnsetType = UNSET
    file: Raw | UnsetType = UNSET
    cache_control: Raw | UnsetType = UNSET


class _Turn(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    role: str
    content: str | list[_Part] | UnsetType | None = UNSET
    name: str | None = None
    tool_calls: Raw | UnsetType = UNSET
    tool_call_id: str | None = None
    function_call: Raw | UnsetType = UNSET
    refusal: str | None = None
    audio: Raw | UnsetType = UNSET
    annotations: Raw | UnsetType = UNSET
    reasoning: str | None = None
    reasoning_content: str | None = None
    prefix: bool | None = None


class _Function(msgspec.Struct):
    name: str = ""


class _Tool(msgspec.Struct):
    function: _Function | None = None
    name: str = ""


class _Request(SamplingFields, omit_defaults=True, forbid_unknown_fields=True):
    messages: list[_Turn] = msgspec.field(default_factory=list)
    max_completion_tokens: int | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    reasoning_effort: str | None = None
    include_reasoning: bool | None = None
    verbosity: str | None = None
    tools: Raw | UnsetType = UNSET
    tool_choice: Raw | UnsetType = UNSET
    parallel_tool_calls: bool | None = None
    functions: Raw | UnsetType = UNSET
    function_call: Raw | UnsetType = UNSET
    modalities: list[str] | None = None
    metadata: dict[str, str] | None = None
    store: bool | None = None
    service_tier: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    continue_final_message: bool | None = None
    add_generation_prompt: bool | None = None
    prediction: Raw | UnsetType = UNSET


_KNOWN = frozenset(_Request.__struct_fields__)
_STRICT = msgspec.json.Decoder(_Request)
_TOOLS = msgspec.json.Decoder(list[_Tool])
_ENCODE = msgspec.json.Encoder().encode


class OpenAIChat:
    """``POST /v1/chat/completions``."""

    name = "openai"
    upstream_path = "/v1/chat/completions"

    def read(self, body: bytes) -> Incoming:
        unknown: tuple[str, ...] = ()
        stripped: tuple[str, ...] = ()
        extras: dict[str, Any] = {}
        try:
            request = _STRICT.decode(body)
        except (msgspec.DecodeError, RecursionError) as error:
            if not isinstance(error, msgspec.ValidationError) or unknown_in(error) is None:
                raise reading_error(error) from error
            request, extras, unknown, stripped = _lenient(body)
        return _incoming(request, body, extras, unknown, stripped)

    def write(self, incoming: Incoming, granted: Asked) -> bytes:
        request, extras = incoming.body
        asked = incoming.asked
        if granted is not asked:
            request = _brought_down(request, asked, granted)
            if asked.unknown_fields and not granted.unknown_fields:
                extras = {}
        if request.stream:
            request = msgspec.structs.replace(
                request, stream_options=StreamOptions(include_usage=True)
            )
        if extras:
            return _ENCODE({**msgspec.json.decode(_ENCODE(request)), **extras})
        return _ENCODE(request)

    def scrub(self, body: bytes, incoming: Incoming, surface: Surface) -> Answer:
        return openai_answers.scrub_chat(body, surface)

    def stream(self, incoming: Incoming, surface: Surface) -> Scrubber:
        options = incoming.body[0].stream_options
        usage = bool(options is not None and options.include_usage)
        return openai_answers.ChatScrubber(surface, usage=usage)

    def refusal(self, refusal: Refusal) -> bytes:
        return refusal_body(refusal)

    def failure(self, refusal: Refusal) -> bytes:
        return failure_event(refusal)


def _lenient(
    body: bytes,
) -> tuple[_Request, dict[str, Any], tuple[str, ...], tuple[str, ...]]:
    """The same for a body with fields that we do not know: they are named, and kept apart."""
    fields = generic(body)
    stripped = tuple(name for name in fields if name in NEVER_FORWARDED)
    extras = {k: v for k, v in fields.items() if k not in _KNOWN and k not in NEVER_FORWARDED}
    known = {k: v for k, v in fields.items() if k in _KNOWN}
    try:
        return _STRICT.decode(_ENCODE(known)), extras, tuple(extras), stripped
    except msgspec.DecodeError as error:
        raise reading_error(error) from error  # one within a message: no level lets it through


def _incoming(
    request: _Request,
    body: bytes,
    extras: dict[str, Any],
    unknown: tuple[str, ...],
    stripped: tuple[str, ...],
) -> Incoming:
    if not request.messages:
        raise UnreadableError("messages must hold at least one message", "messages")
    turns, media, media_bytes = _turns(request.messages)
    structure, format_name = structure_of(request)
    bias, biased = bias_of(request)
    last = request.messages[-1]
    prefilled = last.role == "assistant" or bool(request.continue_final_message or last.prefix)
    caps = [c for c in (request.max_tokens, request.max_completion_tokens) if c is not None]
    best_of = limited("best_of", request.best_of, 1, 1)
    asked = Asked(
        model=request.model,
        stream=bool(request.stream),
        prompt_tokens=tokens_of_bytes(len(body) - media_bytes) + media * MEDIA_TOKENS,
        logprobs=max(1, limited("top_logprobs", request.top_logprobs, 0, 0))
        if request.logprobs or request.top_logprobs
        else 0,
        reasoning=_reasoning(request),
        n=max(limited("n", request.n, 1, 1), best_of),
        logit_bias=bias,
        bias=biased,
        seed=request.seed is not None,
        prefill=prefilled,
        echo=bool(request.echo),
        prompt_logprobs=request.prompt_logprobs is not None,
        token_ids=bool(request.return_token_ids or request.return_tokens_as_token_ids),
        max_tokens=limited("max_tokens", min(caps), 1, 1) if caps else None,
        structure=structure,
        tools=_given(request.tools) or _given(request.functions),
        temperature=request.temperature,
        unknown_fields=unknown,
    )
    system = "\n".join(m.content for m in turns if m.role in ("system", "developer"))
    return Incoming(
        asked=asked,
        body=(request, extras),
        messages=turns,
        system=system or None,
        prefill=turns[-1].content if prefilled else None,
        tools=_tool_names(request),
        top_p=request.top_p,
        response_format=format_name,
        reasoning=request.reasoning_effort,
        end_user=request.user or request.safety_identifier,
        stripped=stripped,
    )


def _turns(messages: list[_Turn]) -> tuple[tuple[Message, ...], int, int]:
    """The texts, the number of pictures and recordings, and the bytes that these take."""
    turns, media, size = [], 0, 0
    for message in messages:
        content = message.content
        if isinstance(content, list):
            for part in content:
                for raw in (part.image_url, part.input_audio, part.video_url, part.audio_url,
                            part.file):  # fmt: skip
                    if raw is not UNSET:
                        media, size = media + 1, size + len(bytes(raw))
            content = "\n".join(part.text for part in content if part.text)
        turns.append(Message(message.role, content or ""))  # UNSET is false
    return tuple(turns), media, size


def _reasoning(request: _Request) -> Reasoning:
    """Reasoning is shown when the request asks that it be; effort alone shows nothing."""
    return Reasoning.FULL if request.include_reasoning else Reasoning.NONE


def _given(raw: Raw | UnsetType) -> bool:
    return raw is not UNSET and bytes(raw).strip() not in (b"null", b"[]")


def _tool_names(request: _Request) -> tuple[str, ...] | None:
    names: list[str] = []
    for raw in (request.tools, request.functions):
        if raw is UNSET or not _given(raw):
            continue
        try:
            tools = _TOOLS.decode(raw)
        except (msgspec.DecodeError, RecursionError) as error:
            raise UnreadableError(f"tools: {error}", "tools") from error
        names += [tool.function.name if tool.function else tool.name for tool in tools]
    return tuple(names) or None


def _brought_down(request: _Request, asked: Asked, granted: Asked) -> _Request:
    """The request with what was granted written over what was asked."""
    new: dict[str, Any] = {}
    if granted.max_tokens != asked.max_tokens:
        name = "max_tokens" if request.max_completion_tokens is None else "max_completion_tokens"
        new |= {"max_tokens": None, name: granted.max_tokens}
    if granted.temperature != asked.temperature:
        new["temperature"] = granted.temperature
    if granted.n != asked.n:
        new |= {"n": granted.n, "best_of": None}
    if granted.logprobs != asked.logprobs:
        shown = granted.logprobs > 0
        new |= {"logprobs": shown or None, "top_logprobs": granted.logprobs if shown else None}
    if granted.bias != asked.bias:
        new |= {"logit_bias": None, "allowed_token_ids": None, "bad_words": None}
    if granted.structure != asked.structure:
        new |= dict.fromkeys(STRUCTURE_FIELDS, UNSET)
    for feature, fields in _FEATURES.items():
        if getattr(asked, feature) and not getattr(granted, feature):
            new |= {f: UNSET if f in _UNSETTABLE else None for f in fields}
    if asked.prefill and not granted.prefill and request.messages[-1].role == "assistant":
        if len(request.messages) == 1:
            raise UnreadableError("messages must not be a prefilled answer alone", "messages")
        new["messages"] = request.messages[:-1]
    return msgspec.structs.replace(request, **new)


_UNSETTABLE = frozenset({"tools", "tool_choice", "functions", "function_call"})
_FEATURES = {
    "seed": ("seed",),
    "prefill": ("continue_final_message", "add_generation_prompt"),
    "echo": ("echo",),
    "prompt_logprobs": ("prompt_logprobs",),
    "token_ids": ("return_token_ids", "return_tokens_as_token_ids"),
    "tools": ("tools", "tool_choice", "parallel_tool_calls", "functions", "function_call"),
    "reasoning": ("include_reasoning",),
}
