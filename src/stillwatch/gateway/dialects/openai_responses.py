"""OpenAI Responses: the request.

Nothing is stored: `store` goes upstream as false whatever was asked, and fields that name something
that was stored are refused, since we could not tell whose it is. Tools are functions that the
client runs; tools that the model server runs by itself are refused by their names.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import UNSET

from stillwatch.access import Asked, Reasoning, Refusal, Structure, Surface
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
from stillwatch.gateway.dialects.openai_errors import refusal_body, typed_failure_event
from stillwatch.gateway.dialects.openai_fields import Free, bias_of, form_of
from stillwatch.gateway.dialects.openai_input import (
    Item,
    opaque_of,
    prefilled,
    texts_of,
    without_prefill,
)
from stillwatch.gateway.dialects.openai_output_surface import scrub_response
from stillwatch.gateway.dialects.openai_outputs import Repeated
from stillwatch.gateway.dialects.openai_typed_stream import ResponseScrubber
from stillwatch.gateway.dialects.prefixes import prefix_of
from stillwatch.gateway.dialects.sizes import MEDIA_TOKENS, tokens_of_bytes

__all__ = ["OpenAIResponses"]


class _Reasoning(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    effort: str | None = None
    summary: str | None = None
    generate_summary: str | None = None
    context: str | None = None
    mode: str | None = None


class _Text(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    format: Free = UNSET
    verbosity: str | None = None


class _StreamOptions(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """Read and not sent: the padding would not pass the allow-list."""

    include_obfuscation: bool | None = None


class _Request(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """OpenAI's fields, and those of vLLM's server that bear on a surface."""

    model: str
    input: str | list[Item]
    instructions: str | None = None
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    max_output_tokens: int | None = None
    max_tool_calls: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    repetition_penalty: float | None = None
    stop: str | list[str] | None = None
    ignore_eos: bool | None = None
    seed: int | None = None
    logit_bias: dict[str, float] | None = None
    structured_outputs: Free = UNSET
    include: list[str] | None = None
    top_logprobs: int | None = None
    reasoning: _Reasoning | None = None
    include_reasoning: bool | None = None
    text: _Text | None = None
    tools: Free = UNSET
    tool_choice: Free = UNSET
    parallel_tool_calls: bool | None = None
    truncation: str | None = None
    metadata: dict[str, str] | None = None
    store: bool | None = None
    user: str | None = None
    safety_identifier: str | None = None
    service_tier: str | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: str | None = None
    prompt_cache_options: Free = UNSET
    previous_response_id: Free = UNSET
    conversation: Free = UNSET
    prompt: Free = UNSET
    previous_input_messages: Free = UNSET
    background: bool | None = None


class _Tool(msgspec.Struct):
    type: str
    name: str = ""


_FORM: Final = Form(_Request)
_LOGPROBS: Final = "message.output_text.logprobs"
_ENCRYPTED: Final = "reasoning.encrypted_content"
_STORED: Final = ("previous_response_id", "conversation", "prompt", "previous_input_messages")


class OpenAIResponses:
    """``POST /v1/responses``."""

    name = "openai_responses"
    upstream_path = "/v1/responses"

    def read(self, body: bytes) -> Incoming:
        try:
            return _incoming(_FORM.read(body), len(body))
        except RecursionError as error:
            raise reading_error(error) from error

    def write(self, incoming: Incoming, granted: Asked) -> bytes:
        request, extras = incoming.body.request, incoming.body.extras
        new: dict[str, Any] = {}
        if granted is not incoming.asked:
            new = _brought_down(request, incoming.asked, granted)
            extras = extras if granted.unknown_fields else {}
        new |= {"store": False, "stream_options": None}
        return encoded(msgspec.structs.replace(request, **new), extras)

    def scrub(
        self,
        body: bytes,
        incoming: Incoming,
        surface: Surface,
        bind: Bind | None = None,
        choices: Choices | None = None,
    ) -> Answer:
        return scrub_response(body, _repeated(incoming, surface), surface, bind)

    def stream(
        self,
        incoming: Incoming,
        surface: Surface,
        bind: Bind | None = None,
        choices: Choices | None = None,
    ) -> Scrubber:
        return ResponseScrubber(_repeated(incoming, surface), surface, bind)

    def refusal(self, refusal: Refusal) -> bytes:
        return refusal_body(refusal)

    def failure(self, refusal: Refusal) -> bytes:
        return typed_failure_event(refusal)


def _incoming(body: Body[_Request], size: int) -> Incoming:
    request = body.request
    _refuse_stored(request)
    texts = texts_of(request.instructions, request.input)
    turns = texts.turns
    structure, format_name = _structure(request)
    bias, biased = bias_of(request.logit_bias)
    tools = _tool_names(request)
    begun = prefilled(request.input)
    cap = request.max_output_tokens
    asked = Asked(
        model=model_name(request.model),
        stream=bool(request.stream),
        prompt_tokens=tokens_of_bytes(size - texts.media_bytes) + texts.media * MEDIA_TOKENS,
        logprobs=_shown(request),
        reasoning=_reasoning(request),
        logit_bias=bias,
        bias=biased,
        seed=request.seed is not None,
        prefill=begun,
        max_tokens=None if cap is None else limited("max_output_tokens", cap, 1, 1),
        structure=structure,
        tools=bool(tools),
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
        prefill=turns[-1].content if begun and turns[-1].role == "assistant" else None,
        tools=tools,
        top_p=request.top_p,
        response_format=format_name,
        reasoning=_wanted(request.reasoning),
        end_user=request.user or request.safety_identifier,
        stripped=body.stripped,
        opaque=opaque_of(request.input),
    )


def _refuse_stored(request: _Request) -> None:
    """
    Raises:
        UnreadableError: the request needs something that was stored, or is to be stored.
    """
    for name in _STORED:
        if getattr(request, name):  # UNSET is false
            raise UnreadableError(
                f"{name}: nothing is stored here; send the whole conversation in input", name
            )
    if request.background:
        raise UnreadableError(
            "background: nothing is stored here; wait for the answer, or stream it", "background"
        )
    for name in request.include or ():
        if name not in (_LOGPROBS, _ENCRYPTED):
            raise UnreadableError(
                f"include: only {_LOGPROBS} and {_ENCRYPTED} are served", "include"
            )


def _shown(request: _Request) -> int:
    """Alternatives a position of the answer; 1 for the chosen token alone."""
    if not (request.top_logprobs or _LOGPROBS in (request.include or ())):
        return 0
    return max(1, limited("top_logprobs", request.top_logprobs, 0, 0))


def _reasoning(request: _Request) -> Reasoning:
    """What of it is asked for; effort alone shows nothing. It is encrypted in full."""
    if request.include_reasoning or _ENCRYPTED in (request.include or ()):
        return Reasoning.FULL
    thinking = request.reasoning
    if thinking is not None and (thinking.summary or thinking.generate_summary):
        return Reasoning.SUMMARY
    return Reasoning.NONE


def _wanted(thinking: _Reasoning | None) -> str | None:
    """The effort, or else the display, for the row."""
    if thinking is None:
        return None
    return thinking.effort or thinking.summary or thinking.generate_summary


def _structure(request: _Request) -> tuple[Structure, str | None]:
    dictated, name = form_of(request.text.format if request.text else UNSET, "text.format")
    if request.structured_outputs is not UNSET and request.structured_outputs is not None:
        return Structure.GRAMMAR, name or "structured_outputs"
    return dictated, name


def _tool_names(request: _Request) -> tuple[str, ...] | None:
    """
    Raises:
        UnreadableError: tools have no form, or one is no function.
    """
    if request.tools is UNSET or not request.tools:
        return None
    try:
        tools = msgspec.convert(request.tools, list[_Tool])
    except UNREADABLE as error:
        raise UnreadableError(f"tools: {error}", "tools") from error
    for tool in tools:
        if tool.type != "function":
            raise UnreadableError(
                f"tools: only functions are served, not {tool.type[:40]!a}", "tools"
            )
    return tuple(tool.name for tool in tools)


def _repeated(incoming: Incoming, surface: Surface) -> Repeated:
    """What an answer repeats of its request; of tools, as much as was let through."""
    request: _Request = incoming.body.request
    choice = request.tool_choice
    offered = surface.tools and bool(incoming.tools)
    return Repeated(
        tools=request.tools if offered else [],
        tool_choice=choice if offered and choice is not UNSET and choice is not None else "auto",
        parallel_tool_calls=request.parallel_tool_calls is not False,
        metadata=request.metadata or {},
    )


def _brought_down(request: _Request, asked: Asked, granted: Asked) -> dict[str, Any]:
    """What must change for the request to ask what was granted, and no more."""
    new: dict[str, Any] = {}
    if granted.max_tokens != asked.max_tokens:
        new["max_output_tokens"] = granted.max_tokens
    if granted.temperature != asked.temperature:
        new["temperature"] = granted.temperature
    if granted.bias != asked.bias:
        new["logit_bias"] = None
    if asked.seed and not granted.seed:
        new["seed"] = None
    if granted.structure != asked.structure:
        new |= _formed(request, granted.structure)
    include = list(request.include or ())
    if granted.logprobs != asked.logprobs:
        shown = min(request.top_logprobs or 0, granted.logprobs)
        new["top_logprobs"] = shown if granted.logprobs else None
        if not granted.logprobs:
            include = [name for name in include if name != _LOGPROBS]
    if granted.reasoning != asked.reasoning:
        new["include_reasoning"] = None
        include = [name for name in include if name != _ENCRYPTED]
        if request.reasoning is not None and not granted.reasoning:
            new["reasoning"] = msgspec.structs.replace(
                request.reasoning, summary=None, generate_summary=None
            )
    if request.include is not None and include != request.include:
        new["include"] = include or None
    if asked.tools and not granted.tools:
        new |= {"tools": UNSET, "tool_choice": UNSET, "parallel_tool_calls": None}
    if asked.prefill and not granted.prefill and not isinstance(request.input, str):
        new["input"] = without_prefill(request.input)
    return new


def _formed(request: _Request, granted: Structure) -> dict[str, Any]:
    """A grammar goes; so does a form that dictates more than was granted, down to JSON where that
    much was."""
    new: dict[str, Any] = {"structured_outputs": UNSET}
    bare = msgspec.structs.replace(request, **new)
    if request.text is not None and _structure(bare)[0] > granted:
        json = {"type": "json_object"} if granted >= Structure.JSON else UNSET
        new["text"] = msgspec.structs.replace(request.text, format=json)
    return new
