"""OpenAI Chat Completions: the request."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import UNSET

from stillwatch.access import Asked, Reasoning, Refusal, Surface
from stillwatch.gateway.dialects import openai_answers
from stillwatch.gateway.dialects.bodies import (
    UNREADABLE,
    Body,
    Form,
    encoded,
    limited,
    reading_error,
)
from stillwatch.gateway.dialects.dialect import Answer, Choices, Incoming, Scrubber, UnreadableError
from stillwatch.gateway.dialects.names import model_name
from stillwatch.gateway.dialects.opaque import Bind
from stillwatch.gateway.dialects.openai_errors import failure_event, refusal_body
from stillwatch.gateway.dialects.openai_fields import (
    Free,
    SamplingFields,
    bias_of,
    brought_down,
    counted,
    shown_of_prompt,
    structure_of,
)
from stillwatch.gateway.dialects.openai_turns import (
    Turn,
    opaque_of,
    texts_of,
    without_prefill,
)
from stillwatch.gateway.dialects.prefixes import prefix_of
from stillwatch.gateway.dialects.sizes import MEDIA_TOKENS, tokens_of_bytes

__all__ = ["OpenAIChat"]


class _Function(msgspec.Struct):
    name: str = ""


class _Tool(msgspec.Struct):
    function: _Function | None = None
    custom: _Function | None = None
    name: str = ""


class _Request(SamplingFields, omit_defaults=True, forbid_unknown_fields=True):
    messages: list[Turn] = msgspec.field(default_factory=list)
    max_completion_tokens: int | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    reasoning_effort: str | None = None
    include_reasoning: bool | None = None
    verbosity: str | None = None
    tools: Free = UNSET
    tool_choice: Free = UNSET
    parallel_tool_calls: bool | None = None
    functions: Free = UNSET
    function_call: Free = UNSET
    web_search_options: Free = UNSET
    modalities: list[str] | None = None
    metadata: dict[str, str] | None = None
    store: bool | None = None
    service_tier: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: str | None = None
    prompt_cache_options: Free = UNSET
    continue_final_message: bool | None = None
    add_generation_prompt: bool | None = None
    prediction: Free = UNSET


_FORM: Final = Form(_Request)
_TOOL_FIELDS: Final = ("tools", "tool_choice", "functions", "function_call", "web_search_options")


class OpenAIChat:
    """``POST /v1/chat/completions``."""

    name = "openai"
    upstream_path = "/v1/chat/completions"

    def read(self, body: bytes) -> Incoming:
        try:
            return _incoming(_FORM.read(body), len(body))
        except RecursionError as error:
            raise reading_error(error) from error

    def write(self, incoming: Incoming, granted: Asked) -> bytes:
        request: _Request = incoming.body.request
        extras, asked = incoming.body.extras, incoming.asked
        if granted is not asked:
            request = _brought_down(request, asked, granted)
            extras = extras if granted.unknown_fields else {}
        if request.stream:
            request = msgspec.structs.replace(request, stream_options=counted(request))
        return encoded(request, extras)

    def scrub(
        self,
        body: bytes,
        incoming: Incoming,
        surface: Surface,
        bind: Bind | None = None,
        choices: Choices | None = None,
    ) -> Answer:
        return openai_answers.scrub_chat(body, surface, bind, choices)

    def stream(
        self,
        incoming: Incoming,
        surface: Surface,
        bind: Bind | None = None,
        choices: Choices | None = None,
    ) -> Scrubber:
        options = incoming.body.request.stream_options
        usage = bool(options is not None and options.include_usage)
        return openai_answers.ChatScrubber(surface, usage=usage, bind=bind, choices=choices)

    def refusal(self, refusal: Refusal) -> bytes:
        return refusal_body(refusal)

    def failure(self, refusal: Refusal) -> bytes:
        return failure_event(refusal)


def _incoming(body: Body[_Request], size: int) -> Incoming:
    request = body.request
    if not request.messages:
        raise UnreadableError("messages must hold at least one message", "messages")
    if request.modalities and request.modalities != ["text"]:
        raise UnreadableError("modalities: only text answers are served", "modalities")
    texts = texts_of(request.messages)
    turns = texts.turns
    structure, format_name = structure_of(request)
    bias, biased = bias_of(request.logit_bias, request.allowed_token_ids, request.bad_words)
    last = request.messages[-1]
    prefilled = (
        last.role == "assistant"
        or bool(request.continue_final_message or last.prefix)
        or request.add_generation_prompt is False
    )
    tools = _tool_names(request)
    asked = Asked(
        model=model_name(request.model),
        stream=bool(request.stream),
        prompt_tokens=tokens_of_bytes(size - texts.media_bytes) + texts.media * MEDIA_TOKENS,
        logprobs=max(_shown(request), shown_of_prompt(request)),
        reasoning=_reasoning(request),
        n=max(limited("n", request.n, 1, 1), limited("best_of", request.best_of, 1, 1)),
        logit_bias=bias,
        bias=biased,
        seed=request.seed is not None,
        prefill=prefilled,
        echo=bool(request.echo),
        prompt_logprobs=request.prompt_logprobs is not None,
        token_ids=bool(request.return_token_ids or request.return_tokens_as_token_ids),
        max_tokens=_cap(request),
        structure=structure,
        tools=bool(tools) or request.web_search_options not in (UNSET, None),
        temperature=request.temperature,
        unknown_fields=tuple(body.extras),
        prefix=prefix_of(turns[:-1]) if biased else 0,
    )
    system = [turn.content for turn in turns if turn.role in ("system", "developer")]
    return Incoming(
        asked=asked,
        body=body,
        messages=turns,
        system="\n".join(system) or None,
        prefill=turns[-1].content if prefilled else None,
        tools=tools,
        top_p=request.top_p,
        response_format=format_name,
        reasoning=request.reasoning_effort,
        end_user=request.user or request.safety_identifier,
        stripped=body.stripped,
        opaque=opaque_of(request.messages),
    )


def _shown(request: _Request) -> int:
    """Alternatives a position of the answer; 1 for the chosen token alone."""
    if not (request.logprobs or request.top_logprobs):
        return 0
    return max(1, limited("top_logprobs", request.top_logprobs, 0, 0))


def _cap(request: _Request) -> int | None:
    """The smaller of the two names of the cap, where both are given."""
    cap = request.max_tokens
    other = request.max_completion_tokens
    if cap is None or (other is not None and other < cap):
        cap = other
    return None if cap is None else limited("max_tokens", cap, 1, 1)


def _reasoning(request: _Request) -> Reasoning:
    """Reasoning is shown when the request asks that it be; effort alone shows nothing."""
    return Reasoning.FULL if request.include_reasoning else Reasoning.NONE


def _tool_names(request: _Request) -> tuple[str, ...] | None:
    names: list[str] = []
    for offered in (request.tools, request.functions):
        if offered is UNSET or not offered:
            continue
        try:
            tools = msgspec.convert(offered, list[_Tool])
        except UNREADABLE as error:
            raise UnreadableError(f"tools: {error}", "tools") from error
        names += [(tool.function or tool.custom or tool).name for tool in tools]
    return tuple(names) or None


def _brought_down(request: _Request, asked: Asked, granted: Asked) -> _Request:
    """The request with what was granted written over what was asked."""
    new = brought_down(request, asked, granted)
    if granted.max_tokens != asked.max_tokens:
        name = "max_tokens" if request.max_completion_tokens is None else "max_completion_tokens"
        new |= {"max_tokens": None, name: granted.max_tokens}
    if granted.n != asked.n:
        new |= {"n": min(request.n or 1, granted.n), "best_of": None}
    if granted.logprobs != asked.logprobs and _shown(request):
        new |= _logprobs(request, granted.logprobs)
    if granted.reasoning != asked.reasoning:
        new["include_reasoning"] = False
    if asked.tools and not granted.tools:
        new |= {**dict.fromkeys(_TOOL_FIELDS, UNSET), "parallel_tool_calls": None}
    if asked.prefill and not granted.prefill:
        new |= {"continue_final_message": None, "add_generation_prompt": None}
        new["messages"] = without_prefill(request.messages)
    return msgspec.structs.replace(request, **new)


def _logprobs(request: _Request, granted: int) -> dict[str, Any]:
    if not granted:
        return {"logprobs": None, "top_logprobs": None}
    return {"logprobs": True, "top_logprobs": min(request.top_logprobs or 0, granted)}
