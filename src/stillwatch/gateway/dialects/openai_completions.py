"""OpenAI's plain completions: the request.

A list of prompts is answered by ``n`` choices each, and all of them are counted: `Asked.n` is the
number of choices that are generated. A prompt goes to the model as it is, so it may hold a chat
template with an answer already begun; open this route to nobody who may not prefill.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from stillwatch.access import Asked, Refusal, Surface
from stillwatch.gateway.dialects.bodies import Body, Form, encoded, limited, reading_error
from stillwatch.gateway.dialects.dialect import Answer, Choices, Incoming, Scrubber, UnreadableError
from stillwatch.gateway.dialects.names import model_name
from stillwatch.gateway.dialects.opaque import Bind
from stillwatch.gateway.dialects.openai_errors import failure_event, refusal_body
from stillwatch.gateway.dialects.openai_fields import (
    SamplingFields,
    bias_of,
    brought_down,
    counted,
    shown_of_prompt,
    structure_of,
)
from stillwatch.gateway.dialects.openai_prompts import Given, Prompts, prompts_in
from stillwatch.gateway.dialects.openai_texts import TextScrubber, scrub_texts
from stillwatch.gateway.dialects.prefixes import prefix_of
from stillwatch.gateway.dialects.sizes import tokens_of_bytes

__all__ = ["OpenAICompletions"]


class _Request(SamplingFields, omit_defaults=True, forbid_unknown_fields=True):
    prompt: Given | None = None
    suffix: str | None = None
    logprobs: int | None = None
    add_special_tokens: bool | None = None


_FORM: Final = Form(_Request)


class OpenAICompletions:
    """``POST /v1/completions``."""

    name = "openai_completions"
    upstream_path = "/v1/completions"

    def read(self, body: bytes) -> Incoming:
        try:
            return _incoming(_FORM.read(body), len(body))
        except RecursionError as error:
            raise reading_error(error) from error

    def write(self, incoming: Incoming, granted: Asked) -> bytes:
        request, extras = incoming.body.request, incoming.body.extras
        if granted is not incoming.asked:
            request = _brought_down(request, incoming.asked, granted)
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
        return scrub_texts(body, surface, choices)

    def stream(
        self,
        incoming: Incoming,
        surface: Surface,
        bind: Bind | None = None,
        choices: Choices | None = None,
    ) -> Scrubber:
        options = incoming.body.request.stream_options
        usage = bool(options and options.include_usage)
        return TextScrubber(surface, usage=usage, choices=choices)

    def refusal(self, refusal: Refusal) -> bytes:
        return refusal_body(refusal)

    def failure(self, refusal: Refusal) -> bytes:
        return failure_event(refusal)


def _incoming(body: Body[_Request], size: int) -> Incoming:
    request = body.request
    prompts = _prompts(request)
    structure, format_name = structure_of(request)
    bias, biased = bias_of(request.logit_bias, request.allowed_token_ids, request.bad_words)
    choices = max(limited("n", request.n, 1, 1), limited("best_of", request.best_of, 1, 1))
    cap = request.max_tokens
    asked = Asked(
        model=model_name(request.model),
        stream=bool(request.stream),
        prompt_tokens=_tokens(request, prompts, size),
        logprobs=max(_shown(request), shown_of_prompt(request)),
        n=limited("n", choices * prompts.number, 1, 1),
        logit_bias=bias,
        bias=biased,
        seed=request.seed is not None,
        echo=bool(request.echo),
        prompt_logprobs=request.prompt_logprobs is not None,
        token_ids=bool(request.return_token_ids or request.return_tokens_as_token_ids),
        max_tokens=None if cap is None else limited("max_tokens", cap, 0, 0),
        structure=structure,
        temperature=request.temperature,
        unknown_fields=tuple(body.extras),
        prefix=prefix_of(()) if biased else 0,
    )
    return Incoming(
        asked=asked,
        body=body,
        prompt=prompts.text,
        top_p=request.top_p,
        response_format=format_name,
        end_user=request.user,
        stripped=body.stripped,
    )


def _prompts(request: _Request) -> Prompts:
    if request.prompt is None:
        return Prompts(1, "", 0)  # the start of a document, by OpenAI's reference
    return prompts_in(request.prompt, "prompt")


def _tokens(request: _Request, prompts: Prompts, size: int) -> int:
    """Token ids are their own number; texts are estimated from the size of the body."""
    if not prompts.ids:
        return tokens_of_bytes(size)
    return prompts.ids + (tokens_of_bytes(len(request.suffix.encode())) if request.suffix else 0)


def _shown(request: _Request) -> int:
    """Alternatives a position of the answer; 1 for the chosen token alone."""
    if request.logprobs is None:
        return 0
    return max(1, limited("logprobs", request.logprobs, 0, 0))


def _brought_down(request: _Request, asked: Asked, granted: Asked) -> _Request:
    """The request with what was granted written over what was asked.

    Raises:
        UnreadableError: it has more prompts than choices were granted; none may be left out.
    """
    new: dict[str, Any] = brought_down(request, asked, granted)
    if granted.max_tokens != asked.max_tokens:
        new["max_tokens"] = granted.max_tokens
    if granted.n != asked.n:
        number = _prompts(request).number
        if number > granted.n:
            raise UnreadableError(f"prompt must not hold more than {granted.n} texts", "prompt")
        new |= {"n": min(request.n or 1, granted.n // number), "best_of": None}
    if granted.logprobs != asked.logprobs and request.logprobs is not None:
        shown = min(request.logprobs, granted.logprobs)
        new["logprobs"] = shown if granted.logprobs else None
    return msgspec.structs.replace(request, **new)
