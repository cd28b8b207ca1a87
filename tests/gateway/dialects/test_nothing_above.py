"""No byte of a field outside the surface comes out, whatever an upstream sends.

Each answer below is built for one surface: what the surface shows says "shown", everything else
says so with a marker. Then fields that nobody knows are strewn over all of it.
"""

from __future__ import annotations

import json
import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stillwatch.access import Reasoning, Surface

from .samples import CHAT, COMPLETIONS, MESSAGES, SURFACES, Sample, unhurried

MARK = "\u2020forbidden\u2020"
NUMBER = 987_654_321
STRANGE = [
    "thinking_blocks", "stop_reason_id", "audio", "hidden_states", "provider",
    "prompt_text", "kv_transfer_params", "meta_info", "obfuscation", "moderation", "diagnostics",
    "container", "matched_stop", "routed_experts", "metrics", "caller", "inference_geo", "logits",
]  # fmt: skip
#: Objects whose keys are the model's own: a tool's input, and tokens by their text or id.
KEYED = ("input", "top_logprobs", "prompt_logprobs")


def strewn(draw: st.DrawFn, answer: Any) -> Any:
    """The same with unknown fields in its objects, before and after the known ones."""
    return _strewn(random.Random(draw(st.integers(0, 2**32))), answer)


def _strewn(chance: random.Random, value: Any) -> Any:
    if isinstance(value, list):
        return [_strewn(chance, item) for item in value]
    if not isinstance(value, dict):
        return value
    strange = {
        name: chance.choice([MARK, [MARK], {"text": MARK}])
        for name in chance.sample(STRANGE, chance.randrange(3))
    }
    held = {k: v if k in KEYED else _strewn(chance, v) for k, v in value.items()}
    return strange | held if chance.random() < 0.5 else held | strange


def shown(allowed: bool) -> str:
    return "shown" if allowed else MARK


def passed(sample: Sample, surface: Surface, answer: dict[str, Any]) -> bytes:
    incoming = sample.dialect.read(json.dumps(sample.least).encode())
    return sample.dialect.scrub(json.dumps(answer).encode(), incoming, surface).body


def streamed(sample: Sample, surface: Surface, events: list[dict[str, Any]]) -> bytes:
    incoming = sample.dialect.read(json.dumps(sample.least | {"stream": True}).encode())
    scrubber = sample.dialect.stream(incoming, surface)
    return b"".join(scrubber.event(None, json.dumps(event).encode()) for event in events)


def check(out: bytes, surface: Surface) -> None:
    text = out.decode().encode().decode("unicode_escape", "replace") + out.decode()
    assert MARK not in text
    assert str(NUMBER) not in text
    assert "shown" in text


def logprobs_of_chat(surface: Surface, kept: bool) -> dict[str, Any]:
    def token(allowed: bool) -> dict[str, Any]:
        return {"token": shown(allowed), "logprob": -1.0, "bytes": [1]}

    allowed = surface.logprobs > 0 and kept
    top = [token(allowed and place < surface.logprobs) for place in range(8)]
    return {"content": [token(allowed) | {"top_logprobs": top}]}


def prompt_logprobs(surface: Surface) -> list[Any]:
    allowed = surface.prompt_logprobs and surface.logprobs > 0
    key = "5" if surface.token_ids else str(NUMBER)
    others = {
        f"{key}{place}": {
            "logprob": -float(place),
            "rank": place,
            "decoded_token": shown(allowed and place <= surface.logprobs),
        }
        for place in range(1, 9)
    }
    return [None, {key: {"logprob": -9.0, "rank": 9, "decoded_token": shown(allowed)}, **others}]


