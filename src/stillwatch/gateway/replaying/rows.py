"""What a replay keeps of a row of a log: its facts, never its text."""

from __future__ import annotations

from typing import NamedTuple

import pyarrow as pa

__all__ = ["PARAMETERS", "SCHEMA", "Row"]


class Row(NamedTuple):
    """One request of a log. ``None``: the row does not say.

    `at` is in microseconds since 1970-01-01 UTC. `logprobs` counts alternatives a position, and
    `logit_bias` biased tokens. `prompt_tokens` is never below what the gateway would estimate from
    the text, or what the log says.
    """

    at: int
    number: int
    account: str
    key: str | None
    org: str | None
    kind: str | None
    ip: str | None
    country: str | None
    asn: int | None
    ja4: str | None
    model: str | None
    endpoint: str | None
    stream: bool | None
    temperature: float | None
    n: int | None
    max_tokens: int | None
    logprobs: int | None
    logit_bias: int | None
    tools: bool | None
    response_format: str | None
    prefill: bool | None
    reasoning: str | None
    prompt_tokens: int
    completion_tokens: int | None
    latency_ms: int | None
    status: int | None


#: The columns of a kept row, as they lie in a temporary file.
SCHEMA = pa.schema(
    [
        ("at", pa.int64()),
        ("number", pa.int64()),
        *((name, pa.string()) for name in ("account", "key", "org", "kind", "ip", "country")),
        ("asn", pa.int64()),
        *((name, pa.string()) for name in ("ja4", "model", "endpoint")),
        ("stream", pa.bool_()),
        ("temperature", pa.float64()),
        *((name, pa.int64()) for name in ("n", "max_tokens", "logprobs", "logit_bias")),
        ("tools", pa.bool_()),
        ("response_format", pa.string()),
        ("prefill", pa.bool_()),
        ("reasoning", pa.string()),
        *((name, pa.int64()) for name in ("prompt_tokens", "completion_tokens", "latency_ms")),
        ("status", pa.int64()),
    ]
)
#: column of a parameter → the fact that rules read it as. Blank, where other rows fill the column,
#: it was not asked for.
PARAMETERS = {
    "stream": "stream",
    "temperature": "temperature",
    "n": "n",
    "max_tokens": "max_tokens",
    "logprobs": "logprobs",
    "logit_bias": "biased_tokens",
    "tools": "tools",
    "response_format": "structure",
    "prefill": "prefill",
    "reasoning": "reasoning",
}
