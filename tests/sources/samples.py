"""Sample logs of other programs, written from their documented schemas.

LiteLLM: "StandardLoggingPayload Specification" in its documentation (docs/proxy/logging_spec),
``StandardLoggingPayload`` and ``StandardLoggingMetadata`` in its litellm/types/utils.py, and the
object that its GCS test downloads. OpenTelemetry: open-telemetry/semantic-conventions-genai,
docs/gen-ai/gen-ai-spans.md, gen-ai-input-messages.json and non-normative/examples-llm-calls.md; the
older forms from semantic-conventions v1.27 (docs/gen-ai/gen-ai-events.md) and OpenLLMetry; the
envelope from opentelemetry-proto's JSON mapping. All read in November 2026.
"""

from __future__ import annotations

from typing import Any

__all__ = ["AT", "litellm_payload", "otel_attributes", "otel_export", "otel_span"]

#: seconds since 1970 of the first request in a sample
AT = 1_763_700_000.25


def litellm_payload(number: int = 0, *, prompt: str = "Why is the sky blue?") -> dict[str, Any]:
    """A successful chat completion through the LiteLLM proxy."""
    start = AT + number
    return {
        "id": f"chatcmpl-{number:08d}",
        "trace_id": f"trace-{number:08d}",
        "session_id": f"session-{number // 10}",
        "call_type": "acompletion",
        "stream": True,
        "response_cost": 3.75e-05,
        "cost_breakdown": {"input_cost": 1e-05, "output_cost": 2.75e-05, "total_cost": 3.75e-05},
        "response_cost_failure_debug_info": None,
        "status": "success",
        "status_fields": {"llm_api_status": "success", "guardrail_status": "not_run"},
        "custom_llm_provider": "openai",
        "total_tokens": 21,
        "prompt_tokens": 9,
        "completion_tokens": 12,
        "startTime": start,
        "endTime": start + 0.75,
        "completionStartTime": start + 0.25,
        "response_time": 0.25,
        "model_map_information": {"model_map_key": "gpt-4o", "model_map_value": {"mode": "chat"}},
        "model": "openai/gpt-4o-2024-11-20",
        "model_id": "b68d56d76b0c24ac",
        "model_group": "gpt-4o",
        "api_base": "https://upstream.example",
        "metadata": {
            "user_api_key_hash": f"hash-{number % 7}",
            "user_api_key_alias": None,
            "user_api_key_spend": 0.0,
            "user_api_key_max_budget": None,
            "user_api_key_org_id": None,
            "user_api_key_team_id": f"team-{number % 3}",
            "user_api_key_user_id": f"user-{number % 5}",
            "user_api_key_user_email": None,
            "user_api_key_team_alias": None,
            "user_api_key_end_user_id": None,
            "user_api_key_request_route": "/v1/chat/completions",
            "spend_logs_metadata": None,
            "requester_ip_address": "198.51.100.7",
            "user_agent": "OpenAI/Python 2.24.0",
            "requester_metadata": {},
            "requester_custom_headers": {"x-stainless-lang": "python"},
            "applied_guardrails": [],
            "usage_object": None,
        },
        "cache_hit": None,
        "cache_key": None,
        "saved_cache_cost": 0.0,
        "request_tags": [],
        "end_user": "customer-9",
        "requester_ip_address": "198.51.100.7",
        "messages": [
            {"role": "system", "content": "You are terse."},
            {"role": "user", "content": [{"type": "text", "text": prompt}]},
        ],
        "response": {
            "id": f"chatcmpl-{number:08d}",
            "created": int(start),
            "model": "gpt-4o-2024-11-20",
            "object": "chat.completion",
            "choices": [
                {
                    "finish_reason": "stop",
                    "index": 0,
                    "message": {
                        "content": "Rayleigh scattering.",
                        "role": "assistant",
                        "tool_calls": None,
                        "function_call": None,
                    },
                }
            ],
            "usage": {
                "completion_tokens": 12,
                "prompt_tokens": 9,
                "total_tokens": 21,
                "completion_tokens_details": {"reasoning_tokens": 5},
                "prompt_tokens_details": {"cached_tokens": 4},
            },
        },
        "error_str": None,
        "error_information": {"error_code": "", "error_class": "", "llm_provider": ""},
        "model_parameters": {
            "stream": True,
            "temperature": 0.2,
            "top_p": 1.0,
            "n": 1,
            "max_tokens": 256,
            "logprobs": True,
            "top_logprobs": 5,
            "logit_bias": {"50256": -100},
            "response_format": {"type": "json_object"},
            "reasoning_effort": "low",
            "tools": [
                {"type": "function", "function": {"name": "look_up", "parameters": {}}},
                {"type": "function", "function": {"name": "add", "parameters": {}}},
            ],
        },
        "hidden_params": {"model_id": "b68d56d76b0c24ac", "additional_headers": {}},
        "guardrail_information": None,
    }


