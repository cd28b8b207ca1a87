"""A model server for the tests: speaks OpenAI's dialect over real HTTP, and remembers what it got.

What it does is chosen by the name of the model. It is no model; it answers with the words that it
was sent, so that a test can tell one exchange from another.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

LEAK = "LEAKED"


class Engine:
    """The ASGI application. `requests` are (path, headers, body) in the order that they came,
    `headers` go with every good answer."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.headers: list[tuple[bytes, bytes]] = []
        self.broken_off = 0
        self.finished = 0

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
        gone = asyncio.ensure_future(_gone(receive))
        try:
            model = asked.get("model", "")
            answer = self._stream if asked.get("stream") else self._whole
            task = asyncio.ensure_future(answer(model, asked, send))
            await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                self.finished += 1
                await task
            else:
                self.broken_off += 1
                task.cancel()
        finally:
            gone.cancel()

    async def _whole(self, model: str, asked: dict[str, Any], send: Any) -> None:
        if model == "slow":
            await asyncio.sleep(30)
        if model == "dies":
            raise RuntimeError("died")
        if model.startswith("error-"):
            status = int(model.removeprefix("error-"))
            body = {"error": {"message": f"engine says {status}", "secret": LEAK}, "leak": LEAK}
            await _json(send, status, body)
            return
        if model == "garbage":
            await _json(send, 200, [LEAK])
            return
        words = asked["messages"][-1]["content"] if "messages" in asked else asked["prompt"]
        choices = [
            {
                "index": i,
                "message": {"role": "assistant", "content": f"you said {words}",
                            "reasoning_content": LEAK, "novelty": LEAK},
                "logprobs": {"content": [{"token": LEAK, "logprob": -1.0, "top_logprobs": []}]},
                "finish_reason": "stop",
                "novelty": LEAK,
            }
            for i in range(asked.get("n") or 1)
        ]  # fmt: skip
        usage = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12, "novelty": LEAK}
        answer: dict[str, Any] = {
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": model,
            "choices": choices, "novelty": LEAK, "prompt_token_ids": [1],
            "prompt_logprobs": [None, {"1": {"logprob": -1.0, "decoded_token": LEAK}}],
        }  # fmt: skip
        if model != "uncounted":
            answer["usage"] = usage
        await _json(send, 200, answer, *self.headers)

    async def _stream(self, model: str, asked: dict[str, Any], send: Any) -> None:
        if model.startswith("error-"):
            await self._whole(model, asked, send)
            return
        start = {"type": "http.response.start", "status": 200,
                 "headers": [(b"content-type", b"text/event-stream"), *self.headers]}  # fmt: skip
        await send(start)
        words = asked["messages"][-1]["content"].split() or ["nothing"]
        for i, word in enumerate(["you", "said", *words]):
            delta = {"content": word + " ", "reasoning": LEAK, "novelty": LEAK}
            chunk = {
                "id": "c", "object": "chat.completion.chunk", "created": 1, "model": model,
                "choices": [{"index": 0, "delta": delta, "finish_reason": None,
                             "logprobs": {"content": [{"token": LEAK, "logprob": 0.0}]}}],
                "novelty": LEAK,
            }  # fmt: skip
            await _event(send, json.dumps(chunk))
            if model == "dies" and i == 2:
                raise RuntimeError("died")
            if model == "slow":
                await asyncio.sleep(0.05)
            if model == "stalls" and i == 1:
                await asyncio.sleep(30)
        if model != "uncounted":
            usage = {"prompt_tokens": 7, "completion_tokens": 2 + len(words), "total_tokens": 0}
            await _event(send, json.dumps({"id": "c", "object": "chat.completion.chunk",
                                           "created": 1, "model": model, "choices": [],
                                           "usage": usage}))  # fmt: skip
        if model != "endless":
            await _event(send, "[DONE]")
        await send({"type": "http.response.body", "body": b""})


async def _gone(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _json(send: Any, status: int, body: object, *headers: tuple[bytes, bytes]) -> None:
    data = json.dumps(body).encode()
    await send({"type": "http.response.start", "status": status,
                "headers": [(b"content-type", b"application/json"),
                            (b"content-length", str(len(data)).encode()), *headers]})  # fmt: skip
    await send({"type": "http.response.body", "body": data})


async def _event(send: Any, data: str) -> None:
    body = f"data: {data}\n\n".encode()
    await send({"type": "http.response.body", "body": body, "more_body": True})


class _Quiet(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextmanager
def served(app: Any) -> Iterator[str]:
    """Serve an ASGI application on a free loopback port, in a thread; its address."""
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, lifespan="on", log_config=None, ws="none"
    )
    server = _Quiet(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
        assert thread.is_alive()
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(30)
