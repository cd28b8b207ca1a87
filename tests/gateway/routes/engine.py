"""A model server for the routes beside chat: it counts, embeds and responds, over real HTTP.

What it does is chosen by the name of the model, as with the engine of the other tests; every answer
has fields that nobody knows.
"""

from __future__ import annotations

import base64
import json
import struct
from typing import Any

from tests.gateway.routes import responder

LEAK = responder.LEAK


class Router:
    """The ASGI application. `requests` are (path, headers, body) in the order that they came."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], dict[str, Any]]] = []

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
        asked = json.loads(body or b"{}")
        headers = {k.decode(): v.decode() for k, v in scope["headers"]}
        self.requests.append((scope["path"], headers, asked))
        model = asked.get("model", "")
        if model.startswith("error-"):
            status = int(model.removeprefix("error-"))
            words = {"error": {"message": f"engine says {status}", "secret": LEAK}}
            await _json(send, status, words)
        elif model == "absent" or scope["path"] not in _ROUTES:
            await _json(send, 404, {"detail": "Not Found"})
        elif asked.get("stream"):
            await responder.stream(asked, send)
        elif model == "dies":
            raise RuntimeError("died")
        elif model == "garbage":
            await _json(send, 200, [LEAK])
        else:
            await _json(send, 200, _ROUTES[scope["path"]](asked))


def _count(asked: dict[str, Any]) -> dict[str, Any]:
    words = sum(len(str(turn["content"]).split()) for turn in asked["messages"])
    return {"input_tokens": words, "context_management": {"original": LEAK}, "novelty": LEAK}


def _embed(asked: dict[str, Any]) -> dict[str, Any]:
    given = asked["input"]
    inputs = [given] if isinstance(given, str) or isinstance(given[0], int) else given
    vector = [0.5, -1.0, 0.25][: asked.get("dimensions") or 3]
    form: Any = vector
    if asked.get("encoding_format") == "base64":
        form = base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
    answer: dict[str, Any] = {
        "object": "list", "id": LEAK, "created": 1, "model": asked["model"],
        "data": [{"object": "embedding", "index": i, "embedding": form, "novelty": LEAK}
                 for i in range(len(inputs))],
        "novelty": LEAK,
    }  # fmt: skip
    if asked["model"] != "uncounted":
        answer["usage"] = {"prompt_tokens": 11, "total_tokens": 11, "novelty": LEAK}
    return answer


_ROUTES = {"/v1/messages/count_tokens": _count, "/v1/embeddings": _embed,
           "/v1/responses": responder.whole}  # fmt: skip


async def _json(send: Any, status: int, body: object) -> None:
    data = json.dumps(body).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(data))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": data})
