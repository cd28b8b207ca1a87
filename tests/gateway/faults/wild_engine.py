"""A model server that misbehaves as it is told: raw bytes over real sockets, a thread a connection.

What it does is chosen by the name of the model, and remembered. Well-behaved models (`m`) answer as
OpenAI's and Anthropic's servers do.
"""

from __future__ import annotations

import contextlib
import json
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

LEAK = "LEAKED"
USAGE = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
CHUNKED = STREAM.replace(b"\r\n\r\n", b"\r\ntransfer-encoding: chunked\r\n\r\n")

Asked = dict[str, Any]


class WildEngine(socketserver.ThreadingTCPServer):
    """`asked` are the bodies in the order that they came; `sent` counts bytes of answers, `left`
    the connections that the gateway closed before the answer was out."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 512

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.asked: list[Asked] = []
        self.sent = 0
        self.left = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Connection(socketserver.StreamRequestHandler):
    server: WildEngine

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):  # a gateway that was killed
            self._serve()

    def _serve(self) -> None:
        while (line := self.rfile.readline()).strip():
            method, path, _ = line.decode().split(" ", 2)
            headers = {}
            while (line := self.rfile.readline()).strip():
                name, _, value = line.decode("latin-1").partition(":")
                headers[name.lower()] = value.strip()
            asked = json.loads(self.rfile.read(int(headers.get("content-length", 0))) or b"{}")
            if method == "GET":
                self.wfile.write(whole({"data": [{"id": "m"}, {"id": "other/m"}]}))
                continue
            self.server.asked.append(asked)
            wild = asked["model"] in WILD
            try:
                for i, part in enumerate(answers(path, asked)):
                    if wild and not i:  # so that nobody uses the connection again
                        part = part.replace(b"\r\n", b"\r\nconnection: close\r\n", 1)
                    self.wfile.write(part)
                    self.server.sent += len(part)
            except OSError:
                self.server.left += 1
                return
            if wild:
                return  # and the connection closes


def whole(
    answer: object, head: bytes = b"HTTP/1.1 200 OK\r\ncontent-type: application/json"
) -> bytes:
    body = json.dumps(answer).encode()
    return head + b"\r\ncontent-length: %d\r\n\r\n" % len(body) + body


def chat(text: str, **fields: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": text},
              "finish_reason": "stop"}  # fmt: skip
    return {"id": "c", "object": "chat.completion", "created": 1, "model": "m",
            "choices": [choice], "usage": USAGE, **fields}  # fmt: skip


def event(answer: object, name: str | None = None) -> bytes:
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(answer)}\n\n".encode()


def delta(text: str | None, finish: str | None = None, **fields: Any) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    return event({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
                  "choices": [choice], **fields})  # fmt: skip


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def answers(path: str, asked: Asked) -> Iterator[bytes]:
    """The parts of one answer, each sent when the one before was taken."""
    wild = WILD.get(asked["model"])
    if wild is not None:
        yield from wild(asked)
    elif path == "/v1/messages":
        yield from _messages(asked)
    elif path == "/v1/completions":
        yield from _completions(asked)
    else:
        yield from _chat(asked)


def _chat(asked: Asked) -> Iterator[bytes]:
    said = asked["messages"][-1]["content"]
    if not asked.get("stream"):
        yield whole(chat(f"you said {said}"))
        return
    yield CHUNKED
    for word in ("you ", "said ", said):
        yield chunk(delta(word))
    yield chunk(delta(None, "stop"))
    yield chunk(event({"id": "c", "choices": [], "usage": USAGE}) + b"data: [DONE]\n\n")
    yield b"0\r\n\r\n"


def _completions(asked: Asked) -> Iterator[bytes]:
    def answer(text: str, finish: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "text": text, "finish_reason": finish}
        return {"id": "c", "object": "text_completion", "created": 1, "model": "m",
                "choices": [choice]}  # fmt: skip

    if not asked.get("stream"):
        yield whole({**answer(f"{asked.get('prompt', '')}, and so on", "stop"), "usage": USAGE})
        return
    yield CHUNKED
    for word in ("and ", "so ", "on"):
        yield chunk(event(answer(word)))
    yield chunk(event({"id": "c", "choices": [], "usage": USAGE}) + b"data: [DONE]\n\n")
    yield b"0\r\n\r\n"


def _messages(asked: Asked) -> Iterator[bytes]:
    said = asked["messages"][-1]["content"]
    usage = {"input_tokens": 7, "output_tokens": 5}
    message: dict[str, Any] = {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "m",
        "content": [{"type": "text", "text": f"you said {said}"}],
        "stop_reason": "end_turn", "stop_sequence": None, "usage": usage,
    }  # fmt: skip
    if not asked.get("stream"):
        yield whole(message)
        return
    yield CHUNKED
    begun = {**message, "content": [], "stop_reason": None}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": begun},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        *(
            {"type": "content_block_delta", "index": 0,
             "delta": {"type": "text_delta", "text": word}}
            for word in ("you ", "said ", said)
        ),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None},
         "usage": {"output_tokens": 5}},
        {"type": "message_stop"},
    ]  # fmt: skip
    for each in events:
        yield chunk(event(each, each["type"]))
    yield b"0\r\n\r\n"


def _messages_die(asked: Asked) -> Iterator[bytes]:
    for _, part in zip(range(7), _messages(asked), strict=False):
        yield part


def _error(status: bytes, *headers: bytes) -> Callable[[Asked], Iterator[bytes]]:
    head = b"\r\n".join([b"HTTP/1.1 " + status, b"content-type: application/json", *headers])
    body = {"error": {"message": "the engine says no", "secret": LEAK}, "leak": LEAK}
    return lambda asked: iter([whole(body, head)])


def _raw(*parts: bytes) -> Callable[[Asked], Iterator[bytes]]:
    return lambda asked: iter(parts)


def _slowly(*parts: bytes) -> Callable[[Asked], Iterator[bytes]]:
    def answer(asked: Asked) -> Iterator[bytes]:
        for part in parts:
            yield part
            time.sleep(0.05)

    return answer


def _with_usage(**usage: object) -> Callable[[Asked], Iterator[bytes]]:
    def answer(asked: Asked) -> Iterator[bytes]:
        if not asked.get("stream"):
            yield whole(chat("counted", usage=usage))
            return
        yield STREAM + delta("counted") + event({"id": "c", "choices": [], "usage": usage})
        yield b"data: [DONE]\n\n"

    return answer


def _uncounted(asked: Asked) -> Iterator[bytes]:
    if not asked.get("stream"):
        yield whole({k: v for k, v in chat("nobody counts this " * 20).items() if k != "usage"})
        return
    yield STREAM + b"".join(delta("word ") for _ in range(40)) + delta(None, "stop")
    yield b"data: [DONE]\n\n"


def _novel(asked: Asked) -> Iterator[bytes]:
    """Fields and events that nobody has seen, on every level."""
    if not asked.get("stream"):
        answer = chat("known", novelty=LEAK)
        answer["choices"][0] |= {
            "novelty": LEAK,
            "logprobs": {
                "content": [{"token": LEAK, "logprob": -1.0, "novelty": LEAK, "top_logprobs": []}]
            },
        }
        answer["choices"][0]["message"] |= {"novelty": {"deep": [LEAK]}, "reasoning": LEAK}
        answer["usage"] = {**USAGE, "novelty": LEAK}
        yield whole(answer, b"HTTP/1.1 200 OK\r\nx-novelty: " + LEAK.encode())
        return
    yield STREAM + delta("known", novelty=LEAK, prompt_logprobs=[None], token_ids=[1])
    yield b"id: " + LEAK.encode() + b"\nretry: 1\n: " + LEAK.encode() + b"\n"
    yield b"novelty: " + LEAK.encode() + b"\n" + delta(None, "stop") + b"data: [DONE]\n\n"
    yield b"data: " + LEAK.encode() + b"\n\n"  # after the end


def _endless(asked: Asked) -> Iterator[bytes]:
    """A gigabyte, unless somebody leaves."""
    yield STREAM
    part = delta("w" * 1000) * 32
    for _ in range(30_000):
        yield part


def _large_at_once(asked: Asked) -> Iterator[bytes]:
    """Megabytes in one event, and the end in the same bytes."""
    usage = {"prompt_tokens": 7, "completion_tokens": 500}
    end = event({"id": "c", "choices": [], "usage": usage}) + b"data: [DONE]\n\n"
    yield STREAM + delta("x" * 4_000_000) + end


def _stalls(asked: Asked) -> Iterator[bytes]:
    if asked.get("stream"):
        yield STREAM + delta("one ") + delta("two ")
    for _ in range(600):  # writes nothing that a client could see, and notices when nobody listens
        time.sleep(0.1)
        yield b": still here\n\n" if asked.get("stream") else b""


def _hangs(asked: Asked) -> Iterator[bytes]:
    """Thinks, and says nothing, for as long as it is asked to."""
    time.sleep(float(asked["messages"][-1]["content"]))
    yield whole(chat("at last"))


_SPOKEN = STREAM + delta("one ") + delta("two ")
#: What is wrong → the answer of the model of that name.
WILD: dict[str, Callable[[Asked], Iterator[bytes]]] = {
    "no-answer": _raw(),
    "not-http": _raw(b"220 mail.example.org ESMTP\r\n"),
    "endless-head": _raw(b"HTTP/1.1 200 OK\r\nx: ", b"y" * 200_000),
    "half-a-body": _raw(whole(chat("whole"))[:-30]),
    "not-json": _raw(whole(None)[:-4] + b"{{{{"),
    "other-json": _raw(whole([LEAK])),
    "no-choices": _raw(whole({"choices": [], "leak": LEAK})),
    "empty": _raw(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
    "no-content": _raw(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "bad-gzip": _raw(whole(chat("x"), b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip")),
    "redirect": _error(b"307 Temporary Redirect", b"location: /v1/chat/completions"),
    "error-400": _error(b"400 Bad Request"),
    "error-401": _error(b"401 Unauthorized"),
    "error-403": _error(b"403 Forbidden"),
    "error-404": _error(b"404 Not Found"),
    "error-429": _error(b"429 Too Many Requests", b"retry-after: 17"),
    "error-429-odd": _error(b"429 Too Many Requests", b"retry-after: " + b"9" * 400),
    "error-500": _error(b"500 Internal Server Error"),
    "error-503": _error(b"503 Service Unavailable"),
    "error-long": _raw(b"HTTP/1.1 500 Oops\r\nconnection: close\r\n\r\n" + b"x" * 2_000_000),
    "dies": _raw(_SPOKEN),
    "dies-in-chunk": _slowly(CHUNKED + chunk(delta("one ")), b"ffff\r\nda"),
    "bad-chunk": _slowly(CHUNKED + chunk(delta("one ")), b"XYZ\r\ndata: \r\n"),
    "messages-die": _messages_die,
    "no-end": _raw(_SPOKEN + delta(None, "stop")),
    "oversized": _raw(_SPOKEN, delta("x" * 5_000_000), b"data: [DONE]\n\n"),
    "never-an-event": _raw(STREAM, *[b"x" * 100_000] * 100),
    "half-an-event": _raw(_SPOKEN + b'data: {"choi\n\n' + b"data: [DONE]\n\n"),
    "not-utf-8": _raw(_SPOKEN + b'data: {"id":"\xff"}\n\n' + b"data: [DONE]\n\n"),
    "error-event": _raw(_SPOKEN + event({"error": {"message": LEAK}}) + b"data: [DONE]\n\n"),
    "deep-event": _raw(_SPOKEN + b"data: " + b"[" * 100_000 + b"\n\n" + b"data: [DONE]\n\n"),
    "json-for-stream": _raw(whole(chat("no stream"))),
    "loud-type": _raw(_SPOKEN.replace(b"text/event-stream", b"Text/Event-Stream; charset=UTF-8")
                      + b"data: [DONE]\n\n"),
    "costly": _with_usage(prompt_tokens=100, completion_tokens=400, total_tokens=500),
    "huge-usage": _with_usage(prompt_tokens=10**30, completion_tokens=10**18, total_tokens=1),
    "negative-usage": _with_usage(prompt_tokens=-5, completion_tokens=-(10**18)),
    "null-usage": _with_usage(prompt_tokens=None, completion_tokens=None),
    "odd-usage": _with_usage(prompt_tokens="seven", completion_tokens=[5]),
    "huge-created": lambda asked: iter([whole(chat("x", created=10**40))]),
    "uncounted": _uncounted,
    "novel": _novel,
    "endless": _endless,
    "large-at-once": _large_at_once,
    "stalls": _stalls,
    "hangs": _hangs,
}  # fmt: skip


@contextmanager
def served() -> Iterator[WildEngine]:
    """A wild engine on a free loopback port, in threads."""
    with WildEngine() as engine:
        thread = threading.Thread(target=engine.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield engine
        finally:
            engine.shutdown()
            thread.join(10)
