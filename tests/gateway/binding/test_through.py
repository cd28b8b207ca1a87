"""Through a real gateway: what the client gets is bound, what the upstream gets back is its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.gateway.binding.conftest import Thinking
from tests.gateway.binding.engine import ENCRYPTED, REDACTED, SIGNATURE
from tests.gateway.conftest import Response

Until = Callable[[Callable[[], object]], None]
FIRST = {"role": "user", "content": "why is the sky blue"}


def messages(thinking: Thinking, key: str, *turns: Any, **fields: Any) -> Response:
    body = {"model": "m", "max_tokens": 2000, "messages": [FIRST, *turns], **fields}
    body["thinking"] = {"type": "enabled", "budget_tokens": 1024}
    return thinking.client.send("POST", "/v1/messages", body, key=key)


def events(response: Response) -> list[Any]:
    return [json.loads(line[6:]) for line in response.body.split(b"\n") if line[:5] == b"data:"]


def content(response: Response) -> list[dict[str, Any]]:
    """The blocks, put together as the official client does it."""
    if response.body[:1] == b"{":
        return list(response.json()["content"])
    blocks: list[dict[str, Any]] = []
    for event in events(response):
        if event["type"] == "content_block_start":
            blocks.append(event["content_block"])
        elif event["type"] == "content_block_delta":
            block, delta = blocks[event["index"]], event["delta"]
            if delta["type"] == "signature_delta":
                block["signature"] = delta["signature"]
            elif delta["type"] == "thinking_delta":
                block["thinking"] += delta["thinking"]
            else:
                block["text"] += delta["text"]
    return blocks


def returned(thinking: Thinking, key: str, blocks: list[Any], **fields: Any) -> Response:
    """Send an answer back, with the next question."""
    return messages(
        thinking, key, {"role": "assistant", "content": blocks},
        {"role": "user", "content": "and at dusk"}, **fields,
    )  # fmt: skip


def last_row(thinking: Thinking, account_of: Response, until: Until) -> dict[str, Any]:
    """The exchange of a response."""
    from stillwatch.sketches import SketchKey

    key = SketchKey.from_file(thinking.client.state / "sketch.key")
    digest = key.digest("request", account_of.headers["x-request-id"])
    found: list[dict[str, Any]] = []

    def there() -> bool:
        found[:] = [row for row in thinking.client.rows() if row["request"] == digest]
        return bool(found)

    until(there)
    return found[0]


@pytest.mark.parametrize("stream", [False, True])
def test_what_comes_back_reaches_the_upstream_as_it_left_it(
    thinking: Thinking, until: Until, stream: bool
) -> None:
    key = thinking.client.key(account="anna")
    blocks = content(messages(thinking, key, stream=stream))
    assert [block["type"] for block in blocks] == ["thinking", "redacted_thinking", "text"]
    assert blocks[0]["thinking"] == "hm"
    assert SIGNATURE[:20] not in json.dumps(blocks)
    assert blocks[0]["signature"].startswith("swbound1")
    assert blocks[1]["data"].startswith("swbound1")
    second = returned(thinking, key, blocks, stream=stream)
    assert second.status == 200
    sent = thinking.thinker.requests[-1]["messages"][1]["content"]
    assert (sent[0]["signature"], sent[1]["data"]) == (SIGNATURE, REDACTED)
    assert last_row(thinking, second, until)["replay"] == "same"


def test_a_signature_leaves_whole_before_its_block_ends(thinking: Thinking) -> None:
    key = thinking.client.key(account="anna")
    kinds = [
        event.get("delta", event)["type"]
        for event in events(messages(thinking, key, stream=True))
        if event.get("index") == 0
    ]
    assert kinds == [
        "content_block_start", "thinking_delta", "thinking_delta", "signature_delta",
        "content_block_stop",
    ]  # fmt: skip


def test_another_account_is_recorded_with_the_account_that_it_came_from(
    thinking: Thinking, until: Until
) -> None:
    first = messages(thinking, thinking.client.key(account="bert", org="one"))
    shared = returned(thinking, thinking.client.key(account="carl", org="two"), content(first))
    assert shared.status == 200  # nothing refuses unless a rule says so
    assert thinking.thinker.requests[-1]["messages"][1]["content"][0]["signature"] == SIGNATURE
    row, issued = last_row(thinking, shared, until), last_row(thinking, first, until)
    assert row["replay"] == "other_org"
    assert row["replayed_from"] == issued["account"] != row["account"]
    assert (issued["replay"], issued["replayed_from"]) == (None, None)


def test_a_rule_refuses_what_comes_from_another_account(thinking: Thinking, until: Until) -> None:
    blocks = content(messages(thinking, thinking.client.key(account="dora")))
    served = len(thinking.thinker.requests)
    refused = returned(thinking, thinking.client.key(account="egon", level="guarded"), blocks)
    assert refused.status == 403
    assert "belong to the account" in refused.json()["error"]["message"]
    assert len(thinking.thinker.requests) == served
    assert last_row(thinking, refused, until)["replay"] == "other_account"


def test_what_the_upstream_signed_for_somebody_outside_passes_and_is_foreign(
    thinking: Thinking, until: Until
) -> None:
    key = thinking.client.key(account="fred", level="guarded")
    blocks = [{"type": "thinking", "thinking": "x", "signature": SIGNATURE}]
    response = returned(thinking, key, blocks)
    assert response.status == 200
    assert thinking.thinker.requests[-1]["messages"][1]["content"][0]["signature"] == SIGNATURE
    assert last_row(thinking, response, until)["replay"] == "foreign"


def test_requests_without_such_blocks_say_nothing(thinking: Thinking, until: Until) -> None:
    response = messages(thinking, thinking.client.key(account="gina"))
    assert last_row(thinking, response, until)["replay"] is None


def test_below_the_level_that_shows_thinking_nothing_opaque_leaves(thinking: Thinking) -> None:
    key = thinking.client.key(account="hugo", level="closed")
    body = {"model": "m", "max_tokens": 2000, "messages": [FIRST]}
    response = thinking.client.send("POST", "/v1/messages", body, key=key)
    assert [block["type"] for block in content(response)] == ["text"]
    assert b"swbound1" not in response.body


@pytest.mark.parametrize("stream", [False, True])
def test_reasoning_details_of_chat_completions_are_bound_too(
    thinking: Thinking, until: Until, stream: bool
) -> None:
    key = thinking.client.key(account="ines")
    response = thinking.client.chat(key, "why", include_reasoning=True, stream=stream)
    if stream:
        chunks = [json.loads(line[6:]) for line in response.body.split(b"\n") if b"{" in line]
        details = [
            detail
            for chunk in chunks
            for choice in chunk["choices"]
            for detail in choice["delta"].get("reasoning_details", ())
        ]
        details = [details[0] | details[1], details[2]]
    else:
        details = response.json()["choices"][0]["message"]["reasoning_details"]
    assert b"novelty" not in response.body
    assert SIGNATURE not in json.dumps(details)
    assert ENCRYPTED not in json.dumps(details)
    turns = [
        {"role": "user", "content": "why"},
        {"role": "assistant", "content": "yes", "reasoning_details": details},
        {"role": "user", "content": "go on"},
    ]
    body = {"model": "m", "messages": turns}
    second = thinking.client.send("POST", "/v1/chat/completions", body, key=key)
    assert second.status == 200
    sent = thinking.thinker.requests[-1]["messages"][1]["reasoning_details"]
    assert (sent[0]["signature"], sent[1]["data"]) == (SIGNATURE, ENCRYPTED)
    assert last_row(thinking, second, until)["replay"] == "same"


def test_what_came_back_is_counted_by_kind(thinking: Thinking) -> None:
    key = thinking.client.key(account="jost")
    counted = 'stillwatch_reasoning_returned_total{replay="same"}'
    before = thinking.client.metric(counted)
    returned(thinking, key, content(messages(thinking, key)))
    assert thinking.client.metric(counted) == before + 1
