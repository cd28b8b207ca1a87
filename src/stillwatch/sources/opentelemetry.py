"""OpenTelemetry GenAI spans as OTLP/JSON: which span is an exchange, and what its attributes say.

Semantic conventions: open-telemetry/semantic-conventions-genai, docs/gen-ai/gen-ai-spans.md and its
JSON schemas of messages, and open-telemetry/semantic-conventions v1.27 to v1.41 for the older
names, read in November 2026. The conventions have no attribute for who pays: :data:`ACCOUNT` lists
those that are tried. Spans that ask no model for text are left out and counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stillwatch.exchange import RawExchange
from stillwatch.sources.lenient import parse
from stillwatch.sources.nested import first
from stillwatch.sources.otel_content import content_of
from stillwatch.sources.otlp import Span, is_export, spans_of
from stillwatch.sources.rows import Context, Refused, outcome
from stillwatch.sources.times import Micros, elapsed_ms
from stillwatch.sources.values import UnfitError

__all__ = ["ACCOUNT", "OpenTelemetry"]

#: attributes that may name the account, of the span and then of its resource, most exact first
ACCOUNT = (
    "account.id",
    "user.account_id",
    "user.account_uuid",
    "metadata.user_api_key_user_id",
    "litellm.metadata.user_api_key_user_id",
    "user.id",
    "enduser.id",
    "tenant.id",
    "metadata.user_api_key_hash",
    "litellm.metadata.user_api_key_hash",
    "api_key.id",
)
#: column → the attributes that may fill it, the current convention first
ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "account": ACCOUNT,
    "org": ("organization.id", "org.id", "metadata.user_api_key_team_id"),
    "key": ("api_key.id", "metadata.user_api_key_hash", "litellm.metadata.user_api_key_hash"),
    "end_user": ("enduser.id", "gen_ai.request.user", "gen_ai.openai.request.user", "llm.user"),
    "conversation": ("gen_ai.conversation.id", "session.id"),
    "ip": ("client.address", "http.client_ip"),
    "country": ("geo.country.iso_code",),
    "user_agent": ("user_agent.original", "http.user_agent"),
    "model": ("gen_ai.request.model", "gen_ai.response.model"),
    "endpoint": ("http.route", "url.path", "gen_ai.operation.name", "llm.request.type"),
    "stream": ("gen_ai.request.stream", "gen_ai.request.streaming", "gen_ai.is_streaming"),
    "temperature": ("gen_ai.request.temperature",),
    "top_p": ("gen_ai.request.top_p",),
    "n": ("gen_ai.request.choice.count", "gen_ai.openai.request.n"),
    "max_tokens": ("gen_ai.request.max_tokens",),
    "response_format": (
        "openai.request.response_format",
        "gen_ai.openai.request.response_format",
        "gen_ai.output.type",
    ),
    "reasoning": (
        "gen_ai.request.reasoning.effort",
        "gen_ai.request.reasoning_effort",
        "gen_ai.openai.request.reasoning_effort",
    ),
    "finish_reason": ("gen_ai.response.finish_reasons", "gen_ai.completion.0.finish_reason"),
    "status": ("http.response.status_code", "http.status_code"),
    "prompt_tokens": ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
    "cached_tokens": (
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_read_input_tokens",
    ),
    "completion_tokens": ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
    "reasoning_tokens": (
        "gen_ai.usage.reasoning.output_tokens",
        "gen_ai.usage.reasoning_tokens",
    ),
}
#: operations that ask for no text, or only wrap spans that do
_OTHER_OPERATIONS = frozenset(
    {
        "embeddings",
        "embedding",
        "execute_tool",
        "invoke_agent",
        "create_agent",
        "invoke_workflow",
        "retrieval",
        "rerank",
    }
)
_SPELLED = {
    "at": "startTimeUnixNano",
    "messages": "gen_ai.input.messages",
    "completion": "gen_ai.output.messages",
    "system": "gen_ai.system_instructions",
    "tools": "gen_ai.tool.definitions",
} | {column: names[0] for column, names in ATTRIBUTES.items()}
_NO_ACCOUNT = f"no attribute names the account: set one of {', '.join(ACCOUNT[:7])}…"
_NO_CONTENT = (
    "the span holds no prompt: let the instrumentation capture message content "
    "(OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT)"
)


class OpenTelemetry:
    """Reads ``ExportTraceServiceRequest`` objects; each may hold any number of spans."""

    name = "otel"

    @staticmethod
    def recognises(value: Mapping[str, Any]) -> bool:
        """Whether an object is an export of spans."""
        return is_export(value)

    def __init__(self, context: Context) -> None:
        self._context = Context(context.remarks, context.now, _SPELLED)

    def __call__(self, document: bytes) -> tuple[RawExchange | Refused, ...]:
        """The exchanges among the spans of an export, and what was refused among them."""
        if not document.strip():
            return ()
        try:
            value, replaced = parse(document)
        except UnfitError as unfit:
            return (Refused(f"the row {unfit.reason}"),)
        if not isinstance(value, dict) or not is_export(value):
            return (Refused("the row is no export of spans: it has no 'resourceSpans'"),)
        outcomes = (self._outcome(span, replaced=replaced) for span in spans_of(value))
        return tuple(one for one in outcomes if one is not None)

    def _outcome(self, span: Span | UnfitError, *, replaced: bool) -> RawExchange | Refused | None:
        if isinstance(span, UnfitError):
            return Refused(span.reason)
        if not _asks_for_text(span.attributes):
            self._context.remarks.note("spans that ask no model for text left out")
            return None
        try:
            columns = _columns(span)
        except UnfitError as unfit:
            return Refused(unfit.reason)
        if columns["account"] is None:
            return Refused(_NO_ACCOUNT)
        if columns.get("prompt") is None and columns.get("messages") is None:
            return Refused(_NO_CONTENT)
        return outcome(columns, self._context, replaced=replaced)


def _asks_for_text(attributes: Mapping[str, Any]) -> bool:
    operation = first(attributes, "gen_ai.operation.name", "llm.request.type")
    if isinstance(operation, str):
        return operation not in _OTHER_OPERATIONS
    return "gen_ai.request.model" in attributes or "gen_ai.prompt.0.content" in attributes


def _columns(span: Span) -> dict[str, Any]:
    """The columns of the native log that a span fills."""
    fields, attributes = span.fields, span.attributes
    columns = {column: first(attributes, *names) for column, names in ATTRIBUTES.items()}
    if columns["account"] is None:
        columns["account"] = first(span.resource, *ACCOUNT)
    start, end = (_nanoseconds(fields.get(f"{side}TimeUnixNano")) for side in ("start", "end"))
    columns |= {
        "at": None if start is None else Micros(start // 1000),
        "latency_ms": elapsed_ms(start, end),
        "request_id": first(attributes, "gen_ai.response.id") or _span_id(fields),
    }
    if columns["status"] is None:
        error = attributes.get("error.type")
        columns["status"] = error if isinstance(error, str) and error.isdecimal() else None
    return columns | content_of(span)


def _span_id(fields: Mapping[str, Any]) -> str | None:
    trace, span = fields.get("traceId"), fields.get("spanId")
    return f"{trace}:{span}" if isinstance(trace, str) and isinstance(span, str) else None


def _nanoseconds(value: object) -> int | None:
    """A time of OTLP: nanoseconds since 1970, as text in JSON."""
    if isinstance(value, str) and value.isdecimal() and len(value) <= 20:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