def otel_attributes(number: int = 0, *, prompt: str = "Why is the sky blue?") -> dict[str, Any]:
    """The attributes of a chat span by the current conventions, with content captured."""
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.conversation.id": f"conv-{number // 10}",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.request.stream": True,
        "gen_ai.request.temperature": 0.2,
        "gen_ai.request.top_p": 1.0,
        "gen_ai.request.max_tokens": 256,
        "gen_ai.request.choice.count": 2,
        "gen_ai.output.type": "json",
        "gen_ai.response.id": f"chatcmpl-{number:08d}",
        "gen_ai.response.model": "gpt-4o-2024-11-20",
        "gen_ai.response.finish_reasons": ["stop", "length"],
        "gen_ai.usage.input_tokens": 9,
        "gen_ai.usage.cache_read.input_tokens": 4,
        "gen_ai.usage.output_tokens": 12,
        "gen_ai.usage.reasoning.output_tokens": 5,
        "gen_ai.system_instructions": '[{"type": "text", "content": "You are terse."}]',
        "gen_ai.input.messages": [
            {"role": "user", "parts": [{"type": "text", "content": prompt}]},
            {
                "role": "assistant",
                "parts": [
                    {"type": "tool_call", "id": "c1", "name": "look_up", "arguments": {"q": "sky"}}
                ],
            },
            {
                "role": "tool",
                "parts": [
                    {"type": "tool_call_response", "id": "c1", "response": {"colour": "blue"}}
                ],
            },
        ],
        "gen_ai.output.messages": [
            {
                "role": "assistant",
                "parts": [{"type": "text", "content": "Rayleigh scattering."}],
                "finish_reason": "stop",
            }
        ],
        "gen_ai.tool.definitions": [{"type": "function", "name": "look_up", "parameters": {}}],
        "user.id": f"user-{number % 5}",
        "enduser.id": "customer-9",
        "client.address": "198.51.100.7",
        "user_agent.original": "OpenAI/Python 2.24.0",
        "http.response.status_code": 200,
        "url.path": "/v1/chat/completions",
    }


def otel_span(
    number: int,
    attributes: dict[str, Any],
    events: list[tuple[str, dict[str, Any]]] | None = None,
) -> dict[str, Any]:
    """A span of OTLP/JSON: 64-bit numbers as text, every value in its type."""
    start = (int(AT * 4) + 4 * number) * 250_000_000
    return {
        "traceId": f"{number:032x}",
        "spanId": f"{number:016x}",
        "name": "chat gpt-4o",
        "kind": 3,
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + 750_000_000),
        "attributes": _pairs(attributes),
        "events": [
            {"timeUnixNano": str(start), "name": name, "attributes": _pairs(given)}
            for name, given in events or []
        ],
        "status": {},
    }


def otel_export(*spans: Any, resource: dict[str, Any] | None = None) -> dict[str, Any]:
    """An ``ExportTraceServiceRequest`` with `spans` in one scope of one resource."""
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": _pairs({"service.name": "gateway"} | (resource or {}))},
                "scopeSpans": [{"scope": {"name": "genai", "version": "1"}, "spans": list(spans)}],
            }
        ]
    }


def _pairs(attributes: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _wrapped(value)} for key, value in attributes.items()]


def _wrapped(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [_wrapped(entry) for entry in value]}}
    if isinstance(value, dict):
        return {"kvlistValue": {"values": _pairs(value)}}
    return {"stringValue": value}
