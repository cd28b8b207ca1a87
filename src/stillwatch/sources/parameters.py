"""What a request asks for, as the dialects write it → what :class:`RawExchange` holds.

:data:`READERS` has a function for every kind of column but times, which need their column's name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stillwatch.sources import values
from stillwatch.sources.conversation import answer, plain_text, read_messages, unpacked
from stillwatch.sources.tools import read_tools
from stillwatch.sources.values import UnfitError, kind_of

__all__ = ["READERS"]

#: stands for a prefill of which the log says only that it was there
_PREFILLED = "…"


def _logprobs(value: object) -> bool | int:
    """True or false; the older completions API gave the number of alternatives here."""
    if isinstance(value, bool) or value in (0, 1):
        return bool(value)
    return values.flag(value) if isinstance(value, str) else values.count(value)


def _ip(value: object) -> str | None:
    return values.text(value) or None


def _logit_bias(value: object) -> int:
    biases = unpacked(value)
    if isinstance(biases, dict):  # a struct of Parquet has every key of the file, most of them null
        return sum(bias is not None for bias in biases.values())
    return len(biases) if isinstance(biases, list) else values.count(biases)


def _response_format(value: object) -> str | None:
    form = unpacked(value)
    if isinstance(form, dict):
        form = form.get("type") or ("json_schema" if "schema" in form else None)
        if form is None:
            raise UnfitError("is an object without a type")
    return values.name(form)


def _prefill(value: object) -> str | None:
    """The text; of a bare true an ellipsis, of false the empty text: there was none."""
    if isinstance(value, str):
        return value
    return _PREFILLED if values.flag(value) else ""


def _reasoning(value: object) -> str | None:
    effort = unpacked(value)
    if isinstance(effort, dict):
        known = ("effort", "type", "display", "enabled")
        effort = next((effort[key] for key in known if effort.get(key) is not None), "enabled")
    if isinstance(effort, bool):
        return "enabled" if effort else "disabled"
    if isinstance(effort, str):
        return effort or None
    raise UnfitError(f"is {kind_of(effort)}, not text, an object or true")


def _completion(value: object) -> str | None:
    """The text, or that of the first choice in a response as the API gave it."""
    if not isinstance(value, dict):
        return plain_text(value)
    text, _ = answer(value)
    if text is None:
        raise UnfitError("is an object that holds no text of an answer")
    return text


def _finish_reason(value: object) -> str | None:
    """The reason, or the first of several choices' reasons."""
    if isinstance(value, list):
        value = value[0] if value else ""
    return values.name(value)


READERS: dict[str, Callable[[Any], Any]] = {
    "name": values.name,
    "text": values.text,
    "messages": read_messages,
    "ip": _ip,
    "asn": values.asn,
    "flag": values.flag,
    "number": values.number,
    "count": values.count,
    "max_tokens": values.max_tokens,
    "duration": values.duration,
    "logprobs": _logprobs,
    "logit_bias": _logit_bias,
    "tools": read_tools,
    "response_format": _response_format,
    "prefill": _prefill,
    "system": plain_text,
    "reasoning": _reasoning,
    "completion": _completion,
    "finish_reason": _finish_reason,
}
