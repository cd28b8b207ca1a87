"""The exchange with its text, which lives in memory only."""

from __future__ import annotations

import msgspec

__all__ = ["Message", "RawExchange"]


class Message(msgspec.Struct, frozen=True):
    """One turn of a conversation. ``content`` is plain text; other media are left out."""

    role: str
    content: str


class RawExchange(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One request and its response, with text. Never written to disk by this project.

    Times are microseconds since 1970-01-01 UTC. ``None`` means that the log does not say.
    Exactly one of ``prompt`` and ``messages`` is given. ``logit_bias`` counts biased tokens;
    ``tools`` are the names of the offered functions, in the order of the request.
    ``replayed_from`` is a digest already: of the account, under the key of the exchanges.
    """

    at: int
    account: str
    prompt: str | None = None
    messages: tuple[Message, ...] | None = None
    request_id: str | None = None
    org: str | None = None
    key: str | None = None
    end_user: str | None = None
    conversation: str | None = None
    channel: str | None = None
    tenant_kind: str | None = None
    ip: str | None = None
    asn: int | None = None
    country: str | None = None
    ja4: str | None = None
    user_agent: str | None = None
    accept_language: str | None = None
    payment: str | None = None
    device: str | None = None
    email_domain: str | None = None
    registered_at: int | None = None
    blocked_at: int | None = None
    model: str | None = None
    endpoint: str | None = None
    stream: bool | None = None
    temperature: float | None = None
    top_p: float | None = None
    n: int | None = None
    max_tokens: int | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    logit_bias: int | None = None
    tools: tuple[str, ...] | None = None
    response_format: str | None = None
    prefill: str | None = None
    system: str | None = None
    reasoning: str | None = None
    completion: str | None = None
    finish_reason: str | None = None
    status: int | None = None
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning_tokens: int | None = None
    latency_ms: int | None = None
    replay: str | None = None
    replayed_from: int | None = None
    mark: str | None = None
    mark_epoch: str | None = None
    unmarked: str | None = None