def message_of_chat(draw: st.DrawFn, surface: Surface) -> tuple[dict[str, Any], bool]:
    """A message, and whether all that the model generated in it is shown."""
    reasons = draw(st.sampled_from([None, "reasoning", "reasoning_content", "reasoning_details"]))
    calls = draw(st.booleans())
    full, tools = surface.reasoning == Reasoning.FULL, surface.tools
    cited = shown("annotations" in surface.response_fields)
    message: dict[str, Any] = {"role": "assistant", "content": "shown"}
    message["annotations"] = [
        {"type": "url_citation", "url_citation": {"url": cited, "title": cited}}
    ]
    if reasons == "reasoning_details":
        message[reasons] = [
            {"type": "reasoning.text", "text": shown(full), "signature": shown(full)},
            {"type": "reasoning.encrypted", "data": shown(full), "novelty": MARK},
        ]
    elif reasons:
        message[reasons] = shown(full)
    if calls:
        function = {"name": shown(tools), "arguments": shown(tools)}
        message["tool_calls"] = [{"index": 0, "id": "1", "type": "function", "function": function}]
        message["function_call"] = dict(function)
    return message, (full or not reasons) and (tools or not calls)


@st.composite
def chats(draw: st.DrawFn, part: str) -> tuple[Surface, dict[str, Any]]:
    surface = draw(SURFACES)
    choices = []
    for index in range(3):
        message, kept = message_of_chat(draw, surface)
        if index >= surface.n:
            message = {"role": "assistant", "content": MARK}
        choices.append(
            {
                "index": index,
                part: message,
                "logprobs": logprobs_of_chat(surface, kept and index < surface.n),
                "finish_reason": "stop",
                "token_ids": [5 if surface.token_ids and kept and index < surface.n else NUMBER],
            }
        )
    answer = {
        "id": "c", "created": 1, "model": "m", "choices": choices,
        "system_fingerprint": shown("system_fingerprint" in surface.response_fields),
        "service_tier": shown("service_tier" in surface.response_fields),
        "prompt_logprobs": prompt_logprobs(surface),
        "prompt_token_ids": [5 if surface.token_ids else NUMBER],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2,
                  "completion_tokens_details": {"accepted_prediction_tokens": NUMBER}},
    }  # fmt: skip
    return surface, strewn(draw, answer)


@unhurried
@given(chats("message"))
def test_a_chat_answer_shows_nothing_beyond_the_surface(
    case: tuple[Surface, dict[str, Any]],
) -> None:
    surface, answer = case
    check(passed(CHAT, surface, answer), surface)


@unhurried
@given(chats("delta"))
def test_a_chat_stream_shows_nothing_beyond_the_surface(
    case: tuple[Surface, dict[str, Any]],
) -> None:
    surface, event = case
    check(streamed(CHAT, surface, [event]), surface)


def test_a_delta_cannot_hide_behind_a_message() -> None:
    delta = {"content": "shown", "reasoning": MARK}
    choice = {"index": 0, "message": {"content": "shown"}, "delta": delta}
    check(streamed(CHAT, Surface(), [{"choices": [choice]}]), Surface())
    check(passed(CHAT, Surface(), {"choices": [choice]}), Surface())


@st.composite
def completions(draw: st.DrawFn) -> tuple[Surface, dict[str, Any]]:
    surface = draw(SURFACES)
    choices = []
    for index in range(3):
        allowed = surface.logprobs > 0 and index < surface.n
        top = {
            shown(allowed and place < surface.logprobs) + str(place): -float(place)
            for place in range(8)
        }
        logprobs = {
            "tokens": [shown(allowed)], "token_logprobs": [-1.0], "text_offset": [0],
            "top_logprobs": [None, top],
        }  # fmt: skip
        ids = [5 if surface.token_ids and index < surface.n else NUMBER]
        choices.append(
            {
                "index": index,
                "text": shown(index < surface.n),
                "logprobs": logprobs,
                "finish_reason": "stop",
                "prompt_logprobs": prompt_logprobs(surface) if index < surface.n else [],
                "token_ids": ids,
                "prompt_token_ids": ids,
            }
        )
    answer = {
        "id": "c", "created": 1, "model": "m", "choices": choices,
        "system_fingerprint": shown("system_fingerprint" in surface.response_fields),
        "usage": None,
    }  # fmt: skip
    return surface, strewn(draw, answer)


@unhurried
@given(completions())
def test_plain_completions_show_nothing_beyond_the_surface(
    case: tuple[Surface, dict[str, Any]],
) -> None:
    surface, answer = case
    check(passed(COMPLETIONS, surface, answer), surface)
    check(streamed(COMPLETIONS, surface, [answer]), surface)


