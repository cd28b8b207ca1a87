"""LiteLLM payloads, as the samples have them; their schema is named in ``samples.py``."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from stillwatch.exchange import Message, RawExchange


@pytest.fixture
def read_payload(read_lines: Any, samples: SimpleNamespace) -> Any:
    """Read a sample payload with some fields replaced."""

    def one(**fields: Any) -> Any:
        payload = copy.deepcopy(samples.litellm_payload()) | fields
        return read_lines(payload, as_format="litellm")

    return one


def test_every_column_that_a_payload_fills_is_filled(read_payload: Any) -> None:
    reading = read_payload()
    assert reading.rows == [
        RawExchange(
            at=1_763_700_000_250_000,
            account="user-0",
            request_id="chatcmpl-00000000",
            org="team-0",
            key="hash-0",
            end_user="customer-9",
            conversation="session-0",
            ip="198.51.100.7",
            user_agent="OpenAI/Python 2.24.0",
            model="gpt-4o",
            endpoint="/v1/chat/completions",
            stream=True,
            temperature=0.2,
            top_p=1.0,
            n=1,
            max_tokens=256,
            logprobs=True,
            top_logprobs=5,
            logit_bias=1,
            tools=("look_up", "add"),
            response_format="json_object",
            system="You are terse.",
            messages=(Message("user", "Why is the sky blue?"),),
            reasoning="low",
            completion="Rayleigh scattering.",
            finish_reason="stop",
            status=200,
            prompt_tokens=9,
            cached_tokens=4,
            completion_tokens=12,
            reasoning_tokens=5,
            latency_ms=750,
        )
    ]
    assert (reading.rejects, reading.log.notes) == ([], ())


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize(
    "wrap",
    [
        lambda payload: {"kwargs": {"standard_logging_object": payload}},
        lambda payload: {"standard_logging_object": payload, "response_cost": 1},
        lambda payload: {"message": json.dumps(payload), "ddsource": "litellm"},
        lambda payload: [payload, payload | {"id": "other"}],
    ],
    ids=["kwargs", "callback", "text", "array"],
)
def test_wrapped_payloads_are_found(
    tmp_path: Path, read: Any, samples: SimpleNamespace, wrap: Any, indent: int | None
) -> None:
    path = tmp_path / "2025-11-21" / "chatcmpl-1.json"
    path.parent.mkdir()
    path.write_text(json.dumps(wrap(samples.litellm_payload()), indent=indent))
    reading = read(tmp_path)
    assert reading.log.format == "litellm"
    assert reading.rejects == []
    assert {row.account for row in reading.rows} == {"user-0"}


def test_the_account_is_the_user_or_else_the_key(read_payload: Any) -> None:
    key_only = {"user_api_key_hash": "hash", "user_api_key_user_id": None}
    assert read_payload(metadata=key_only).rows[0].account == "hash"
    assert read_payload(metadata=None, user="u").rows[0].account == "u"
    assert read_payload(metadata={}, end_user="").reasons == [
        "'metadata.user_api_key_user_id' is missing"
    ]


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ("a bare prompt", {"prompt": "a bare prompt"}),
        ("[INST] a bare prompt [/INST]", {"prompt": "[INST] a bare prompt [/INST]"}),
        ('{"sum": [1, 2]}', {"prompt": '{"sum": [1, 2]}'}),
        (["one", "two"], {"prompt": "one\ntwo"}),
        ({"prompt": "p"}, {"prompt": "p"}),
        (
            {"messages": [{"role": "user", "content": "x"}], "system": "s"},
            {"messages": (Message("user", "x"),), "system": "s"},
        ),
        (
            [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "x"}]}],
            {"messages": (Message("user", "x"),)},
        ),
        ('[{"role": "user", "content": "x"}]', {"messages": (Message("user", "x"),)}),
    ],
)
def test_requests_of_every_route_are_read(
    read_payload: Any, messages: Any, expected: dict[str, Any]
) -> None:
    (row,) = read_payload(messages=messages).rows
    assert {name: getattr(row, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("response", "completion", "reason"),
    [
        ({"choices": [{"text": "done", "finish_reason": "length"}]}, "done", "length"),
        (
            {"content": [{"type": "text", "text": "done"}], "stop_reason": "end_turn"},
            "done",
            "end_turn",
        ),
        (
            {
                "choices": [
                    {
                        "finish_reason": "tool_calls",
                        "message": {
                            "content": None,
                            "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}],
                        },
                    }
                ]
            },
            "f {}",
            "tool_calls",
        ),
        (
            {"output": [{"type": "message", "content": [{"type": "output_text", "text": "done"}]}]},
            "done",
            None,
        ),
        ('{"choices": [{"text": "done"}]}', "done", None),
        ("done", "done", None),
        ('{"a": 1}', '{"a": 1}', None),
        (None, None, None),
        ({}, None, None),
        ({"choices": [5]}, None, None),
        ({"choices": [{"message": 5}]}, None, None),
    ],
)
def test_responses_of_every_route_are_read(
    read_payload: Any, response: Any, completion: str | None, reason: str | None
) -> None:
    (row,) = read_payload(response=response).rows
    assert (row.completion, row.finish_reason) == (completion, reason)


def test_cached_tokens_are_found_as_anthropic_counts_them(read_payload: Any) -> None:
    usage = {"prompt_tokens": 9, "cache_read_input_tokens": 3, "prompt_tokens_details": None}
    assert read_payload(response={"usage": usage}).rows[0].cached_tokens == 3
    assert read_payload(response={"usage": {}}).rows[0].cached_tokens is None
    metadata = {"user_api_key_hash": "h", "usage_object": usage}
    assert read_payload(response={}, metadata=metadata).rows[0].cached_tokens == 3


def test_a_failure_has_its_own_status(read_payload: Any) -> None:
    for code, status in (("429", 429), (500, 500), ("", None), (None, None)):
        failed = read_payload(status="failure", error_information={"error_code": code})
        assert failed.rows[0].status == status


@pytest.mark.parametrize("call", ["aembedding", "image_generation", "atranscription", "rerank"])
def test_calls_that_ask_for_no_text_are_left_out_and_counted(read_payload: Any, call: str) -> None:
    reading = read_payload(call_type=call)
    assert (reading.rows, reading.rejects) == ([], [])
    assert reading.log.notes[0].startswith(
        "calls that ask for no text (embeddings, images…) left out (1 time"
    )


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"messages": [{"role": "user", "content": "redacted-by-litellm"}]}, "was redacted"),
        ({"messages": None}, "is missing: let LiteLLM log messages"),
        ({"messages": []}, "is missing: let LiteLLM log messages"),
        ({"startTime": "soon"}, "'startTime' is no time"),
        ({"startTime": None}, "'startTime' is missing"),
        ({"model_parameters": {"temperature": "hot"}}, "'temperature' is text, not a number"),
    ],
)
def test_a_payload_that_cannot_be_read_is_refused_in_its_own_names(
    read_payload: Any, fields: dict[str, Any], reason: str
) -> None:
    (reject,) = read_payload(**fields).rejects
    assert reason in reject.reason


def test_times_may_be_text_and_swapped_ones_give_no_latency(read_payload: Any) -> None:
    (row,) = read_payload(startTime="2025-11-21T04:40:00Z", endTime="2025-11-21T04:40:02Z").rows
    assert (row.at, row.latency_ms) == (1_763_700_000_000_000, 2000)
    assert read_payload(endTime=1_763_600_000.0).rows[0].latency_ms is None


def test_rows_of_the_spend_log_table_are_read_where_it_keeps_messages(read_lines: Any) -> None:
    row = {
        "request_id": "r",
        "call_type": "acompletion",
        "api_key": "hash",
        "startTime": "2025-11-21T04:40:00.000Z",
        "endTime": "2025-11-21T04:40:01.000Z",
        "request_duration_ms": 900,
        "model": "gpt-4o",
        "user": "u",
        "team_id": "t",
        "metadata": "{}",
        "messages": json.dumps([{"role": "user", "content": "x"}]),
        "response": json.dumps({"choices": [{"message": {"content": "y"}}]}),
        "status": "success",
    }
    (read,) = read_lines(row, as_format="auto").rows
    assert (read.account, read.key, read.org, read.request_id) == ("u", "hash", "t", "r")
    assert (read.messages, read.completion) == ((Message("user", "x"),), "y")
    assert read.latency_ms == 900
