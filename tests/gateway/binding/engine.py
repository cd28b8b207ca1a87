"""A model server that thinks: Anthropic's dialect and OpenAI's over real HTTP, whole and streamed.

It signs its thoughts, sends signatures in pieces when it streams, and remembers what it was asked.
"""

from __future__ import annotations

import json
from typing import Any

SIGNATURE = "EqQBCgIYAhIkMDEyMzQ1Njc4OS+/+/+/7m90aGluZyB0byBzZWUgaGVyZQ=="
REDACTED = "EmwKAhgBEgy3va3pzix/LafPsn4aDFIT2Xlxh0L5L8rLVyIwxtE3rAFBa8cr3qpP"
ENCRYPTED = "gAAAAABo_-k3vPq1R2nDx8mW0aZt-Zz_4w=="


class Thinker:
    """The ASGI application. `requests` are the bodies in the order that they came."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        asked = json.loads(body)
        self.requests.append(asked)
        events = _message_events if scope["path"] == "/v1/messages" else _chunks
        whole = _message if scope["path"] == "/v1/messages" else _chat
        if asked.get("stream"):
            kind, data = b"text/event-stream", b"".join(events())
        else:
            kind, data = b"application/json", json.dumps(whole()).encode()
        headers = [(b"content-type", kind)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": data})


def _message() -> dict[str, Any]:
    return {
        "id": "msg", "type": "message", "role": "assistant", "model": "m",
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": SIGNATURE},
            {"type": "redacted_thinking", "data": REDACTED},
            {"type": "text", "text": "yes"},
        ],
        "stop_reason": "end_turn", "stop_sequence": None,
        "usage": {"input_tokens": 3, "output_tokens": 3},
    }  # fmt: skip


def _message_events() -> list[bytes]:
    blocks = [
        ({"type": "thinking", "thinking": "", "signature": ""}, [
            {"type": "thinking_delta", "thinking": "h"},
            {"type": "thinking_delta", "thinking": "m"},
            {"type": "signature_delta", "signature": SIGNATURE[:20]},
            {"type": "signature_delta", "signature": SIGNATURE[20:]},
        ]),
        ({"type": "redacted_thinking", "data": REDACTED}, []),
        ({"type": "text", "text": ""}, [{"type": "text_delta", "text": "yes"}]),
    ]  # fmt: skip
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": _message() | {"content": [], "stop_reason": None}}
    ]
    for index, (block, deltas) in enumerate(blocks):
        events.append({"type": "content_block_start", "index": index, "content_block": block})
        events += [{"type": "content_block_delta", "index": index, "delta": d} for d in deltas]
        events.append({"type": "content_block_stop", "index": index})
    events.append(
        {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None},
         "usage": {"output_tokens": 3}}
    )  # fmt: skip
    events.append({"type": "message_stop"})
    return [f"event: {e['type']}\ndata: {json.dumps(e)}\n\n".encode() for e in events]


def _details() -> list[dict[str, Any]]:
    return [
        {"type": "reasoning.text", "text": "hm", "signature": SIGNATURE, "index": 0, "id": None},
        {"type": "reasoning.encrypted", "data": ENCRYPTED, "index": 1, "novelty": 1},
    ]


def _chat() -> dict[str, Any]:
    message = {"role": "assistant", "content": "yes", "reasoning_details": _details()}
    return {
        "id": "c", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 3, "total_tokens": 6},
    }  # fmt: skip


def _chunks() -> list[bytes]:
    text, encrypted = _details()
    signature = {"type": text["type"], "signature": text.pop("signature"), "index": 0}
    deltas = [{"reasoning_details": [each]} for each in (text, signature, encrypted)]
    chunks: list[dict[str, Any]] = [
        {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
         "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
        for delta in [*deltas, {"content": "yes"}]
    ]  # fmt: skip
    chunks.append(chunks[0] | {"choices": [], "usage": _chat()["usage"]})
    return [f"data: {json.dumps(c)}\n\n".encode() for c in chunks] + [b"data: [DONE]\n\n"]