def blocks_of(surface: Surface) -> list[dict[str, Any]]:
    full, tools = surface.reasoning == Reasoning.FULL, surface.tools
    cited = shown("citations" in surface.response_fields)
    found = {"type": "web_search_result", "url": shown(tools), "title": shown(tools),
             "encrypted_content": shown(tools)}  # fmt: skip
    return [
        {"type": "thinking", "thinking": shown(full), "signature": shown(full)},
        {"type": "text", "text": "shown",
         "citations": [{"type": "char_location", "cited_text": cited, "document_title": cited}]},
        {"type": "redacted_thinking", "data": shown(full)},
        {"type": "tool_use", "id": "1", "name": shown(tools), "input": {"a": shown(tools)}},
        {"type": "server_tool_use", "id": "2", "name": shown(tools), "input": {"a": shown(tools)}},
        {"type": "web_search_tool_result", "tool_use_id": "2", "content": [found]},
        {"type": "code_execution_tool_result", "content": MARK},
        {"type": "mcp_tool_use", "name": MARK},
    ]  # fmt: skip


def message_around(surface: Surface, blocks: list[dict[str, Any]]) -> dict[str, Any]:
    tier = shown("service_tier" in surface.response_fields)
    return {
        "id": "msg", "type": "message", "role": "assistant", "model": "shown", "content": blocks,
        "stop_reason": None, "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1, "service_tier": tier, "speed": MARK},
    }  # fmt: skip


@st.composite
def messages(draw: st.DrawFn) -> tuple[Surface, dict[str, Any]]:
    surface = draw(SURFACES)
    blocks = draw(st.lists(st.sampled_from(blocks_of(surface)), max_size=6))
    return surface, strewn(draw, message_around(surface, blocks))


@unhurried
@given(messages())
def test_a_message_shows_nothing_beyond_the_surface(case: tuple[Surface, dict[str, Any]]) -> None:
    surface, answer = case
    check(passed(MESSAGES, surface, answer), surface)


def deltas_of(surface: Surface) -> list[dict[str, Any]]:
    full, tools = surface.reasoning == Reasoning.FULL, surface.tools
    cited = shown("citations" in surface.response_fields)
    return [
        {"type": "text_delta", "text": "shown"},
        {"type": "thinking_delta", "thinking": shown(full)},
        {"type": "signature_delta", "signature": shown(full)},
        {"type": "input_json_delta", "partial_json": shown(tools)},
        {"type": "citations_delta", "citation": {"type": "char_location", "cited_text": cited}},
        {"type": "compaction_delta", "content": MARK},
    ]


@st.composite
def streams(draw: st.DrawFn) -> tuple[Surface, list[dict[str, Any]]]:
    """Deltas of any kind in blocks of any kind, also where they do not belong."""
    surface = draw(SURFACES)
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": message_around(surface, [])},
        {"type": "ping"},
        {"type": "strange_event", "text": MARK},
    ]
    for index, block in enumerate(draw(st.lists(st.sampled_from(blocks_of(surface)), max_size=5))):
        deltas = draw(st.lists(st.sampled_from(deltas_of(surface)), max_size=4))
        hidden = block["type"] in ("thinking", "redacted_thinking")
        hidden = hidden and surface.reasoning < Reasoning.FULL
        if hidden:  # text within a block that is left out goes with it
            deltas = [d | {"text": MARK} if d["type"] == "text_delta" else d for d in deltas]
        events.append({"type": "content_block_start", "index": index, "content_block": block})
        events += [{"type": "content_block_delta", "index": index, "delta": d} for d in deltas]
        events.append({"type": "content_block_stop", "index": index})
    events.append(
        {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None},
         "usage": {"output_tokens": 5}}
    )  # fmt: skip
    return surface, [strewn(draw, event) for event in events]


@unhurried
@given(streams())
def test_a_stream_of_a_message_shows_nothing_beyond_the_surface(
    case: tuple[Surface, list[dict[str, Any]]],
) -> None:
    surface, events = case
    out = streamed(MESSAGES, surface, events)
    check(out, surface)
    starts = [
        json.loads(line[6:])["index"] for line in out.split(b"\n") if b"content_block_start" in line
        and line.startswith(b"data: ")
    ]  # fmt: skip
    assert starts == list(range(len(starts)))
