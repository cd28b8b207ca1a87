"""A suspect behind an address, on a real server on the loopback that misbehaves on order."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from stillwatch.errors import SuspectError
from stillwatch.provenance import AddressSuspect

ANSWER = {"choices": [{"message": {"role": "assistant", "content": "Hello."}}]}


class Server(ThreadingHTTPServer):
    """Gives what stands in `plan`, a (status, headers, body) a request, then the last for good."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.plan: list[tuple[int, dict[str, str], bytes]] = [
            (200, {}, json.dumps(ANSWER).encode())
        ]
        self.asked: list[tuple[str, dict[str, str], Any]] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, dict(self.headers), json.loads(body)))
        plan = self.server.plan
        status, headers, answer = plan.pop(0) if len(plan) > 1 else plan[0]
        self.send_response(status)
        for name, value in {"Content-Length": str(len(answer)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as serving:
        thread = threading.Thread(target=serving.serve_forever, args=(0.01,))
        thread.start()
        yield serving
        serving.shutdown()
        thread.join()


def suspect(server: Server, **more: Any) -> tuple[AddressSuspect, list[float]]:
    pauses: list[float] = []
    return AddressSuspect(server.address, "m-1", key="sk-1", sleep=pauses.append, **more), pauses


def test_it_is_asked_as_any_client_would_ask(server: Server) -> None:
    asked, _ = suspect(server, system="Be brief.", max_tokens=64)
    assert asked("Hi!") == "Hello."
    path, headers, body = server.asked[0]
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == "Bearer sk-1"
    assert body == {
        "model": "m-1", "temperature": 0.0, "max_tokens": 64,
        "messages": [
            {"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi!"}
        ],
    }  # fmt: skip


def test_a_busy_server_is_asked_again_when_it_says(server: Server) -> None:
    server.plan[:0] = [(429, {"Retry-After": "7"}, b""), (503, {}, b"")]
    asked, pauses = suspect(server)
    assert asked("Hi!") == "Hello."
    assert pauses == [7.0, 1.0]


def test_a_server_that_stays_broken_is_given_up(server: Server) -> None:
    server.plan = [(500, {}, b"")]
    asked, pauses = suspect(server, retries=2)
    with pytest.raises(SuspectError, match="failed 3 times, the last time: status 500"):
        asked("Hi!")
    assert len(server.asked) == 3
    assert len(pauses) == 2


def test_a_refused_request_is_not_sent_again(server: Server) -> None:
    server.plan = [(401, {}, b"no key, sk-1")]
    asked, _ = suspect(server)
    with pytest.raises(SuspectError, match="status 401") as told:
        asked("Hi!")
    assert len(server.asked) == 1
    assert "sk-1" not in str(told.value) + repr(asked)


def test_a_redirect_is_not_followed(server: Server) -> None:
    server.plan = [(302, {"Location": server.address + "/other"}, b"")]
    asked, _ = suspect(server)
    with pytest.raises(SuspectError, match="status 302"):
        asked("Hi!")
    assert len(server.asked) == 1


@pytest.mark.parametrize("answer", [b"", b"<html>", b"{}", b'{"choices": []}', b"\xff"])
def test_what_is_no_completion_is_an_error(server: Server, answer: bytes) -> None:
    server.plan = [(200, {}, answer)]
    asked, _ = suspect(server)
    with pytest.raises(SuspectError, match="something else than a completion"):
        asked("Hi!")


def test_an_answer_that_is_cut_off_is_asked_for_again(server: Server) -> None:
    server.plan.insert(0, (200, {"Content-Length": "999", "Connection": "close"}, b'{"choices"'))
    asked, pauses = suspect(server)
    assert asked("Hi!") == "Hello."
    assert len(pauses) == 1


def test_a_refusal_in_a_field_of_its_own_is_an_answer(server: Server) -> None:
    refused = {"choices": [{"message": {"content": None, "refusal": "I can't."}}]}
    server.plan = [(200, {}, json.dumps(refused).encode())]
    asked, _ = suspect(server)
    assert asked("Hi!") == "I can't."


def test_nobody_at_the_address_is_an_error() -> None:
    asked = AddressSuspect("http://127.0.0.1:9/v1", "m", retries=1, sleep=lambda _: None)
    with pytest.raises(SuspectError, match=r"failed 2 times.*refused"):
        asked("Hi!")


@pytest.mark.parametrize("address", ["", "host/v1", "file:///etc/passwd", "http://"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(SuspectError, match="no address"):
        AddressSuspect(address, "m")
