"""The columns of the native log: what each holds, its unit, and the other names it may go by.

``docs/logs.md`` prints this table, and a test holds the page against it. Kinds, as
:mod:`stillwatch.sources.values` and :mod:`stillwatch.sources.parameters` read them, are in
:data:`KINDS`.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["COLUMNS", "KINDS", "SPELLINGS", "LogColumn"]

#: kind of a column → what it may hold, in words
KINDS: dict[str, str] = {
    "time": "time: RFC 3339, or a number since 1970",
    "name": "short text or whole number",
    "text": "text",
    "messages": "list of {role, content}, or JSON",
    "ip": "text",
    "asn": "whole number, or text AS…",
    "flag": "true or false, or 1 or 0",
    "number": "number",
    "count": "whole number, 0 to 2³¹ - 1",
    "max_tokens": "whole number, 0 to 2³¹ - 1, or -1",
    "duration": "number of milliseconds",
    "logprobs": "true or false, or a count",
    "logit_bias": "object, or a count",
    "tools": "list of definitions or names, or a count",
    "response_format": "text, or an object with a type",
    "prefill": "text, or true or false",
    "system": "text, or content parts",
    "reasoning": "text, an object with an effort, or true or false",
    "completion": "text, content parts, or the response object",
    "finish_reason": "short text, or a list of them",
}


class LogColumn(NamedTuple):
    """One column of the native log."""

    name: str
    kind: str
    holds: str
    aliases: tuple[str, ...] = ()
    required: bool = False


COLUMNS: tuple[LogColumn, ...] = (
    LogColumn(
        "at",
        "time",
        "when the request arrived",
        ("timestamp", "time", "ts", "created_at"),
        required=True,
    ),
    LogColumn(
        "account",
        "name",
        "the smallest billed identity",
        ("account_id",),
        required=True,
    ),
    LogColumn("prompt", "text", "the text of the request; this or `messages`, not both"),
    LogColumn("messages", "messages", "the conversation of the request, oldest turn first"),
    LogColumn("request_id", "name", "unique to the request; a second row with it is refused"),
    LogColumn("org", "name", "the group of accounts under one contract", ("org_id",)),
    LogColumn("key", "name", "the credential: an id or a digest, best not the secret", ("key_id",)),
    LogColumn("end_user", "name", "the customer's own user id", ("end_user_id",)),
    LogColumn(
        "conversation",
        "name",
        "the conversation",
        ("conversation_id", "session_id", "thread_id"),
    ),
    LogColumn("channel", "name", "how the request came in: api, console, cloud, aggregator…"),
    LogColumn("tenant_kind", "name", "what your registry says the account is for"),
    LogColumn("ip", "ip", "the client address, IPv4 or IPv6", ("client_ip", "ip_address")),
    LogColumn("asn", "asn", "autonomous system number of the client address: 13335 or AS13335"),
    LogColumn("country", "name", "ISO 3166 code; for access rules only, no detection reads it"),
    LogColumn("ja4", "name", "the JA4 fingerprint of the TLS client"),
    LogColumn("user_agent", "name", "the User-Agent header"),
    LogColumn("accept_language", "name", "the Accept-Language header"),
    LogColumn("payment", "name", "the payment instrument: an id or a digest"),
    LogColumn("device", "name", "the device fingerprint", ("device_id",)),
    LogColumn("email_domain", "name", "the mail domain of the registration"),
    LogColumn("registered_at", "time", "when the account was registered"),
    LogColumn("blocked_at", "time", "when the account was blocked"),
    LogColumn("model", "name", "the model that was asked for"),
    LogColumn("endpoint", "name", "the API route or operation", ("route",)),
    LogColumn("stream", "flag", "whether the response was streamed"),
    LogColumn("temperature", "number", "sampling temperature"),
    LogColumn("top_p", "number", "nucleus threshold, 0 to 1"),
    LogColumn("n", "count", "completions asked for"),
    LogColumn(
        "max_tokens",
        "max_tokens",
        "cap on output tokens; -1 says that there is none",
        ("max_completion_tokens", "max_output_tokens"),
    ),
    LogColumn(
        "logprobs",
        "logprobs",
        "whether log probabilities were asked for; a number of them is read as `top_logprobs` too",
    ),
    LogColumn("top_logprobs", "count", "alternatives a position that were asked for"),
    LogColumn("logit_bias", "logit_bias", "the biases by token, or how many tokens are biased"),
    LogColumn(
        "tools",
        "tools",
        "the functions offered: their definitions, their names, or how many",
        ("functions",),
    ),
    LogColumn(
        "response_format", "response_format", "text, json_object, json_schema: text or object"
    ),
    LogColumn("prefill", "prefill", "the dictated start of the answer, or true if there was one"),
    LogColumn("system", "system", "the system prompt", ("system_prompt",)),
    LogColumn(
        "reasoning",
        "reasoning",
        "reasoning effort or display that was asked for: text, object, or true",
        ("reasoning_effort",),
    ),
    LogColumn("completion", "completion", "the text of the answer", ("response",)),
    LogColumn("finish_reason", "finish_reason", "why the answer ended", ("stop_reason",)),
    LogColumn("status", "count", "HTTP status", ("status_code",)),
    LogColumn("prompt_tokens", "count", "input tokens, cached ones included", ("input_tokens",)),
    LogColumn("cached_tokens", "count", "input tokens served from a prefix cache"),
    LogColumn("completion_tokens", "count", "output tokens", ("output_tokens",)),
    LogColumn("reasoning_tokens", "count", "of these, tokens of reasoning"),
    LogColumn(
        "latency_ms",
        "duration",
        "milliseconds from request to last byte, rounded",
        ("duration_ms",),
    ),
)

#: every name that a column may go by → the column
SPELLINGS: dict[str, str] = {c.name: c.name for c in COLUMNS} | {
    alias: c.name for c in COLUMNS for alias in c.aliases
}
