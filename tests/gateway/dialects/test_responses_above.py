"""OpenAI Responses: no byte outside the surface comes out, whatever items and events come in."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from stillwatch.access import CLOSED, OPEN, Reasoning, Surface

from .samples import RESPONSES, SURFACES, unhurried
from .test_nothing_above import MARK, NUMBER, check, passed, shown, streamed, strewn

ANY_ITEM = ["message", "summary", "reasoning", "encrypted", "call", "search", "odd part"]


def logprobs_of(surface: Surface, whole: bool) -> list[dict[str, Any]]:
    def token(allowed: bool) -> dict[str, Any]:
        return {"token": shown(allowed), "logprob": -1.0, "bytes": [1]}

    allowed = surface.logprobs > 0 and whole
    top = [token(allowed and place < surface.logprobs) for place in range(8)]
    return [token(allowed) | {"top_logprobs": top}]


def text_part(surface: Surface, whole: bool) -> dict[str, Any]:
    cited = shown("annotations" in surface.response_fields)
    return {
        "type": "output_text", "text": "shown", "logprobs": logprobs_of(surface, whole),
        "annotations": [
            {"type": "url_citation", "url": cited, "title": cited, "start_index": 0,
             "end_index": 1},
            {"type": "file_citation", "file_id": MARK, "filename": MARK, "index": NUMBER},
        ],
    }  # fmt: skip


def hides(kind: str, surface: Surface) -> bool:
    """Whether something that was generated is taken away of an item of this kind."""
    full, summary = surface.reasoning == Reasoning.FULL, surface.reasoning >= Reasoning.SUMMARY
    shows = {
        "message": True, "summary": summary, "reasoning": full, "encrypted": summary,
        "call": surface.tools, "search": False, "odd part": False,
    }  # fmt: skip
    return not shows[kind]


def item_of(kind: str, surface: Surface, whole: bool, index: int) -> dict[str, Any]:
    full, summary = surface.reasoning == Reasoning.FULL, surface.reasoning >= Reasoning.SUMMARY
    thought: dict[str, Any] = {"type": "reasoning", "id": f"r{index}", "summary": []}
    match kind:
        case "summary":
            return thought | {"summary": [{"type": "summary_text", "text": shown(summary)}]}
        case "reasoning":
            return thought | {"content": [{"type": "reasoning_text", "text": shown(full)}]}
        case "encrypted":
            return thought | {"encrypted_content": shown(full)}
        case "call":
            said = shown(surface.tools)
            return {"type": "function_call", "id": f"f{index}", "call_id": "c", "name": said,
                    "arguments": said, "caller": {"type": MARK}}  # fmt: skip
        case "search":
            return {"type": "web_search_call", "id": MARK, "action": {"query": MARK}}
    parts = [text_part(surface, whole)]
    if kind == "odd part":
        parts.append({"type": "output_audio", "data": MARK})
    return {"type": "message", "id": f"m{index}", "status": "completed", "role": "assistant",
            "content": parts}  # fmt: skip


def around(surface: Surface, items: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": "resp", "object": "response", "created_at": 1, "status": "completed",
        "model": "shown", "output": items, "error": {"code": "server_error", "message": MARK},
        "service_tier": shown("service_tier" in surface.response_fields),
        "instructions": MARK, "tools": [{"type": "function", "name": MARK}], "user": MARK,
        "tool_choice": MARK, "metadata": {"a": MARK}, "previous_response_id": MARK,
        "usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2,
                  "input_tokens_details": {"cached_tokens": 0, "cached_by": MARK},
                  "output_tokens_details": {"reasoning_tokens": 0, "tool_tokens": NUMBER}},
    }  # fmt: skip


@st.composite
def answers(draw: st.DrawFn) -> tuple[Surface, dict[str, Any]]:
    surface = draw(SURFACES)
    kinds = draw(st.lists(st.sampled_from(ANY_ITEM), max_size=5))
    whole = not any(hides(kind, surface) for kind in kinds)
    items = [item_of(kind, surface, whole, i) for i, kind in enumerate(kinds)]
    return surface, strewn(draw, around(surface, items))


@unhurried
@given(answers())
def test_an_answer_shows_nothing_beyond_the_surface(case: tuple[Surface, dict[str, Any]]) -> None:
    surface, answer = case
    check(passed(RESPONSES, surface, answer), surface)


def within(kind: str, surface: Surface, whole: bool, text: str) -> list[dict[str, Any]]:
    """Events of an item, of every kind that a server may send in the middle of it."""
    full, summary = surface.reasoning == Reasoning.FULL, surface.reasoning >= Reasoning.SUMMARY
    part = text_part(surface, whole)
    events: dict[str, list[dict[str, Any]]] = {
        "summary": [
            {"type": "reasoning_summary_part.added", "summary_index": 0,
             "part": {"type": "summary_text", "text": shown(summary)}},
            {"type": "reasoning_summary_text.delta", "summary_index": 0, "delta": shown(summary)},
            {"type": "reasoning_summary_text.done", "summary_index": 0, "text": shown(summary)},
        ],
        "reasoning": [
            {"type": "content_part.added", "content_index": 0,
             "part": {"type": "reasoning_text", "text": shown(full)}},
            {"type": "reasoning_text.delta", "content_index": 0, "delta": shown(full)},
            {"type": "reasoning_text.done", "content_index": 0, "text": shown(full)},
        ],
        "call": [
            {"type": "function_call_arguments.delta", "delta": shown(surface.tools)},
            {"type": "function_call_arguments.done", "arguments": shown(surface.tools)},
        ],
        "message": [
            {"type": "content_part.added", "content_index": 0, "part": part},
            {"type": "output_text.delta", "content_index": 0, "delta": text,
             "logprobs": part["logprobs"]},
            {"type": "output_text.annotation.added", "content_index": 0, "annotation_index": 0,
             "annotation": part["annotations"][0]},
            {"type": "output_text.annotation.added", "content_index": 0, "annotation_index": 1,
             "annotation": part["annotations"][1]},
            {"type": "output_text.done", "content_index": 0, "text": text,
             "logprobs": part["logprobs"]},
            {"type": "content_part.done", "content_index": 0, "part": part},
        ],
        "odd part": [
            {"type": "content_part.added", "content_index": 0,
             "part": {"type": "output_audio", "data": MARK}},
            {"type": "output_text.delta", "content_index": 0, "delta": MARK},
            {"type": "content_part.added", "content_index": 1, "part": text_part(surface, False)},
            {"type": "output_text.delta", "content_index": 1, "delta": text},
        ],
        "search": [{"type": "web_search_call.searching", "query": MARK}],
        "encrypted": [],
    }  # fmt: skip
    return events[kind]


@st.composite
def streams(draw: st.DrawFn) -> tuple[Surface, list[dict[str, Any]]]:
    surface = draw(SURFACES)
    kinds = draw(st.lists(st.sampled_from(ANY_ITEM), max_size=5))
    begun = around(surface, [])
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": begun},
        {"type": "response.novelty", "text": MARK},
    ]
    whole, items = True, []
    all_of_it = not any(hides(kind, surface) for kind in kinds)
    for index, kind in enumerate(kinds):
        whole = whole and not hides(kind, surface)
        items.append(item_of(kind, surface, all_of_it, index))
        here = item_of(kind, surface, whole, index)
        at = {"output_index": index, "item_id": f"i{index}"}
        events.append({"type": "response.output_item.added", "item": here, **at})
        # of an item that is left out whole, so is what looks like its text
        hidden = kind == "search" or (kind == "call" and not surface.tools)
        hidden |= kind in ("summary", "reasoning", "encrypted") and not surface.reasoning
        inside = within(kind, surface, whole, "shown")
        inside += within("message", surface, whole, MARK)[1:2] if hidden else []
        events += [{**at, **each, "type": "response." + each["type"]} for each in inside]
        events.append({"type": "response.output_item.done", "item": here, **at})
    events.append({"type": "response.completed", "response": around(surface, items)})
    return surface, [strewn(draw, event) for event in events]


@unhurried
@given(streams())
@example((CLOSED, [{"type": "response.created", "response": around(CLOSED, [])}]))
def test_a_stream_shows_nothing_beyond_the_surface(
    case: tuple[Surface, list[dict[str, Any]]],
) -> None:
    surface, events = case
    out = streamed(RESPONSES, surface, events)
    check(out, surface)
    sent = [json.loads(line[6:]) for line in out.split(b"\n") if line.startswith(b"data: ")]
    assert [event["sequence_number"] for event in sent] == list(range(len(sent)))
    added = [e for e in sent if e["type"] == "response.output_item.added"]
    assert [event["output_index"] for event in added] == list(range(len(added)))
    parts = [e for e in sent if e["type"] == "response.content_part.added"]
    assert {event["content_index"] for event in parts} <= {0}


def test_the_surface_decides_by_what_an_event_is_not_by_the_item_it_claims() -> None:
    at = {"output_index": 0, "item_id": "m"}
    message = {"type": "message", "id": "m", "role": "assistant", "content": []}
    strays = [
        {"type": "response.reasoning_text.delta", "content_index": 0, "delta": MARK},
        {"type": "response.reasoning_summary_text.delta", "summary_index": 0, "delta": MARK},
        {"type": "response.function_call_arguments.done", "arguments": MARK},
        {"type": "response.content_part.added", "content_index": 0,
         "part": {"type": "reasoning_text", "text": MARK}},
    ]  # fmt: skip
    events = [
        {"type": "response.created", "response": around(CLOSED, [])},
        {"type": "response.output_item.added", "item": message, **at},
        *[stray | at for stray in strays],
    ]
    check(streamed(RESPONSES, CLOSED, events), CLOSED)
    assert MARK in json.loads(b'"' + streamed(RESPONSES, OPEN, events).replace(b'"', b"'")
                              .replace(b"\n", b" ") + b'"')  # fmt: skip
