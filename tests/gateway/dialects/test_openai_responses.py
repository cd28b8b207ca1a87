"""OpenAI Responses: what is read of a request, and what is taken out of it on its way."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stillwatch.access import CLOSED, OPEN, Bias, Reasoning, Structure, Surface
from stillwatch.access.granting import reduced
from stillwatch.exchange import Message
from stillwatch.gateway.dialects.dialect import Incoming, Scrubber, UnreadableError
from stillwatch.gateway.dialects.openai_responses import OpenAIResponses

from .samples import RESPONSES

DIALECT = OpenAIResponses()
USER = {"role": "user", "content": "Hello"}
CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
RESULT = {"type": "function_call_output", "call_id": "c", "output": "Sun"}
THOUGHT = {"type": "reasoning", "id": "r", "summary": [], "encrypted_content": "sealed"}
LOGPROBS, SEALED = "message.output_text.logprobs", "reasoning.encrypted_content"


def read(given: Any = "Hello", **fields: Any) -> Incoming:
    return DIALECT.read(json.dumps({"model": "m", "input": given, **fields}).encode())


def written(surface: Surface, given: Any = "Hello", **fields: Any) -> dict[str, Any]:
    incoming = read(given, **fields)
    found: dict[str, Any] = json.loads(DIALECT.write(incoming, reduced(incoming.asked, surface)[0]))
    return found


def stream() -> Scrubber:
    return DIALECT.stream(read(stream=True), Surface(logprobs=5))


def sent(scrubber: Scrubber, kind: str, **fields: Any) -> dict[str, Any] | None:
    event = {"type": f"response.{kind}", **fields}
    out = scrubber.event(None, json.dumps(event).encode())
    return json.loads(out.partition(b"data: ")[2]) if out else None


@pytest.mark.parametrize(
    ("fields", "named", "value"),
    [
        ({"include": [LOGPROBS]}, "logprobs", 1),
        ({"include": [LOGPROBS], "top_logprobs": 4}, "logprobs", 4),
        ({"top_logprobs": 4}, "logprobs", 4),
        ({"include": [SEALED]}, "reasoning", Reasoning.FULL),
        ({"include_reasoning": True}, "reasoning", Reasoning.FULL),
        ({"include_reasoning": False}, "reasoning", Reasoning.NONE),
        ({"reasoning": {"summary": "auto"}}, "reasoning", Reasoning.SUMMARY),
        ({"reasoning": {"generate_summary": "auto"}}, "reasoning", Reasoning.SUMMARY),
        ({"reasoning": {"effort": "high"}}, "reasoning", Reasoning.NONE),
        ({"logit_bias": {"5": -100}}, "logit_bias", Bias.BAN),
        ({"logit_bias": {"5": 2}}, "logit_bias", Bias.ANY),
        ({"text": {"format": {"type": "json_object"}}}, "structure", Structure.JSON),
        ({"text": {"format": {"type": "json_schema"}}}, "structure", Structure.SCHEMA),
        ({"structured_outputs": {"regex": "a"}}, "structure", Structure.GRAMMAR),
        ({"max_output_tokens": 10**18}, "max_tokens", 2**31 - 1),
        ({"seed": 0}, "seed", True),
        ({"tools": [{"type": "function", "name": "f"}]}, "tools", True),
    ],
)
def test_each_field_is_read_as_what_it_asks_for(
    fields: dict[str, Any], named: str, value: Any
) -> None:
    assert getattr(read(**fields).asked, named) == value


def test_what_is_not_granted_is_taken_out() -> None:
    fields: dict[str, Any] = {
        "include": [LOGPROBS, SEALED], "top_logprobs": 3, "include_reasoning": True,
        "reasoning": {"effort": "low", "summary": "auto"}, "seed": 1, "logit_bias": {"5": 1},
        "tools": [{"type": "function", "name": "f"}], "tool_choice": "required",
        "text": {"format": {"type": "json_schema"}, "verbosity": "low"},
        "parallel_tool_calls": True, "structured_outputs": {"regex": "a"}, "stream": True,
        "stream_options": {"include_obfuscation": True},
    }  # fmt: skip
    plain = {"model": "m", "input": "Hello", "store": False, "stream": True}
    assert written(CLOSED, **fields) == plain | {
        "reasoning": {"effort": "low"}, "text": {"verbosity": "low"},
    }  # fmt: skip
    some = Surface(logprobs=2, reasoning=Reasoning.SUMMARY, structure=Structure.JSON)
    assert written(some, **fields) == plain | {
        "include": [LOGPROBS], "top_logprobs": 2,
        "reasoning": {"effort": "low", "summary": "auto"},
        "text": {"format": {"type": "json_object"}, "verbosity": "low"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("last", "begun", "text"),
    [
        ({"role": "assistant", "content": "Sure, "}, True, "Sure, "),
        (CALL, True, ""),
        (THOUGHT, True, None),
        (RESULT, False, None),
        (USER, False, None),
    ],
)
def test_what_ends_with_the_models_own_words_begins_its_answer(
    last: dict[str, Any], begun: bool, text: str | None
) -> None:
    incoming = read([USER, last])
    assert (incoming.asked.prefill, incoming.prefill) == (begun, text)
    assert written(CLOSED, [USER, last])["input"] == ([USER] if begun else [USER, last])


def test_an_answer_begun_alone_cannot_be_taken_out() -> None:
    with pytest.raises(UnreadableError, match="prefilled"):
        written(CLOSED, [{"role": "assistant", "content": "Sure"}])


def test_texts_of_every_item_are_read() -> None:
    pictured = [
        {"type": "input_text", "text": "Look"},
        {"type": "input_image", "image_url": "data:" + "A" * 30_000, "detail": "auto"},
    ]
    items = [{"role": "user", "content": pictured}, THOUGHT, CALL, RESULT,
             {"role": "developer", "content": "Now"},
             {"type": "message", "id": "1", "role": "assistant", "status": "completed",
              "content": [{"type": "output_text", "text": "Fine", "annotations": []}]},
             {"role": "user", "content": "And"}]  # fmt: skip
    incoming = read(items, instructions="Be brief", user="u", reasoning={"effort": "low"})
    assert incoming.messages == (
        Message("system", "Be brief"), Message("user", "Look"), Message("assistant", ""),
        Message("tool", "Sun"), Message("developer", "Now"), Message("assistant", "Fine"),
        Message("user", "And"),
    )  # fmt: skip
    assert incoming.system == "Be brief\nNow"
    assert (incoming.end_user, incoming.reasoning) == ("u", "low")
    assert [place.text for place in incoming.opaque] == ["sealed"]
    assert 1600 < incoming.asked.prompt_tokens < 2000  # the picture counts as one, not by its size


@pytest.mark.parametrize(
    "items", [[], [THOUGHT], [{"content": "who?"}], [{"role": "critic", "content": "x"}]]
)
def test_input_that_nobody_said_is_unreadable(items: list[Any]) -> None:
    with pytest.raises(UnreadableError):
        read(items)


def test_a_refusal_names_a_tool_in_a_few_plain_characters() -> None:
    with pytest.raises(UnreadableError) as caught:
        read(tools=[{"type": "ü\n" * 200}])
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 400


def test_tools_are_repeated_only_where_they_were_let_through() -> None:
    tool = {"type": "function", "name": "f"}
    incoming = read(tools=[tool], tool_choice="required", metadata={"a": "b"})
    answer = json.dumps(RESPONSES.answer).encode()
    for surface, tools, choice in ((OPEN, [tool], "required"), (CLOSED, [], "auto")):
        found = json.loads(DIALECT.scrub(answer, incoming, surface).body)
        assert (found["tools"], found["tool_choice"]) == (tools, choice)
        assert found["metadata"] == {"a": "b"}


def test_words_of_errors_pass_where_they_are_for_whoever_asked() -> None:
    failed = RESPONSES.answer | {"status": "failed", "output": []}
    for code, passes in (("invalid_prompt", True), ("server_error", False)):
        error = {"code": code, "message": "because", "param": "x"}
        body = json.dumps(failed | {"error": error}).encode()
        found = json.loads(DIALECT.scrub(body, read(), OPEN).body)["error"]
        words = "because" if passes else "the model server failed"
        assert found == {"code": code, "message": words}


def test_a_stream_without_pieces_tells_what_its_end_says() -> None:
    scrubber = stream()
    assert sent(scrubber, "completed", response=RESPONSES.answer)
    assert scrubber.ended
    assert (scrubber.told.completion, scrubber.told.completion_tokens) == ("Hi", 2)


def test_a_stream_that_hid_something_shows_no_log_probabilities_at_its_end() -> None:
    position = {"token": "Hi", "logprob": -1.0, "top_logprobs": []}
    part = {"type": "output_text", "text": "Hi", "annotations": [], "logprobs": [position]}
    message = RESPONSES.answer["output"][0] | {"content": [part]}
    last = RESPONSES.answer | {"output": [message]}
    for hidden in (False, True):
        scrubber = stream()
        if hidden:
            assert sent(scrubber, "output_item.added", output_index=0, item=THOUGHT) is None
        found = sent(scrubber, "completed", response=last)
        assert found is not None
        assert ("logprobs" in found["response"]["output"][0]["content"][0]) is not hidden


def test_items_move_up_behind_one_that_is_hidden() -> None:
    scrubber = stream()
    assert sent(scrubber, "output_item.added", output_index=4, item=THOUGHT) is None
    message = RESPONSES.answer["output"][0] | {"content": []}
    added = sent(scrubber, "output_item.added", output_index=5, item=message)
    delta = sent(scrubber, "output_text.delta", output_index=5, content_index=2, delta="Hi")
    assert added is not None
    assert delta is not None
    assert (added["output_index"], delta["output_index"], delta["content_index"]) == (0, 0, 0)
    assert (added["sequence_number"], delta["sequence_number"]) == (0, 1)
    assert delta["logprobs"] == []


@pytest.mark.parametrize(
    "event",
    [
        {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "x"},
        {"type": "response.output_item.done", "output_index": 0, "item": THOUGHT},
        {"type": "response.output_text.delta", "delta": 3},
        {"type": "response.completed", "response": {"output": [{"type": "message", "id": 3}]}},
        {"type": "response.completed"},
        {"type": "error", "message": "/srv/model"},
        {"kind": "odd"},
    ],
)
def test_an_event_that_cannot_be_read_ends_the_stream(event: dict[str, Any]) -> None:
    with pytest.raises(UnreadableError):
        stream().event(None, json.dumps(event).encode())


def test_events_of_other_types_are_left_out_and_counted() -> None:
    scrubber = stream()
    assert sent(scrubber, "web_search_call.searching", query="x") is None
    assert sent(scrubber, "queued", response=RESPONSES.answer) is None
    assert scrubber.told.unknown == 2
