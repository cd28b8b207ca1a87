"""The fields of OpenAI requests that bear on a surface, shared by chat and plain completions.

Beyond OpenAI's own API these are the sampling fields of vLLM and SGLang, because a field that
forces tokens or shows more of the model must be known as such, not be one of the unknown ones.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from stillwatch.access import Bias, Structure
from stillwatch.gateway.dialects.dialect import UnreadableError

__all__ = [
    "NEVER_FORWARDED",
    "SamplingFields",
    "StreamOptions",
    "bias_of",
    "limited",
    "structure_of",
]

#: Fields through which a client could reach the mark or the engine's plug-ins: always taken out.
NEVER_FORWARDED = frozenset(
    {
        "watermark",
        "watermarking",
        "watermark_config",
        "vllm_xargs",
        "extra_args",
        "custom_params",
        "custom_logit_processor",
        "logits_processors",
        "kv_transfer_params",
        "cache_salt",
        "lora_path",
        "priority",
    }
)
_LARGEST = 2**31 - 1


class StreamOptions(msgspec.Struct, omit_defaults=True):
    include_usage: bool | None = None


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
    response_format: Raw | UnsetType = UNSET
    structured_outputs: Raw | UnsetType = UNSET
    guided_json: Raw | UnsetType = UNSET
    guided_regex: Raw | UnsetType = UNSET
    guided_choice: Raw | UnsetType = UNSET
    guided_grammar: Raw | UnsetType = UNSET
    json_schema: Raw | UnsetType = UNSET
    regex: Raw | UnsetType = UNSET
    ebnf: Raw | UnsetType = UNSET


_GRAMMARS = (
    "structured_outputs",
    "guided_json",
    "guided_regex",
    "guided_choice",
    "guided_grammar",
    "json_schema",
    "regex",
    "ebnf",
)
STRUCTURE_FIELDS = ("response_format", *_GRAMMARS)


class _Format(msgspec.Struct):
    type: str = "text"


_FORMATS = {"text": Structure.TEXT, "json_object": Structure.JSON, "json_schema": Structure.SCHEMA}
_NULL = b"null"


def structure_of(body: SamplingFields) -> tuple[Structure, str | None]:
    """The strongest form that the request dictates, and the name of its `response_format`.

    Raises:
        UnreadableError: `response_format` is no object with a type.
    """
    dictated, name = Structure.TEXT, None
    if body.response_format is not UNSET and bytes(body.response_format) != _NULL:
        try:
            name = msgspec.json.decode(body.response_format, type=_Format).type
        except (msgspec.DecodeError, RecursionError) as error:
            raise UnreadableError(f"response_format: {error}", "response_format") from error
        dictated = _FORMATS.get(name, Structure.GRAMMAR)
    for field in _GRAMMARS:
        value = getattr(body, field)
        if value is not UNSET and bytes(value) != _NULL:
            return Structure.GRAMMAR, name or field
    return dictated, name


def bias_of(body: SamplingFields) -> tuple[Bias, tuple[int, ...]]:
    """What `logit_bias` and token lists do, and to which tokens.

    Raises:
        UnreadableError: a key of `logit_bias` is no token id.
    """
    kind, tokens = Bias.NONE, []
    for key, value in (body.logit_bias or {}).items():
        if not (key.isascii() and key.isdigit() and len(key) < 10):
            raise UnreadableError("logit_bias: keys must be token ids", "logit_bias")
        tokens.append(int(key))
        kind = max(kind, Bias.BAN if value <= -100 else Bias.ANY)
    if body.allowed_token_ids is not None:
        kind = Bias.ANY
        tokens += body.allowed_token_ids
    if body.bad_words:
        kind = max(kind, Bias.BAN)
        tokens += [-1 - i for i in range(len(body.bad_words))]  # words: no ids, but they count
    return kind, tuple(tokens)


def limited(name: str, value: int | None, least: int, default: int) -> int:
    """A count of the request, checked; huge values are the same as the largest that we compare.

    Raises:
        UnreadableError: it is smaller than `least`.
    """
    if value is None:
        return default
    if value < least:
        raise UnreadableError(f"{name} must be at least {least}, not {value}", name)
    return min(value, _LARGEST)


def reading_error(error: Exception) -> UnreadableError:
    """msgspec's words about a body, without the body's own."""
    if isinstance(error, RecursionError):
        return UnreadableError("the body is nested too deeply")
    if isinstance(error, msgspec.ValidationError):
        return UnreadableError(str(error), parameter_in(error))
    return UnreadableError(f"the body is not JSON: {error}")


def parameter_in(error: Exception) -> str | None:
    """The path that msgspec names, as ``messages[0].role``."""
    _, _, path = str(error).partition(" - at `$")
    return path.rstrip("`").lstrip(".") or None


def unknown_in(error: msgspec.ValidationError) -> str | None:
    """The field that was not known, with its path, if that is what is wrong."""
    message = str(error)
    if not message.startswith("Object contains unknown field `"):
        return None
    name = message.split("`")[1]
    where = parameter_in(error)
    return f"{where}.{name}" if where else name


def generic(body: bytes) -> dict[str, Any]:
    """The body as a mapping, each key once (the last one counts)."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise reading_error(error) from error
    if not isinstance(found, dict):
        raise UnreadableError("the body must be a JSON object")
    return found
