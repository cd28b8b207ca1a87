"""Anthropic Messages: thinking, tools, blocks, and the order of a stream."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stillwatch.access import CLOSED, OPEN, Reasoning, Refusal, Structure, Surface
from stillwatch.access.granting import reduced
from stillwatch.exchange import Message
from stillwatch.gateway.dialects.anthropic_messages import AnthropicMessages
from stillwatch.gateway.dialects.dialect import Incoming, Scrubber, UnreadableError

ANTHROPIC = AnthropicMessages()
USER = {"role": "user", "content": "Hello"}


def read(*messages: dict[str, Any], **fields: Any) -> Incoming:
    body = {"model": "m", "max_tokens": 4000, "messages": messages or [USER], **fields}
    return ANTHROPIC.read(json.dumps(body).encode())


def written(surface: Surface, **fields: Any) -> Any:
    incoming = read(**fields)
    return json.loads(ANTHROPIC.write(incoming, reduced(incoming.asked, surface)[0]))


def stream(surface: Surface) -> Scrubber:
    return ANTHROPIC.stream(read(stream=True), surface)


def sent(scrubber: Scrubber, kind: str, **fields: Any) -> Any:
    out = scrubber.event(kind, json.dumps({"type": kind, **fields}).encode())
    if not out:
        return None
    name, data = out.removesuffix(b"\n\n").split(b"\n")
    assert name == b"event: " + kind.encode()
    return json.loads(data.removeprefix(b"data: "))


@pytest.mark.parametrize(
    ("thinking", "reasoning"),
    [
        ({"type": "enabled", "budget_tokens": 2000}, Reasoning.FULL),
        ({"type": "adaptive"}, Reasoning.FULL),
        ({"type": "between_tools"}, Reasoning.FULL),
        ({"type": "adaptive", "display": "summarized"}, Reasoning.SUMMARY),
        ({"type": "enabled", "budget_tokens": 2000, "display": "omitted"}, Reasoning.NONE),
        ({"type": "disabled"}, Reasoning.NONE),
        (None, Reasoning.NONE),
    ],
)
def test_thinking_is_asked_for_as_far_as_it_is_displayed(
    thinking: dict[str, Any] | None, reasoning: Reasoning
) -> None:
    assert read(thinking=thinking).asked.reasoning == reasoning


def test_the_model_may_think_although_nobody_sees_it() -> None:
    thinking = {"type": "enabled", "budget_tokens": 2000}
    assert written(CLOSED, thinking=thinking)["thinking"] == thinking | {"display": "omitted"}
    summary = Surface(reasoning=Reasoning.SUMMARY)
    assert written(summary, thinking=thinking)["thinking"]["display"] == "summarized"


def test_a_budget_stays_below_the_cap() -> None:
    thinking = {"type": "enabled", "budget_tokens": 3000, "display": "omitted"}
    assert written(Surface(max_tokens=2000), thinking=thinking)["thinking"]["budget_tokens"] == 1999
    assert "thinking" not in written(Surface(max_tokens=1000), thinking=thinking)


def test_texts_of_every_block_are_read() -> None:
    blocks = [
        {"type": "text", "text": "Look", "cache_control": {"type": "ephemeral"}},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "A"}},
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Doc"}},
        {"type": "search_result", "source": "x", "title": "t",
         "content": [{"type": "text", "text": "Found"}]},
        {"type": "tool_result", "tool_use_id": "1", "content": [{"type": "text", "text": "Sun"}]},
        {"type": "tool_result", "tool_use_id": "2", "content": "Rain"},
    ]  # fmt: skip
    thought = {"type": "thinking", "thinking": "", "signature": "s"}
    calls = {"type": "tool_use", "id": "1", "name": "weather", "input": {}}
    incoming = read(
        {"role": "assistant", "content": [thought, calls]},
        {"role": "user", "content": blocks},
        system=[{"type": "text", "text": "Be brief"}],
    )
    assert incoming.messages == (
        Message("system", "Be brief"),
        Message("assistant", ""),
        Message("user", "Look\nDoc\nFound\nSun\nRain"),
    )
    assert incoming.system == "Be brief"
    assert incoming.asked.prompt_tokens > 1600
    again = json.loads(ANTHROPIC.write(incoming, incoming.asked))["messages"]
    assert again[0]["content"] == [thought, calls]  # a signature holds for these very fields
    assert again[1]["content"] == blocks


def test_servers_of_tools_are_tools() -> None:
    assert read(mcp_servers=[{"name": "x"}]).asked.tools
    assert read(container="c").asked.tools
    tools = [{"name": "weather", "input_schema": {}}, {"type": "bash_20250124", "name": "bash"}]
    assert read(tools=tools).tools == ("weather", "bash")
    assert "tools" not in written(CLOSED, tools=tools, tool_choice={"type": "any"})


def test_a_schema_is_a_schema_and_effort_stays() -> None:
    output = {"effort": "low", "format": {"type": "json_schema", "schema": {}}}
    assert read(output_config=output).asked.structure == Structure.SCHEMA
    assert written(CLOSED, output_config=output)["output_config"] == {"effort": "low"}


def test_who_is_behind_a_request_is_read() -> None:
    assert read(metadata={"user_id": "u"}).end_user == "u"


def test_blocks_after_a_hidden_one_move_up() -> None:
    scrubber = stream(Surface(tools=True))
    thinking = {"type": "thinking", "thinking": "", "signature": ""}
    tool = {"type": "tool_use", "id": "1", "name": "f", "input": {}}
    assert sent(scrubber, "content_block_start", index=0, content_block=thinking) is None
    hidden = {"type": "thinking_delta", "thinking": "a thought"}
    assert sent(scrubber, "content_block_delta", index=0, delta=hidden) is None
    signed = {"type": "signature_delta", "signature": "s"}
    assert sent(scrubber, "content_block_delta", index=0, delta=signed) is None
    assert sent(scrubber, "content_block_stop", index=0) is None
    text = {"type": "text", "text": ""}
    assert sent(scrubber, "content_block_start", index=1, content_block=text)["index"] == 0
    said = {"type": "text_delta", "text": "Hi"}
    assert sent(scrubber, "content_block_delta", index=1, delta=said) == {
        "type": "content_block_delta", "index": 0, "delta": said,
    }  # fmt: skip
    assert sent(scrubber, "content_block_stop", index=1)["index"] == 0
    assert sent(scrubber, "content_block_start", index=2, content_block=tool)["index"] == 1
    assert scrubber.told.completion == "Hi"
    assert scrubber.told.streamed >= 3


def test_a_block_of_an_unknown_type_is_left_out_with_its_deltas() -> None:
    scrubber = stream(OPEN)
    assert sent(scrubber, "content_block_start", index=0, content_block={"type": "odd"}) is None
    assert sent(scrubber, "content_block_delta", index=0, delta={"type": "odd_delta"}) is None
    delta = {"type": "text_delta", "text": "of the odd one"}
    assert sent(scrubber, "content_block_delta", index=0, delta=delta) is None
    assert sent(scrubber, "content_block_stop", index=0) is None
    text = {"type": "text", "text": ""}
    assert sent(scrubber, "content_block_start", index=1, content_block=text)["index"] == 0


def test_events_of_unknown_types_are_left_out_and_pings_pass() -> None:
    scrubber = stream(OPEN)
    assert sent(scrubber, "heartbeat", beat=1) is None
    assert sent(scrubber, "ping", odd=1) == {"type": "ping"}
    assert scrubber.told.unknown == 1


@pytest.mark.parametrize(
    "event",
    [
        {"type": "content_block_delta", "index": 7, "delta": {"type": "text_delta", "text": "a"}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": 5}},
        {"type": "content_block_stop"},
        {"type": "error", "error": {"type": "overloaded_error", "message": "x"}},
        {},
    ],
)
def test_a_malformed_event_ends_the_stream(event: dict[str, Any]) -> None:
    with pytest.raises(UnreadableError):
        stream(OPEN).event(None, json.dumps(event).encode())


def test_the_usage_of_a_stream_is_put_together() -> None:
    scrubber = stream(CLOSED)
    usage = {"input_tokens": 5, "cache_read_input_tokens": 90, "cache_creation_input_tokens": 5,
             "output_tokens": 1}  # fmt: skip
    message = {"id": "m", "type": "message", "role": "assistant", "model": "m", "content": [],
               "stop_reason": None, "stop_sequence": None, "usage": usage}  # fmt: skip
    assert sent(scrubber, "message_start", message=message)["message"] == message
    assert (scrubber.told.prompt_tokens, scrubber.told.cached_tokens) == (100, 90)
    assert scrubber.told.completion_tokens is None
    stop = {"stop_reason": "end_turn", "stop_sequence": None}
    sent(scrubber, "message_delta", delta=stop, usage={"output_tokens": 12})
    assert sent(scrubber, "message_stop") == {"type": "message_stop"}
    assert (scrubber.told.completion_tokens, scrubber.told.finish_reason) == (12, "end_turn")
    assert scrubber.told.prompt_tokens == 100
    assert scrubber.ended


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, "invalid_request_error"), (401, "authentication_error"), (402, "billing_error"),
     (403, "permission_error"), (404, "not_found_error"), (413, "request_too_large"),
     (422, "invalid_request_error"), (429, "rate_limit_error"), (451, "invalid_request_error"),
     (500, "api_error"), (502, "api_error"), (503, "overloaded_error"), (504, "timeout_error")],
)  # fmt: skip
def test_errors_have_the_types_of_the_api(status: int, kind: str) -> None:
    refusal = Refusal(status=status, code="c", message="Try later", rule="r")
    error = {"type": "error", "error": {"type": kind, "message": "Try later"}}
    assert json.loads(ANTHROPIC.refusal(refusal)) == error
    assert ANTHROPIC.failure(refusal).startswith(b"event: error\ndata: {")
