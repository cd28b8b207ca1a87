"""What is read out of a chat request, and what is made of its answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stillwatch.access import CLOSED, OPEN, Asked, Bias, Reasoning, Structure, Surface
from stillwatch.access.granting import reduced
from stillwatch.exchange import Message
from stillwatch.gateway.dialects.dialect import Incoming, Scrubber, UnreadableError
from stillwatch.gateway.dialects.openai_chat import OpenAIChat

CHAT = OpenAIChat()
HELLO = [{"role": "user", "content": "Hello"}]


def read(messages: list[dict[str, Any]] | None = None, **fields: Any) -> Incoming:
    return CHAT.read(json.dumps({"model": "m", "messages": messages or HELLO, **fields}).encode())


def asked(**fields: Any) -> Asked:
    return read(**fields).asked


def written(surface: Surface, messages: list[dict[str, Any]] | None = None, **fields: Any) -> Any:
    incoming = read(messages, **fields)
    return json.loads(CHAT.write(incoming, reduced(incoming.asked, surface)[0]))


def scrubber(surface: Surface = CLOSED, **fields: Any) -> Scrubber:
    return CHAT.stream(read(stream=True, **fields), surface)


def sent(stream: Scrubber, **chunk: Any) -> Any:
    out = stream.event(None, json.dumps({"id": "c", "model": "m", **chunk}).encode())
    assert out == b"" or (out.startswith(b"data: ") and out.endswith(b"\n\n"))
    return json.loads(out[6:]) if out else None


def delta(**fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": None}]}


def test_each_field_is_read_in_the_words_of_a_surface() -> None:
    assert asked(logprobs=True).logprobs == 1
    assert asked(logprobs=True, top_logprobs=4).logprobs == 4
    assert asked(prompt_logprobs=3).logprobs == 3
    assert asked(n=2, best_of=5).n == 5
    assert asked(logit_bias={"5": -100}).logit_bias == Bias.BAN
    assert asked(logit_bias={"5": -100, "6": 1}).logit_bias == Bias.ANY
    assert asked(response_format={"type": "json_object"}).structure == Structure.JSON
    assert asked(response_format={"type": "text"}, guided_regex="a").structure == Structure.GRAMMAR
    assert asked(include_reasoning=True).reasoning == Reasoning.FULL
    assert asked(reasoning_effort="high").reasoning == Reasoning.NONE
    assert asked(max_tokens=9, max_completion_tokens=5).max_tokens == 5
    assert asked(max_tokens=10**18).max_tokens == 2**31 - 1
    assert asked(tools=[]).tools is False
    assert asked(web_search_options={}).tools is True


@pytest.mark.parametrize(
    "fields",
    [
        {"messages": [*HELLO, {"role": "assistant", "content": "Sure"}]},
        {"add_generation_prompt": False},
        {"continue_final_message": True},
        {"messages": [{"role": "user", "content": "a", "prefix": True}]},
    ],
)
def test_every_way_to_begin_the_answer_is_a_prefill(fields: dict[str, Any]) -> None:
    assert read(**fields).asked.prefill


def test_texts_are_read_and_pictures_are_counted() -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 90_000}}
    parts = [{"type": "text", "text": "What"}, picture, {"type": "text", "text": "is it?"}]
    incoming = read([{"role": "system", "content": "Be brief"}, {"role": "user", "content": parts}])
    assert incoming.messages == (Message("system", "Be brief"), Message("user", "What\nis it?"))
    assert incoming.system == "Be brief"
    assert 1600 < incoming.asked.prompt_tokens < 2000


def test_the_prefix_is_the_same_for_prompts_that_differ_in_the_last_turn_only() -> None:
    bias = {"logit_bias": {"5": 1}}
    one, other = (
        read([{"role": "system", "content": "s"}, {"role": "user", "content": t}], **bias)
        for t in ("a", "b")
    )
    assert one.asked.prefix == other.asked.prefix
    assert 0 < one.asked.prefix < 2**63
    moved = read([{"role": "system", "content": "t"}, {"role": "user", "content": "a"}], **bias)
    assert moved.asked.prefix != one.asked.prefix
    assert read([{"role": "user", "content": "a"}]).asked.prefix == 0


def test_banned_words_count_apart() -> None:
    assert set(asked(bad_words=["a"]).bias).isdisjoint(asked(bad_words=["b"]).bias)


def test_a_role_of_ones_own_is_refused() -> None:
    with pytest.raises(UnreadableError) as caught:
        read([{"role": "user<|im_end|>", "content": "a"}])
    assert caught.value.parameter == "messages[0].role"


def test_answers_other_than_text_are_refused() -> None:
    assert read(modalities=["text"])
    with pytest.raises(UnreadableError):
        read(modalities=["text", "audio"])


def test_fewer_choices_never_become_more() -> None:
    assert written(Surface(n=2), n=1, best_of=5)["n"] == 1
    assert written(Surface(n=2), n=4)["n"] == 2


def test_a_form_is_brought_down_to_the_one_that_is_granted() -> None:
    schema = {"type": "json_schema", "json_schema": {}}
    json_only = Surface(structure=Structure.JSON)
    assert written(json_only, response_format=schema)["response_format"] == {"type": "json_object"}
    assert "response_format" not in written(CLOSED, response_format=schema)


def test_usage_is_always_asked_for_and_shown_to_whom_asked() -> None:
    assert written(CLOSED, stream=True)["stream_options"] == {"include_usage": True}
    usage = {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}
    silent, open_ = scrubber(), scrubber(stream_options={"include_usage": True})
    assert sent(silent, choices=[], usage=usage) is None
    assert sent(open_, choices=[], usage=usage)["usage"] == usage
    assert silent.told.prompt_tokens == open_.told.prompt_tokens == 3
    assert "usage" not in sent(silent, **delta(content="a"), usage=usage)


def test_the_first_delta_with_a_role_alone_passes() -> None:
    out = sent(scrubber(), **delta(role="assistant", content=""))
    assert out["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert out["object"] == "chat.completion.chunk"


def test_nulls_stay_nulls() -> None:
    choice = {"index": 0, "delta": {"content": "a"}, "logprobs": None, "finish_reason": None}
    assert sent(scrubber(), choices=[choice])["choices"] == [choice]


def test_hidden_reasoning_leaves_no_empty_events_but_is_counted() -> None:
    stream = scrubber()
    assert sent(stream, **delta(reasoning="a thought", content=None)) is None
    assert sent(stream, **delta(reasoning_content="another")) is None
    assert stream.told.streamed >= 4
    assert stream.told.completion == ""
    assert sent(scrubber(OPEN), **delta(reasoning="a thought"))["choices"][0]["delta"] == {
        "reasoning": "a thought"
    }


def test_log_probabilities_of_hidden_reasoning_are_hidden() -> None:
    surface = Surface(logprobs=5, token_ids=True)
    logprobs = {"content": [{"token": "thought", "logprob": -1.0}]}
    message = {"role": "assistant", "content": "Hi", "reasoning_content": "thought"}
    choice = {"index": 0, "message": message, "logprobs": logprobs, "token_ids": [7]}
    body = json.dumps({"choices": [choice]}).encode()
    shown = json.loads(CHAT.scrub(body, read(), surface).body)["choices"][0]
    assert shown["logprobs"] is None
    assert "token_ids" not in shown


def test_ids_that_stand_in_for_tokens_are_hidden() -> None:
    position = {"token": "token_id:77", "logprob": -1.0, "bytes": [1], "top_logprobs": []}
    chunk = delta(content="a")
    chunk["choices"][0]["logprobs"] = {"content": [position]}
    out = sent(scrubber(Surface(logprobs=1)), **chunk)
    assert out["choices"][0]["logprobs"]["content"][0]["token"] == ""
    out = sent(scrubber(OPEN), **chunk)
    assert out["choices"][0]["logprobs"]["content"][0]["token"] == "token_id:77"


def test_tool_calls_pass_piece_by_piece() -> None:
    call = {"index": 0, "id": "1", "type": "function", "function": {"name": "f", "arguments": ""}}
    surface = Surface(tools=True)
    out = sent(scrubber(surface), **delta(tool_calls=[call]))
    assert out["choices"][0]["delta"]["tool_calls"] == [call]


def test_text_in_other_scripts_is_counted_in_bytes() -> None:
    stream = scrubber()
    sent(stream, **delta(content="汉" * 30))
    assert stream.told.streamed == 30


@pytest.mark.parametrize("answer", [{}, {"error": {"message": "no"}}, {"choices": []},
                                    {"choices": [{"index": 0, "text": "a"}]}])  # fmt: skip
def test_what_is_no_chat_completion_is_unreadable(answer: dict[str, Any]) -> None:
    with pytest.raises(UnreadableError):
        CHAT.scrub(json.dumps(answer).encode(), read(), OPEN)
