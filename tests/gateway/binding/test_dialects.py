"""Where opaque texts stand in each dialect: found in requests, bound in answers, also in pieces."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stillwatch.access import OPEN, Reasoning, Surface
from stillwatch.gateway.dialects.anthropic_messages import AnthropicMessages
from stillwatch.gateway.dialects.dialect import Dialect, Incoming
from stillwatch.gateway.dialects.openai_chat import OpenAIChat
from stillwatch.gateway.dialects.openai_completions import OpenAICompletions

ANTHROPIC, CHAT = AnthropicMessages(), OpenAIChat()
SUMMARY = Surface(reasoning=Reasoning.SUMMARY)
THINKING: dict[str, Any] = {"type": "thinking", "thinking": "hm", "signature": "s1"}
REDACTED = {"type": "redacted_thinking", "data": "d1"}
START = {"id": "1", "model": "m", "content": [], "usage": {"input_tokens": 1}}


def bind(text: str) -> str:
    return f"<{text}>"


def read(dialect: Dialect, *turns: Any) -> Incoming:
    body = {"model": "m", "max_tokens": 5, "messages": [*turns, {"role": "user", "content": "x"}]}
    return dialect.read(json.dumps(body).encode())


def found(incoming: Incoming) -> list[str]:
    return [place.text for place in incoming.opaque]


def streamed(dialect: Dialect, surface: Surface, *events: dict[str, Any]) -> list[Any]:
    scrubber = dialect.stream(read(dialect), surface, bind)
    out = b"".join(scrubber.event(None, json.dumps(event).encode()) for event in events)
    return [json.loads(line[6:]) for line in out.split(b"\n") if line.startswith(b"data: ")]


def block(index: int, kind: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"type": "content_block_start", "index": index, "content_block": kind},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def signed(*pieces: str) -> list[dict[str, Any]]:
    return [{"type": "signature_delta", "signature": piece} for piece in pieces]


EMPTY = THINKING | {"thinking": "", "signature": ""}


def test_anthropic_requests_show_signatures_and_what_is_redacted() -> None:
    incoming = read(
        ANTHROPIC,
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": [THINKING, REDACTED, {"type": "text", "text": "t"}]},
        {"role": "user", "content": [{"type": "text", "text": "two"}]},
        {"role": "assistant", "content": [THINKING | {"signature": "s2"}]},
    )
    assert found(incoming) == ["s1", "d1", "s2"]


def test_chat_requests_show_what_is_signed_and_what_is_encrypted() -> None:
    details = [
        {"type": "reasoning.text", "text": "hm", "signature": "s1", "id": None},
        {"type": "reasoning.summary", "summary": "short"},
        {"type": "reasoning.encrypted", "data": "d1", "format": "f", "index": 2},
        {"type": "reasoning.encrypted", "encrypted_content": "e1"},
    ]
    incoming = read(CHAT, {"role": "assistant", "content": "a", "reasoning_details": details})
    assert found(incoming) == ["s1", "d1", "e1"]
    sent = json.loads(CHAT.write(incoming, incoming.asked))
    assert sent["messages"][0]["reasoning_details"] == details


@pytest.mark.parametrize("dialect", [ANTHROPIC, CHAT])
def test_a_text_that_is_put_in_its_place_is_sent(dialect: Dialect) -> None:
    if dialect is ANTHROPIC:
        turn: dict[str, Any] = {"role": "assistant", "content": [THINKING]}
    else:
        turn = {"role": "assistant", "reasoning_details": [{"signature": "s1"}]}
    incoming = read(dialect, turn)
    incoming.opaque[0].put("own")
    written = dialect.write(incoming, incoming.asked)
    assert b'"own"' in written
    assert b"s1" not in written


@pytest.mark.parametrize("nothing", ["", None])
def test_an_empty_signature_is_none(nothing: str | None) -> None:
    chat = {"role": "assistant", "reasoning_details": [{"signature": nothing, "data": nothing}]}
    assert read(CHAT, chat).opaque == ()
    if nothing is not None:
        empty = [THINKING | {"signature": ""}, {"type": "redacted_thinking", "data": ""}]
        assert read(ANTHROPIC, {"role": "assistant", "content": empty}).opaque == ()
        assert streamed(ANTHROPIC, OPEN, *block(0, EMPTY))[-1] == {
            "type": "content_block_stop", "index": 0,
        }  # fmt: skip


def test_requests_without_reasoning_show_nothing_opaque() -> None:
    plain = OpenAICompletions().read(b'{"model": "m", "prompt": "x"}')
    assert [plain.opaque, read(CHAT).opaque, read(ANTHROPIC).opaque] == [(), (), ()]


def test_without_a_bind_everything_passes_as_it_is() -> None:
    message = json.dumps(START | {"content": [THINKING, REDACTED]}).encode()
    answer = ANTHROPIC.scrub(message, read(ANTHROPIC), OPEN)
    assert json.loads(answer.body)["content"] == [THINKING, REDACTED]
    scrubber = ANTHROPIC.stream(read(ANTHROPIC), OPEN)
    for event in block(0, EMPTY, *signed("s", "1")):
        out = scrubber.event(None, json.dumps(event).encode())
        assert json.loads(out.split(b"data: ")[1]) == event


@pytest.mark.parametrize("pieces", [("s1",), ("s", "1"), ("", "s", "", "1")])
def test_the_pieces_of_a_signature_are_bound_as_one(pieces: tuple[str, ...]) -> None:
    events = streamed(ANTHROPIC, OPEN, *block(0, EMPTY, *signed(*pieces)))
    assert events == block(0, EMPTY, *signed("<s1>"))


def test_a_signature_that_stands_in_the_start_is_bound_once() -> None:
    events = streamed(ANTHROPIC, OPEN, *block(0, EMPTY | {"signature": "s1"}))
    assert events == block(0, EMPTY, *signed("<s1>"))


def test_signatures_of_several_blocks_stay_with_their_blocks() -> None:
    one, two = block(4, EMPTY, *signed("s1")), block(7, EMPTY, *signed("s", "2"))
    mixed = [one[0], two[0], two[1], one[1], two[2], one[2], two[3]]
    signatures = {
        event["index"]: event["delta"]["signature"]
        for event in streamed(ANTHROPIC, OPEN, *mixed)
        if event["type"] == "content_block_delta"
    }
    assert signatures == {0: "<s1>", 1: "<s2>"}


def test_what_is_redacted_is_bound_where_its_block_starts() -> None:
    assert streamed(ANTHROPIC, OPEN, *block(0, REDACTED)) == block(0, REDACTED | {"data": "<d1>"})


def test_blocks_of_the_start_of_a_message_are_bound() -> None:
    start = {"type": "message_start", "message": START | {"content": [THINKING, REDACTED]}}
    (event,) = streamed(ANTHROPIC, OPEN, start)
    thinking, redacted = event["message"]["content"]
    assert (thinking["signature"], redacted["data"]) == ("<s1>", "<d1>")


def test_what_a_level_hides_is_not_even_bound() -> None:
    events = [*block(0, EMPTY, *signed("s1")), *block(1, REDACTED)]
    assert streamed(ANTHROPIC, SUMMARY, *events) == []
    delta = {"reasoning_details": [{"signature": "s1"}]}
    assert streamed(CHAT, SUMMARY, {"choices": [{"index": 0, "delta": delta}]}) == []


def test_chat_answers_are_bound() -> None:
    details = [{"type": "reasoning.text", "signature": "s1", "data": None}, {"data": "d1"}]
    delta = {"reasoning_details": details}
    (chunk,) = streamed(CHAT, OPEN, {"choices": [{"index": 0, "delta": delta}]})
    bound = [{"type": "reasoning.text", "signature": "<s1>", "data": None}, {"data": "<d1>"}]
    assert chunk["choices"][0]["delta"]["reasoning_details"] == bound
    whole = {"choices": [{"index": 0, "message": delta}]}
    answer = CHAT.scrub(json.dumps(whole).encode(), read(CHAT), OPEN, bind)
    assert json.loads(answer.body)["choices"][0]["message"]["reasoning_details"] == bound


def test_reasoning_that_stands_in_details_alone_is_estimated_once() -> None:
    details = [{"type": "reasoning.text", "text": "a thought " * 30}]
    message = {"content": "x", "reasoning_details": details}
    alone, both = (
        CHAT.scrub(json.dumps({"choices": [{"message": each}]}).encode(), read(CHAT), OPEN).told
        for each in (message, message | {"reasoning": "a thought " * 30})
    )
    assert alone.streamed == both.streamed > 50
