"""What the model server of these tests says on ``/v1/responses``, whole and event by event.

It thinks, answers with the words that it was sent, calls the first function that it was offered,
and searches the web, which nobody asked for. What must not come out says so.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any

LEAK = "LEAKED"
THOUGHT = "let me think about it"
SUMMARY = "**Thinking**"
ENCRYPTED = "gAAAAA-encrypted-by-the-model-server"
POSITION = {"token": "you", "logprob": -0.5, "bytes": [121],
            "top_logprobs": [{"token": "you", "logprob": -0.5, "bytes": [121]},
                             {"token": "she", "logprob": -1.5, "bytes": [115]}]}  # fmt: skip


def words_of(asked: dict[str, Any]) -> str:
    given = asked["input"]
    last = given if isinstance(given, str) else given[-1].get("content") or given[-1]["output"]
    return last if isinstance(last, str) else " ".join(part["text"] for part in last)


def items_of(asked: dict[str, Any]) -> list[dict[str, Any]]:
    """The items of the answer. A model named ``plain`` does not think, and searches nothing."""
    text = f"you said {words_of(asked)}"
    cited = {"type": "url_citation", "url": LEAK, "title": LEAK, "start_index": 0, "end_index": 1}
    message = {
        "type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
        "content": [{"type": "output_text", "text": text, "annotations": [cited],
                     "logprobs": [POSITION], "novelty": LEAK}],
        "novelty": LEAK,
    }  # fmt: skip
    called = [
        {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": tool["name"],
         "arguments": '{"city": "Oslo"}', "status": "completed", "caller": LEAK}
        for tool in asked.get("tools", [])[:1]
    ]  # fmt: skip
    if asked["model"] == "plain":
        return [message, *called]
    thought = {
        "type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": SUMMARY}],
        "content": [{"type": "reasoning_text", "text": THOUGHT}], "novelty": LEAK,
    }  # fmt: skip
    if "reasoning.encrypted_content" in (asked.get("include") or ()):
        thought["encrypted_content"] = ENCRYPTED
    searched = {"type": "web_search_call", "id": "ws_1", "action": {"query": LEAK}}
    return [thought, searched, message, *called]


def response_of(asked: dict[str, Any], items: list[dict[str, Any]], status: str) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "id": "resp_1", "object": "response", "created_at": 1, "status": status,
        "model": asked["model"], "error": None, "incomplete_details": None, "output": items,
        "instructions": LEAK, "tools": [{"type": "function", "name": LEAK}], "tool_choice": LEAK,
        "parallel_tool_calls": True, "metadata": {"inside": LEAK}, "store": False,
        "input_messages": [LEAK], "output_messages": [LEAK], "user": LEAK, "novelty": LEAK,
    }  # fmt: skip
    if status in ("completed", "incomplete", "failed") and asked["model"] != "uncounted":
        answer["usage"] = {
            "input_tokens": 7, "output_tokens": 5, "total_tokens": 12, "novelty": LEAK,
            "input_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 0},
            "output_tokens_details": {"reasoning_tokens": 2, "tool_output_tokens": 9},
        }  # fmt: skip
    if asked["model"] == "failed":
        answer["error"] = {"code": "server_error", "message": f"/srv/{LEAK} fell over"}
    if asked["model"] == "incomplete":
        answer["incomplete_details"] = {"reason": "max_output_tokens", "novelty": LEAK}
    return answer


def whole(asked: dict[str, Any]) -> dict[str, Any]:
    status = asked["model"] if asked["model"] in ("failed", "incomplete") else "completed"
    return response_of(asked, items_of(asked), status)


def events(asked: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The events of a stream that comes to its end."""
    number = 0

    def event(kind: str, **fields: Any) -> dict[str, Any]:
        nonlocal number
        number += 1
        return {"type": kind, "sequence_number": number - 1, **fields, "obfuscation": LEAK}

    yield event("response.created", response=response_of(asked, [], "in_progress"))
    yield event("response.in_progress", response=response_of(asked, [], "in_progress"))
    items = items_of(asked)
    for index, item in enumerate(items):
        at = {"output_index": index, "item_id": item["id"]}
        begun = {**item, "status": "in_progress"}
        begun |= {name: [] for name in ("summary", "content") if name in item}
        begun |= {"arguments": ""} if "arguments" in item else {}
        yield event("response.output_item.added", output_index=index, item=begun)
        if item["type"] == "reasoning":
            yield from _thinking(event, at)
        elif item["type"] == "message":
            yield from _saying(event, at, item["content"][0])
        elif item["type"] == "function_call":
            for piece in ('{"city": ', '"Oslo"}'):
                yield event("response.function_call_arguments.delta", delta=piece, **at)
            yield event("response.function_call_arguments.done", arguments=item["arguments"], **at)
        else:
            yield event("response.web_search_call.searching", query=LEAK, **at)
        yield event("response.output_item.done", output_index=index, item=item)
    yield event("response.novelty", text=LEAK)
    last = asked["model"] if asked["model"] in ("failed", "incomplete") else "completed"
    yield event(f"response.{last}", response=response_of(asked, items, last))


def _thinking(event: Any, at: dict[str, Any]) -> Iterator[dict[str, Any]]:
    part = {"type": "summary_text", "text": SUMMARY}
    kind = "response.reasoning_summary_"
    yield event(kind + "part.added", summary_index=0, part=part | {"text": ""}, **at)
    yield event(kind + "text.delta", summary_index=0, delta=SUMMARY, **at)
    yield event(kind + "text.done", summary_index=0, text=SUMMARY, **at)
    yield event(kind + "part.done", summary_index=0, part=part, **at)
    yield event("response.reasoning_text.delta", content_index=0, delta=THOUGHT, **at)
    yield event("response.reasoning_text.done", content_index=0, text=THOUGHT, **at)


def _saying(event: Any, at: dict[str, Any], part: dict[str, Any]) -> Iterator[dict[str, Any]]:
    at = at | {"content_index": 0}
    empty = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
    yield event("response.content_part.added", part=empty, **at)
    for word in re.findall(r"\S+ ?", part["text"]):
        yield event("response.output_text.delta", delta=word, logprobs=[POSITION], **at)
    yield event("response.output_text.annotation.added", annotation_index=0,
                annotation=part["annotations"][0], **at)  # fmt: skip
    yield event("response.output_text.done", text=part["text"], logprobs=[POSITION], **at)
    yield event("response.content_part.done", part=part, **at)


async def stream(asked: dict[str, Any], send: Any) -> None:
    """Send the events; models named ``dies``, ``endless``, ``errs``, ``broken``, ``slow`` do so."""
    model = asked["model"]
    headers = [(b"content-type", b"text/event-stream")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for number, event in enumerate(events(asked)):
        if model == "dies" and number == 12:
            raise RuntimeError("died")
        if model == "errs" and number == 12:
            event = {"type": "error", "code": "server_error", "message": f"/srv/{LEAK}"}
        if model == "broken" and number == 12:
            event = {"type": event["type"], "sequence_number": LEAK}
        if model == "endless" and event["type"] == "response.completed":
            break
        if model == "slow":
            await asyncio.sleep(0.04)
        data = f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()
        await send({"type": "http.response.body", "body": data, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
