"""The fields of OpenAI requests that bear on a surface, shared by chat and plain completions.

Beyond OpenAI's own API these are the sampling fields of vLLM and SGLang, because a field that
forces tokens or shows more of the model must be known as such, not be one of the unknown ones.
"""

from __future__ import annotations

from typing import Any, Final
from zlib import crc32

import msgspec
from msgspec import UNSET, UnsetType

from stillwatch.access import Asked, Bias, Structure
from stillwatch.gateway.dialects.bodies import UNREADABLE, limited
from stillwatch.gateway.dialects.dialect import UnreadableError

__all__ = [
    "Free",
    "SamplingFields",
    "StreamOptions",
    "bias_of",
    "brought_down",
    "counted",
    "form_of",
    "shown_of_prompt",
    "structure_of",
]

#: Any JSON. It is decoded, not copied, so that a key that stands twice in it counts once.
Free = Any | UnsetType


class StreamOptions(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """`include_obfuscation` is read and not sent: the padding would not pass the allow-list."""

    include_usage: bool | None = None
    continuous_usage_stats: bool | None = None
    include_obfuscation: bool | None = None


class SamplingFields(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """What chat and plain completions have in common."""

    model: str
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: int | None = None
    n: int | None = None
    best_of: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    repetition_penalty: float | None = None
    min_tokens: int | None = None
    ignore_eos: bool | None = None
    stop: str | list[str] | None = None
    stop_token_ids: list[int] | None = None
    seed: int | None = None
    user: str | None = None
    logit_bias: dict[str, float] | None = None
    allowed_token_ids: list[int] | None = None
    bad_words: list[str] | None = None
    echo: bool | None = None
    prompt_logprobs: int | None = None
    return_tokens_as_token_ids: bool | None = None
    return_token_ids: bool | None = None
    response_format: Free = UNSET
    structured_outputs: Free = UNSET
    guided_json: Free = UNSET
    guided_regex: Free = UNSET
    guided_choice: Free = UNSET
    guided_grammar: Free = UNSET
    json_schema: Free = UNSET
    regex: Free = UNSET
    ebnf: Free = UNSET


_GRAMMARS: Final = (
    "structured_outputs",
    "guided_json",
    "guided_regex",
    "guided_choice",
    "guided_grammar",
    "json_schema",
    "regex",
    "ebnf",
)
_FEATURES: Final[dict[str, tuple[str, ...]]] = {
    "seed": ("seed",),
    "echo": ("echo",),
    "prompt_logprobs": ("prompt_logprobs",),
    "token_ids": ("return_token_ids", "return_tokens_as_token_ids"),
}
_MOST_TOKEN_ID: Final = 2**31 - 1


class _Format(msgspec.Struct):
    type: str = "text"


_FORMATS: Final = {
    "text": Structure.TEXT,
    "json_object": Structure.JSON,
    "json_schema": Structure.SCHEMA,
}


def structure_of(body: SamplingFields) -> tuple[Structure, str | None]:
    """The strongest form that the request dictates, and the name of its `response_format`.

    Raises:
        UnreadableError: `response_format` is no object with a type.
    """
    dictated, name = form_of(body.response_format, "response_format")
    for field in _GRAMMARS:
        value = getattr(body, field)
        if value is not UNSET and value is not None:
            return Structure.GRAMMAR, name or field
    return dictated, name


def form_of(form: Free, field: str) -> tuple[Structure, str | None]:
    """What a form of the answer, in a field of this name, dictates, and its type.

    Raises:
        UnreadableError: it is no object with a type.
    """
    if form is UNSET or form is None:
        return Structure.TEXT, None
    try:
        name = msgspec.convert(form, _Format).type
    except UNREADABLE as error:
        raise UnreadableError(f"{field}: {error}", field) from error
    return _FORMATS.get(name, Structure.GRAMMAR), name


def bias_of(
    logit_bias: dict[str, float] | None,
    allowed: list[int] | None = None,
    banned: list[str] | None = None,
) -> tuple[Bias, tuple[int, ...]]:
    """What `logit_bias`, the only token ids that are allowed, and banned words do, and to which
    tokens (words have no token ids; each counts under a negative number of its own).

    Raises:
        UnreadableError: a token id is none.
    """
    if not (logit_bias or banned or allowed is not None):
        return Bias.NONE, ()
    kind, tokens = Bias.NONE, []
    for key, value in (logit_bias or {}).items():
        if not (key.isascii() and key.isdigit() and len(key) < 10):
            raise UnreadableError("logit_bias: keys must be token ids", "logit_bias")
        tokens.append(int(key))
        kind = max(kind, Bias.BAN if value <= -100 else Bias.ANY)
    if allowed is not None:
        if not all(0 <= token <= _MOST_TOKEN_ID for token in allowed):
            raise UnreadableError("allowed_token_ids must be token ids", "allowed_token_ids")
        kind = Bias.ANY
        tokens += allowed
    if banned:
        kind = max(kind, Bias.BAN)
        tokens += [-1 - crc32(word.encode()) for word in banned]
    return kind, tuple(tokens)


def brought_down(request: SamplingFields, asked: Asked, granted: Asked) -> dict[str, Any]:
    """The shared fields that must change for the request to ask what was granted, and no more.
    Completions and log probabilities are counted differently: their dialects see to them."""
    new: dict[str, Any] = {}
    if granted.temperature != asked.temperature:
        new["temperature"] = granted.temperature
    if granted.bias != asked.bias:
        new |= {"logit_bias": None, "allowed_token_ids": None, "bad_words": None}
    if granted.structure != asked.structure:
        new |= _formed(request, granted.structure)
    for feature, fields in _FEATURES.items():
        if getattr(asked, feature) and not getattr(granted, feature):
            new |= dict.fromkeys(fields)
    shown = new.get("prompt_logprobs", request.prompt_logprobs)
    if shown is not None and granted.logprobs != asked.logprobs:
        new["prompt_logprobs"] = min(shown, granted.logprobs) if granted.logprobs else None
    return new


def counted(request: SamplingFields) -> StreamOptions:
    """The options of a stream with its usage, which settles the bill, whoever asked for it."""
    options = request.stream_options
    each = options.continuous_usage_stats if options and options.include_usage else None
    return StreamOptions(include_usage=True, continuous_usage_stats=each)


def shown_of_prompt(request: SamplingFields) -> int:
    """Alternatives a position of the prompt; 1 for its own token alone.

    Raises:
        UnreadableError: below 0, by which some servers mean all of the vocabulary.
    """
    if request.prompt_logprobs is None:
        return 0
    return max(1, limited("prompt_logprobs", request.prompt_logprobs, 0, 0))


def _formed(request: SamplingFields, granted: Structure) -> dict[str, Any]:
    """Grammars go; so does a `response_format` that dictates more than was granted, down to JSON
    where that much was."""
    new: dict[str, Any] = dict.fromkeys(_GRAMMARS, UNSET)
    bare = msgspec.structs.replace(request, **new)
    if structure_of(bare)[0] > granted:
        json = granted >= Structure.JSON
        new["response_format"] = {"type": "json_object"} if json else UNSET
    return new
