"""Paraphrase by a model behind an address, over a real connection."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import numpy as np
import pytest

from stillwatch.errors import StillwatchError
from stillwatch.lab.attacks import ChatModel, Paraphrase, attacked


class Model(BaseHTTPRequestHandler):
    """Answers in capitals; what it was asked is kept."""

    protocol_version = "HTTP/1.1"
    asked: ClassVar[list[tuple[str, str | None, dict[str, Any]]]] = []
    answer: ClassVar[bytes | None] = None
    status: ClassVar[int] = 200

    def do_POST(self) -> None:
        said = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.asked.append((self.path, self.headers["authorization"], said))
        text = said["messages"][-1]["content"].upper()
        body = self.answer or json.dumps({"choices": [{"message": {"content": text}}]}).encode()
        self.send_response(self.status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quietly."""


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(Model, "asked", [])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Model)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_text_is_what_the_model_makes_of_it(url: str) -> None:
    with ChatModel(url, "small", key="k", temperature=0.7) as model:
        assert attacked(["one", "two"], Paraphrase(model), seed=3) == ["ONE", "TWO"]
        again = [said["seed"] for _, _, said in Model.asked]
        attacked(["one", "two"], Paraphrase(model), seed=3)
    path, bearer, said = Model.asked[0]
    assert (path, bearer) == ("/v1/chat/completions", "Bearer k")
    assert (said["model"], said["temperature"]) == ("small", 0.7)
    assert [message["role"] for message in said["messages"]] == ["system", "user"]
    assert [said["seed"] for _, _, said in Model.asked[2:]] == again


def test_a_long_text_is_rewritten_some_paragraphs_at_a_time(url: str) -> None:
    text = "\n\n".join(["a word " * 100] * 9) + "\n"
    with ChatModel(url, "small") as model:
        said = Paraphrase(model)(text, np.random.default_rng(0))
    assert said == text.upper()
    assert len(Model.asked) == 3
    assert Model.asked[0][1] is None


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [(b"{}", "no answer of a chat model"), (b'{"choices": []}', "no answer of a chat model"),
     (b'{"choices": [{"message": {"content": null}}]}', "an empty answer"), (b"?", "no answer")],
)  # fmt: skip
def test_what_is_no_answer_is_said(
    url: str, monkeypatch: pytest.MonkeyPatch, answer: bytes, complaint: str
) -> None:
    monkeypatch.setattr(Model, "answer", answer)
    with ChatModel(url, "small") as model, pytest.raises(StillwatchError, match=complaint):
        model.rewrite("text", 1)


def test_a_refusal_and_a_model_that_is_not_there_are_said(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Model, "status", 429)
    with ChatModel(url, "small") as model, pytest.raises(StillwatchError, match="status 429"):
        model.rewrite("text", 1)
    for nowhere in ("http://127.0.0.1:9/v1", "nonsense"):
        with ChatModel(nowhere, "small") as model, pytest.raises(StillwatchError, match=nowhere):
            model.rewrite("text", 1)
