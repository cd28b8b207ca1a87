"""LiteLLM's ``StandardLoggingPayload``: what its proxy hands to S3, GCS, files and callbacks.

Schema: LiteLLM documentation, "StandardLoggingPayload Specification" (docs/proxy/logging_spec), and
``litellm/types/utils.py``, read in November 2026. Payloads may be wrapped in the arguments of a
callback. Calls that ask no model for text (embeddings, images, speech…) are left out and counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stillwatch.exchange import RawExchange
from stillwatch.sources.conversation import answer, structured
from stillwatch.sources.lenient import parse
from stillwatch.sources.nested import first, mapping
from stillwatch.sources.rows import Context, Refused, outcome
from stillwatch.sources.times import elapsed_ms
from stillwatch.sources.values import UnfitError

__all__ = ["LiteLLM"]

_WRAPPERS = ("standard_logging_object", "standard_logging_payload", "kwargs", "payload", "message")
#: parts of the names of calls that ask for no text
_OTHER_CALLS = (
    "embedding",
    "image",
    "transcription",
    "speech",
    "moderation",
    "rerank",
    "file",
    "batch",
    "fine_tuning",
    "vector_store",
    "video",
    "ocr",
    "search",
    "mcp",
    "get_",
    "list_",
    "delete_",
    "cancel_",
)
#: where the body of a request keeps its conversation or its text
_BODIES = ("messages", "input", "prompt")
_REDACTED = "redacted-by-litellm"
#: column → the payload's own name, for reasons
_SPELLED = {
    "at": "startTime",
    "account": "metadata.user_api_key_user_id",
    "completion": "response",
    "key": "metadata.user_api_key_hash",
    "ip": "requester_ip_address",
}
_PARAMETERS = (
    "temperature",
    "top_p",
    "n",
    "logprobs",
    "top_logprobs",
    "logit_bias",
    "response_format",
    "system",
)


class LiteLLM:
    """Reads payloads, one JSON object at a time."""

    name = "litellm"

    @staticmethod
    def recognises(value: Mapping[str, Any]) -> bool:
        """Whether an object is a payload, or wraps one."""
        return _payload(value) is not None

    def __init__(self, context: Context) -> None:
        self._context = Context(context.remarks, context.now, _SPELLED)

    def __call__(self, document: bytes) -> tuple[RawExchange | Refused, ...]:
        """The exchange in a payload, or why there is none."""
        if not document.strip():
            return ()
        try:
            value, replaced = parse(document)
        except UnfitError as unfit:
            return (Refused(f"the row {unfit.reason}"),)
        payload = _payload(value)
        if payload is None:
            return (Refused("the row is no StandardLoggingPayload, and wraps none"),)
        call = payload.get("call_type")
        if isinstance(call, str) and any(other in call for other in _OTHER_CALLS):
            self._context.remarks.note("calls that ask for no text (embeddings, images…) left out")
            return ()
        try:
            columns = _columns(payload)
        except UnfitError as unfit:
            return (Refused(unfit.reason),)
        return (outcome(columns, self._context, replaced=replaced),)


def _payload(value: object, depth: int = 0) -> Mapping[str, Any] | None:
    """The payload that an object is or wraps."""
    if not isinstance(value, dict):
        return None
    if "startTime" in value and "call_type" in value:
        return value
    if depth == len(_WRAPPERS):
        return None
    for wrapper in _WRAPPERS:
        found = _payload(structured(value.get(wrapper), "startTime", *_WRAPPERS), depth + 1)
        if found is not None:
            return found
    return None


def _columns(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of the native log that a payload fills.

    Raises:
        UnfitError: the text was redacted before it was logged.
    """
    metadata = mapping(payload, "metadata")
    parameters = mapping(payload, "model_parameters")
    response = structured(payload.get("response"), "choices", "output")
    usage = mapping(response, "usage") or mapping(metadata, "usage_object")
    completion, finish_reason = answer(response)
    columns: dict[str, Any] = {
        "at": payload.get("startTime"),
        "account": first(metadata, "user_api_key_user_id", "user_api_key_hash")
        or first(payload, "user", "api_key", "end_user"),
        "request_id": first(payload, "id", "request_id", "litellm_call_id"),
        "org": first(metadata, "user_api_key_org_id", "user_api_key_team_id")
        or first(payload, "organization_id", "team_id"),
        "key": first(metadata, "user_api_key_hash") or first(payload, "api_key"),
        "end_user": first(payload, "end_user") or first(metadata, "user_api_key_end_user_id"),
        "conversation": first(payload, "session_id", "trace_id"),
        "ip": first(payload, "requester_ip_address") or first(metadata, "requester_ip_address"),
        "user_agent": first(metadata, "user_agent") or first(payload, "user_agent"),
        "model": first(payload, "model_group", "model"),
        "endpoint": first(metadata, "user_api_key_request_route") or first(payload, "call_type"),
        "stream": first(payload, "stream"),
        "max_tokens": first(parameters, "max_tokens", "max_completion_tokens", "max_output_tokens"),
        "tools": first(parameters, "tools", "functions"),
        "reasoning": first(parameters, "reasoning_effort", "thinking", "reasoning"),
        "completion": completion,
        "finish_reason": finish_reason,
        "status": _status(payload),
        "prompt_tokens": first(payload, "prompt_tokens"),
        "completion_tokens": first(payload, "completion_tokens"),
        "cached_tokens": first(
            {**usage, **mapping(usage, "prompt_tokens_details", "input_tokens_details")},
            "cached_tokens",
            "cache_read_input_tokens",
        ),
        "reasoning_tokens": first(
            mapping(usage, "completion_tokens_details", "output_tokens_details"),
            "reasoning_tokens",
        ),
        "latency_ms": _latency(payload),
    }
    columns.update((name, parameters.get(name)) for name in _PARAMETERS)
    request = _request(payload.get("messages"))
    return columns | {name: value for name, value in request.items() if value is not None}


def _request(messages: Any) -> dict[str, Any]:
    """`prompt` or `messages`: a conversation, a text, several texts, or the body of the request.

    Raises:
        UnfitError: nothing was logged, or something redacted.
    """
    found: dict[str, Any] = {}
    body = structured(messages, "role", "type", *_BODIES)
    if isinstance(body, dict):
        found["system"] = first(body, "system", "instructions")
        body = first(body, *_BODIES)
    if isinstance(body, list) and body and all(isinstance(part, str) for part in body):
        body = "\n".join(body)
    if body is None or body in ([], ""):
        raise UnfitError("'messages' is missing: let LiteLLM log messages")
    texts = [_content(turn) for turn in body] if isinstance(body, list) else [body]
    if all(text == _REDACTED for text in texts):
        raise UnfitError("'messages' was redacted by LiteLLM: turn message logging on")
    return found | {"prompt" if isinstance(body, str) else "messages": body}


def _content(turn: Any) -> Any:
    return turn.get("content") if isinstance(turn, dict) else None


def _status(payload: Mapping[str, Any]) -> Any:
    """The HTTP status: 200 for a success, the error's code for a failure where it is one."""
    if payload.get("status") == "success":
        return 200
    code = mapping(payload, "error_information").get("error_code")
    return code if isinstance(code, int) or (isinstance(code, str) and code.isdecimal()) else None


def _latency(payload: Mapping[str, Any]) -> float | None:
    """Milliseconds between start and end; None where either cannot be read."""
    logged = payload.get("request_duration_ms")
    if isinstance(logged, int | float):
        return logged
    return elapsed_ms(payload.get("startTime"), payload.get("endTime"))
