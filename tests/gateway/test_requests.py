"""What a caller gets, and what the model server does, for one request."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from stillwatch.sketches import SketchKey
from tests.gateway.conftest import Client
from tests.gateway.engine import LEAK

Until = Callable[[Callable[[], object]], None]


def test_a_request_is_answered_by_the_first_backend_that_is_there(
    client: Client, secret: str
) -> None:
    response = client.chat(secret)
    assert response.status == 200
    assert response.json()["choices"][0]["message"]["content"] == "you said hello there"
    assert response.json()["usage"]["prompt_tokens"] == 7


def test_the_model_server_gets_what_was_granted_and_not_the_callers_key(
    client: Client, secret: str
) -> None:
    client.chat(secret, "granted", max_tokens=10**18, watermark={"key": 7})
    _, headers, body = client.engine.requests[-1]
    assert body["max_tokens"] == 64
    assert "watermark" not in body
    assert secret not in str(headers)


@pytest.mark.parametrize("stream", [False, True])
def test_nothing_above_the_surface_comes_out(client: Client, secret: str, stream: bool) -> None:
    response = client.chat(secret, stream=stream)
    assert response.status == 200
    assert LEAK not in response.body.decode()


def test_an_open_level_shows_log_probabilities_and_reasoning(client: Client) -> None:
    key = client.key(level="open")
    choice = client.chat(key, logprobs=True).json()["choices"][0]
    assert choice["logprobs"]["content"][0]["logprob"] == -1.0
    assert choice["message"]["reasoning_content"] == LEAK
    assert "novelty" not in choice


def test_the_mark_of_a_level_reaches_the_engine_whatever_the_client_sends(client: Client) -> None:
    key = client.key(level="open")
    client.send(
        "POST", "/v1/chat/completions",
        {"model": "m", "messages": [{"role": "user", "content": "x"}]},
        key=key, x_stillwatch_mark="mine",
    )  # fmt: skip
    assert client.engine.requests[-1][1]["x-stillwatch-mark"] == "radioactive;normal"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"logprobs": True}, "beyond_level"),
        ({"n": 2}, "beyond_level"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "beyond_level"),
        ({"novel_field": 1}, "beyond_level"),
        ({"n": -1}, "invalid_request"),
        ({"max_tokens": -1}, "invalid_request"),
        ({"messages": []}, "invalid_request"),
        ({"model": 5}, "invalid_request"),
    ],
)
def test_what_is_not_granted_is_refused_before_anything_is_sent(
    client: Client, secret: str, fields: dict[str, Any], code: str
) -> None:
    before = len(client.engine.requests)
    response = client.chat(secret, **fields)
    assert response.status == 400
    assert response.json()["error"]["code"] == code
    assert len(client.engine.requests) == before


def test_a_rule_refuses_with_its_status_and_reason(client: Client, secret: str) -> None:
    response = client.chat(secret, model="dog")
    assert response.status == 451
    assert response.json()["error"]["message"] == "no dogs"


def test_a_rule_in_shadow_is_counted_and_changes_nothing(client: Client, secret: str) -> None:
    name = 'stillwatch_rule_matches_total{rule="watched",shadow="yes"}'
    before = client.metric(name)
    assert client.chat(secret, stream=True).status == 200
    assert client.metric(name) == before + 1


@pytest.mark.parametrize("key", [None, "sw-nobody", "ü", "x" * 5000])
def test_nobody_is_let_in_without_a_key_that_is_known(client: Client, key: str | None) -> None:
    if key == "ü":
        response = client.send("POST", "/v1/chat/completions", {}, x_api_key="ü")
    else:
        response = client.chat(key)
    assert response.status == 401


def test_two_different_credentials_are_refused(client: Client, secret: str) -> None:
    response = client.send("POST", "/v1/chat/completions", {}, key=secret, x_api_key="other")
    assert response.status == 400


def test_a_revoked_key_ends_within_two_seconds(client: Client, until: Until) -> None:
    from stillwatch.access.database import open_database
    from stillwatch.access.keys import KeyStore

    key = client.key()
    database = open_database(client.state)
    store = KeyStore(database)
    found = store.find(key)
    assert found is not None
    store.revoke(found.key_id)
    database.close()
    until(lambda: client.chat(key).status == 401)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/chat/completions", 405),
        ("POST", "/v1/models", 405),
        ("POST", "/invocations", 404),
        ("POST", "/v1/chat/completions/", 404),
        ("POST", "/v1/../v1/chat/completions", 404),
        ("GET", "/", 404),
        ("DELETE", "/v1/models/m", 405),
    ],
)
def test_unknown_routes_and_methods_are_refused(
    client: Client, secret: str, method: str, path: str, status: int
) -> None:
    assert client.send(method, path, key=secret).status == status


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"\xff", b'{"model":"m","messages":' + b"[" * 50_000,
     b'{"model":"m","messages":[{"role":"user","content":"\\ud800"}]}'],
)  # fmt: skip
def test_bodies_that_cannot_be_read_are_the_callers_mistake(
    client: Client, secret: str, body: bytes
) -> None:
    response = client.send("POST", "/v1/chat/completions", body, key=secret)
    assert response.status == 400
    assert response.json()["error"]["type"] == "invalid_request_error"


ERRORS = [
    ("error-400", 400, "upstream_refused"),
    ("error-429", 429, "upstream_busy"),
    ("error-401", 502, "upstream_failed"),
    ("error-500", 502, "upstream_failed"),
]
#: of whole answers alone: a stream of these begins, and breaks off
UNREADABLE = [("garbage", 502, "upstream_failed"), ("dies", 502, "upstream_failed")]


@pytest.mark.parametrize(
    ("model", "status", "code", "stream"),
    [
        *((*error, stream) for error in ERRORS for stream in (False, True)),
        *((*error, False) for error in UNREADABLE),
    ],
)
def test_errors_of_the_model_server_are_told_without_its_secrets(
    client: Client, secret: str, model: str, status: int, code: str, stream: bool
) -> None:
    response = client.chat(secret, model=model, stream=stream)
    assert (response.status, response.json()["error"]["code"]) == (status, code)
    assert LEAK not in response.body.decode()


@pytest.mark.parametrize("model", ["dies", "endless"])
def test_a_stream_that_breaks_off_never_looks_whole(
    client: Client, secret: str, model: str
) -> None:
    events = client.chat(secret, model=model, stream=True).body.decode().split("\n\n")
    assert "broke off" in events[-2]
    assert "[DONE]" not in "".join(events)


def test_the_first_event_arrives_before_the_last_is_sent(client: Client, secret: str) -> None:
    words = " ".join(["w"] * 40)  # 2 seconds of them
    began = time.monotonic()
    connection = _begin(client, secret, {"model": "slow", "stream": True, "text": words})
    response = connection.getresponse()
    first = response.readline()
    waited = time.monotonic() - began
    response.read()
    assert first.startswith(b"data: ")
    assert waited < (time.monotonic() - began) / 2
    connection.close()


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_ends_the_work_of_the_model_server(
    client: Client, secret: str, stream: bool, until: Until
) -> None:
    before = client.engine.broken_off
    connection = _begin(client, secret, {"model": "stalls" if stream else "slow", "stream": stream})
    if stream:
        connection.getresponse().readline()
    else:
        time.sleep(0.5)
    assert connection.sock is not None
    connection.sock.shutdown(socket.SHUT_RDWR)
    connection.close()
    until(lambda: client.engine.broken_off > before)


def _begin(client: Client, secret: str, asked: dict[str, Any]) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection(urlsplit(client.base).netloc, timeout=60)
    text = asked.pop("text", "hello there")
    body = {**asked, "messages": [{"role": "user", "content": text}]}
    connection.request(
        "POST", "/v1/chat/completions", json.dumps(body), {"authorization": f"Bearer {secret}"}
    )
    return connection


def test_a_budget_is_never_overdrawn_by_requests_at_the_same_time(client: Client) -> None:
    key = client.key(account="tight", tier="tight")
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda: statuses.append(client.chat(key, "x" * 30).status))
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) <= {200, 429}
    # 12 tokens each are used of 300, and each reserves 64 and more before it is sent
    assert 0 < statuses.count(200) <= 25


def test_what_was_not_used_can_be_used_by_others(client: Client) -> None:
    key = client.key(account="frugal", tier="tight")
    assert [client.chat(key).status for _ in range(10)] == [200] * 10


def test_a_rate_tells_when_to_come_back(client: Client) -> None:
    key = client.key(account="eager", tier="few")
    responses = [client.chat(key) for _ in range(3)]
    assert [r.status for r in responses] == [200, 200, 429]
    assert int(responses[2].headers["retry-after"]) > 60
    assert responses[2].json()["error"]["type"] == "rate_limit_error"


def test_a_slot_is_free_again_after_every_end(client: Client, until: Until) -> None:
    key = client.key(account="single", tier="one")
    for model in ("m", "error-400", "dies", "garbage", "m"):
        until(lambda: client.chat(key, model="m").status == 200)
        client.chat(key, model=model)
        client.chat(key, model=model, stream=True)
    until(lambda: client.chat(key).status == 200)


def test_every_exchange_is_recorded_without_its_text(client: Client, until: Until) -> None:
    key = client.key(account="recorded")
    marks = ["zebra crossing the road quickly", "another request that is refused"]
    client.chat(key, marks[0])
    client.chat(key, marks[1], logprobs=True)
    client.chat(key, marks[0], stream=True)

    account = SketchKey.from_file(client.state / "sketch.key").digest("account", "recorded")

    def mine() -> list[dict[str, Any]]:
        return [row for row in client.rows() if row["account"] == account]

    until(lambda: len(mine()) == 3)
    rows = sorted(mine(), key=lambda row: row["at"])
    assert [row["status"] for row in rows] == [200, 400, 200]
    assert [row["prompt_tokens"] for row in rows] == [7, None, 7]
    assert [row["stream"] for row in rows] == [False, False, True]
    assert rows[0]["content"] == rows[2]["content"]
    assert all("zebra" not in str(row) for row in rows)


def test_models_are_listed_as_far_as_the_level_shows(client: Client, secret: str) -> None:
    assert client.send("GET", "/v1/models", key=secret).json()["object"] == "list"
    assert client.send("GET", "/v1/models").status == 401


def test_it_says_that_it_is_alive_and_ready(client: Client) -> None:
    assert client.send("GET", "/healthz").status == 200
    assert client.send("GET", "/readyz").json() == {"status": "ready"}
    assert client.metric("stillwatch_in_flight") == 0
