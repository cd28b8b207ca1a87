"""Answers with choices in them, in every dialect: whole, in pieces, and what is noted of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stillwatch.access import CLOSED, Asked, Decision, Surface
from stillwatch.gateway.choices import LONGEST, WrittenChoices, choices_of, marked_in
from stillwatch.gateway.dialects.anthropic_messages import AnthropicMessages
from stillwatch.gateway.dialects.dialect import Dialect, Scrubber, Told
from stillwatch.gateway.dialects.openai_chat import OpenAIChat
from stillwatch.gateway.dialects.openai_completions import OpenAICompletions
from stillwatch.gateway.dialects.openai_responses import OpenAIResponses
from stillwatch.gateway.marking import Marked
from stillwatch.watermark import GLOBAL, KeyRing
from stillwatch.watermark.choices import EnglishReader, KeyedMark, rewrite
from stillwatch.watermark.hooks import Marks, MarkSettings
from tests.watermark.choices.test_rewriting import ANSWER, UNTOUCHED

RING = KeyRing(bytes(range(32)), "2026-11")
MARKS = Marks(
    RING,
    {
        "wording": MarkSettings(profile="radioactive", scheme="choices", strong="tokens"),
        "ours": MarkSettings(profile="provenance", scheme="choices"),
        "tokens": MarkSettings(profile="radioactive"),
    },
)
READER = EnglishReader()
MARK = KeyedMark.of(RING, "c-1", READER.name)
WRITTEN = rewrite(MARK, READER, "", ANSWER)
CHAT, PLAIN, ANTHROPIC = OpenAIChat(), OpenAICompletions(), AnthropicMessages()
TURNS = [{"role": "user", "content": "Tell me."}]


class Spoken(NamedTuple):
    """A dialect, its least request, and the forms in which an upstream answers it."""

    dialect: Dialect
    asks: dict[str, Any]
    whole: Callable[[str], Any]
    events: Callable[[Sequence[str]], list[Any]]
    said: Callable[[bytes], str]

    def __repr__(self) -> str:
        return self.dialect.name


def chat_events(pieces: Sequence[str]) -> list[Any]:
    deltas: list[Any] = [{"role": "assistant"}, *({"content": piece} for piece in pieces)]
    chunks = [{"choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    return [*chunks, {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}, "[DONE]"]


def plain_events(pieces: Sequence[str]) -> list[Any]:
    chunks = [{"choices": [{"index": 0, "text": piece}]} for piece in pieces]
    return [*chunks, {"choices": [{"index": 0, "text": "", "finish_reason": "stop"}]}, "[DONE]"]


def anthropic_events(pieces: Sequence[str]) -> list[Any]:
    return [
        {"type": "message_start", "message": {"content": [], "model": "m"}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *({"type": "content_block_delta", "index": 0,
           "delta": {"type": "text_delta", "text": piece}} for piece in pieces),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
        {"type": "message_stop"},
    ]  # fmt: skip


def data_of(out: bytes) -> list[Any]:
    lines = [line[6:] for line in out.split(b"\n") if line.startswith(b"data: ")]
    return [json.loads(line) for line in lines if line != b"[DONE]"]


def chat_said(out: bytes) -> str:
    found = [each["choices"][0] for each in data_of(out)]
    return "".join(each["delta"].get("content") or "" for each in found)


def anthropic_said(out: bytes) -> str:
    return "".join(each["delta"].get("text", "") for each in data_of(out) if "delta" in each)


SPOKEN = [
    Spoken(
        CHAT, {"model": "m", "messages": TURNS},
        lambda text: {"choices": [{"message": {"content": text, "reasoning": text}}]},
        chat_events, chat_said,
    ),
    Spoken(
        PLAIN, {"model": "m", "prompt": "Tell me."}, lambda text: {"choices": [{"text": text}]},
        plain_events, lambda out: "".join(e["choices"][0]["text"] for e in data_of(out)),
    ),
    Spoken(
        ANTHROPIC, {"model": "m", "messages": TURNS, "max_tokens": 9},
        lambda text: {"content": [{"type": "thinking", "thinking": text},
                                  {"type": "text", "text": text}]},
        anthropic_events, anthropic_said,
    ),
]  # fmt: skip
every_dialect = pytest.mark.parametrize("spoken", SPOKEN, ids=repr)


def asked_of(spoken: Spoken, mark: str = "wording", strength: Any = "normal", **fields: Any) -> Any:
    incoming = spoken.dialect.read(json.dumps(spoken.asks | fields).encode())
    decision = Decision(granted=incoming.asked, mark=mark, mark_strength=strength)
    return choices_of(decision, incoming, "c-1", dialect=spoken.dialect.name, marks=MARKS)


def writing(spoken: Spoken, **fields: Any) -> WrittenChoices:
    choices = asked_of(spoken, **fields)
    assert isinstance(choices, WrittenChoices)
    return choices


def streamed(spoken: Spoken, pieces: Sequence[str], surface: Surface = CLOSED) -> tuple[str, Told]:
    incoming = spoken.dialect.read(json.dumps(spoken.asks | {"stream": True}).encode())
    scrubber = spoken.dialect.stream(incoming, surface, None, writing(spoken))
    out = fed(scrubber, spoken.events(pieces))
    assert scrubber.ended
    return spoken.said(out), scrubber.told


def fed(scrubber: Scrubber, events: list[Any]) -> bytes:
    return b"".join(
        scrubber.event(None, each.encode() if isinstance(each, str) else json.dumps(each).encode())
        for each in events
    )


@every_dialect
def test_a_whole_answer_leaves_with_the_keys_choices_and_is_noted_as_it_leaves(
    spoken: Spoken,
) -> None:
    incoming = spoken.dialect.read(json.dumps(spoken.asks).encode())
    choices = writing(spoken)
    answer = json.dumps(spoken.whole(ANSWER)).encode()
    scrubbed = spoken.dialect.scrub(answer, incoming, Surface(reasoning=2), None, choices)
    assert WRITTEN != ANSWER
    assert json.dumps(WRITTEN).encode()[1:-1].decode() in json.dumps(json.loads(scrubbed.body))
    assert scrubbed.told.completion == WRITTEN
    assert choices.marked == Marked("wording", epoch="2026-11")
    assert choices.slots == 9


@every_dialect
@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, len(ANSWER)), max_size=40))
def test_a_stream_says_the_same_however_it_is_cut(spoken: Spoken, places: list[int]) -> None:
    ends = sorted({0, *places, len(ANSWER)})
    said, told = streamed(spoken, [ANSWER[a:b] for a, b in pairwise(ends)])
    assert said == told.completion == WRITTEN


@every_dialect
@pytest.mark.parametrize("text", [*UNTOUCHED, "Water boils.", "Wait. However,", "x\n\n---\n"])
def test_an_answer_without_choices_leaves_as_it_is(spoken: Spoken, text: str) -> None:
    incoming = spoken.dialect.read(json.dumps(spoken.asks).encode())
    body = json.dumps(spoken.whole(text)).encode()
    choices = writing(spoken)
    written = spoken.dialect.scrub(body, incoming, CLOSED, None, choices)
    assert written.body == spoken.dialect.scrub(body, incoming, CLOSED).body
    assert choices.marked == Marked("wording", unmarked="no choice")
    assert streamed(spoken, list(text))[0] == text


@pytest.mark.parametrize("spoken", SPOKEN[:2], ids=repr)  # Anthropic's blocks always end
def test_what_a_stream_holds_leaves_when_it_ends_without_saying_so(spoken: Spoken) -> None:
    incoming = spoken.dialect.read(json.dumps(spoken.asks | {"stream": True}).encode())
    scrubber = spoken.dialect.stream(incoming, CLOSED, None, writing(spoken))
    events = spoken.events(["Gold keeps. However, it"])
    out = fed(scrubber, [*events[:-2], events[-1]])
    assert spoken.said(out).endswith(" it")
    assert out.endswith(b"data: [DONE]\n\n")
    assert scrubber.told.completion == spoken.said(out)


def test_each_choice_of_several_is_written_on_its_own() -> None:
    choices = writing(SPOKEN[0], n=2)
    incoming = CHAT.read(json.dumps(SPOKEN[0].asks | {"n": 2, "stream": True}).encode())
    scrubber = CHAT.stream(incoming, Surface(n=2), None, choices)
    out = b""
    for piece in [*ANSWER, None]:
        ended = {"delta": {}, "finish_reason": "stop"}
        each = ended if piece is None else {"delta": {"content": piece}}
        chunk = {"choices": [{"index": 0, **each}, {"index": 1, **each}]}
        out += scrubber.event(None, json.dumps(chunk).encode())
    said = ["", ""]
    for event in data_of(out):
        for choice in event["choices"]:
            said[choice["index"]] += choice["delta"].get("content") or ""
    assert said == [WRITTEN, WRITTEN]


def test_calls_of_tools_pass_unread_and_bring_what_was_held_before_them() -> None:
    arguments = json.dumps({"text": ANSWER})
    call = {"index": 0, "function": {"name": "f", "arguments": arguments}}
    events = chat_events(["Gold keeps. However, it"])
    calls = {"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}
    incoming = CHAT.read(json.dumps(SPOKEN[0].asks | {"stream": True}).encode())
    scrubber = CHAT.stream(incoming, Surface(tools=True), None, writing(SPOKEN[0]))
    out = data_of(fed(scrubber, [*events[:2], calls, *events[2:]]))
    [called] = [e for e in out if "tool_calls" in e["choices"][0]["delta"]]
    delta = called["choices"][0]["delta"]
    assert delta["tool_calls"][0]["function"]["arguments"] == arguments
    assert delta["content"].endswith(" it")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"logprobs": True}, "logprobs"),
        ({"return_token_ids": True}, "token ids"),
        ({"response_format": {"type": "json_object"}}, "structure"),
        ({"guided_regex": "a+"}, "structure"),
        ({"messages": [*TURNS, {"role": "assistant", "content": "I"}]}, "continued"),
    ],
)
def test_what_would_no_longer_fit_the_text_keeps_it_as_it_is(
    fields: dict[str, Any], reason: str
) -> None:
    assert asked_of(SPOKEN[0], **fields) == Marked("wording", unmarked=reason)


def test_texts_that_go_on_or_whose_form_we_do_not_know_are_left_alone() -> None:
    assert asked_of(SPOKEN[1], suffix="}") == Marked("wording", unmarked="continued")
    responses = OpenAIResponses()
    incoming = responses.read(b'{"model": "m", "input": "hi"}')
    decision = Decision(granted=incoming.asked, mark="wording")
    told = choices_of(decision, incoming, "c-1", dialect=responses.name, marks=MARKS)
    assert told == Marked("wording", unmarked="route")
    incoming = CHAT.read(json.dumps(SPOKEN[0].asks).encode())
    cited = Decision(
        granted=Asked(model="m"), mark="wording",
        surface=Surface(response_fields=frozenset({"annotations"})),
    )  # fmt: skip
    told = choices_of(cited, incoming, "c-1", dialect="openai", marks=MARKS)
    assert told == Marked("wording", unmarked="citations")


def test_marks_of_tokens_and_of_nobody_are_no_business_of_ours() -> None:
    assert asked_of(SPOKEN[0], mark="tokens") is None
    assert asked_of(SPOKEN[0], mark="unknown") is None
    assert asked_of(SPOKEN[0], strength="strong") is None  # tokens stand in its place
    incoming = CHAT.read(json.dumps(SPOKEN[0].asks).encode())
    for decision, marks in ((Decision(granted=incoming.asked), MARKS),
                            (Decision(granted=incoming.asked, mark="wording"), None)):  # fmt: skip
        assert choices_of(decision, incoming, "c", dialect="openai", marks=marks) is None


def test_the_profile_says_whose_key_it_is() -> None:
    everybody = KeyedMark.of(RING, GLOBAL, READER.name)
    assert writing(SPOKEN[0], mark="ours").whole(ANSWER) == rewrite(everybody, READER, "", ANSWER)


def test_what_the_caller_named_and_strings_that_end_answers_do_not_come_in() -> None:
    fields: list[dict[str, Any]] = [
        {"messages": [{"role": "system", "content": "Never say however."}, *TURNS]},
        {"stop": ["However"]},
        {"stop": "nevertheless,"},
    ]
    for each in fields:
        assert writing(SPOKEN[0], **each).whole("However, it is.") == "However, it is."
    # what the model itself said before is no word of the caller's
    turns = [*TURNS, {"role": "assistant", "content": "However, no."}, *TURNS]
    found = {rewrite(KeyedMark.of(RING, f"c-{i}", READER.name), READER, "", "However, it is.")
             for i in range(9)}  # fmt: skip
    assert len(found) > 1
    assert writing(SPOKEN[0], messages=turns).whole(ANSWER) == WRITTEN


def test_what_a_long_prompt_says_at_its_ends_counts_and_no_prompt_holds_up_others() -> None:
    long = [{"role": "user", "content": "\n" * 3_000_000 + "Begin with however."}]
    assert writing(SPOKEN[0], messages=long).whole("However, it is.") == "However, it is."


def test_greedy_answers_have_choices_too() -> None:
    assert isinstance(asked_of(SPOKEN[0], temperature=0), WrittenChoices)


def test_a_text_that_is_too_long_passes_as_it_is_from_there_on() -> None:
    choices = writing(SPOKEN[0])
    long = ANSWER * (LONGEST // len(ANSWER) + 9)
    assert choices.whole(long) == long
    said = "".join(choices.piece(0, long[i : i + 999]) for i in range(0, len(long), 999))
    said += choices.rest(0)
    assert said.startswith(WRITTEN)
    assert said.endswith(ANSWER * 3)


def test_nothing_comes_after_a_choice_has_said_that_it_ends() -> None:
    for spoken in SPOKEN[:2]:
        incoming = spoken.dialect.read(json.dumps(spoken.asks | {"stream": True}).encode())
        scrubber = spoken.dialect.stream(incoming, CLOSED, None, writing(spoken))
        *_, last = data_of(fed(scrubber, spoken.events(["Gold keeps. However, it"])))
        assert last["choices"][0]["finish_reason"] == "stop"
        assert "it" in json.dumps(last["choices"])


def test_what_is_recorded_is_what_came_of_it() -> None:
    assert marked_in(Marked("wording", unmarked="route")) == Marked("wording", unmarked="route")
    choices = writing(SPOKEN[0])
    assert marked_in(choices) == Marked("wording", unmarked="no choice")
