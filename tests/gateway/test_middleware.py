"""The gateway inside a model server: the same core, without a connection in between."""

from __future__ import annotations

import asyncio
import http.client
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from stillwatch.gateway import Middleware
from stillwatch.gateway.middleware import STATE
from tests.gateway.conftest import Client
from tests.gateway.engine import LEAK, Engine, served

Until = Callable[[Callable[[], object]], None]


@pytest.fixture(scope="module")
def inside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client of a model server that wears the middleware."""
    engine, state = Engine(), tmp_path_factory.mktemp("inside") / "state"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(STATE, str(state))
        with served(Middleware(engine)) as base:
            yield Client(base, state, engine)


@pytest.fixture(scope="module")
def key(inside: Client) -> str:
    return inside.key()


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_passes_within_the_surface(inside: Client, key: str, stream: bool) -> None:
    response = inside.chat(key, stream=stream)
    assert response.status == 200
    assert "there" in response.body.decode()
    assert LEAK not in response.body.decode()


@pytest.mark.parametrize("path", ["/invocations", "/v1/moderations", "/update_weights"])
def test_routes_that_the_model_server_leaves_open_are_closed(
    inside: Client, key: str, path: str
) -> None:
    before = len(inside.engine.requests)
    assert inside.send("POST", path, {}, key=key).status == 404
    assert len(inside.engine.requests) == before


def test_nobody_is_let_in_without_a_key(inside: Client) -> None:
    assert inside.chat(None).status == 401


def test_an_application_that_fails_is_an_upstream_that_fails(inside: Client, key: str) -> None:
    assert inside.chat(key, model="dies").status == 502
    assert "broke off" in inside.chat(key, model="dies", stream=True).body.decode()


def test_events_come_as_they_are_made(inside: Client, key: str) -> None:
    began = time.monotonic()
    connection = _begin(inside, key, "slow", " ".join(["w"] * 40))
    response = connection.getresponse()
    response.readline()
    waited = time.monotonic() - began
    response.read()
    assert waited < (time.monotonic() - began) / 2
    connection.close()


def test_a_client_that_leaves_is_told_to_the_application(
    inside: Client, key: str, until: Until
) -> None:
    before = inside.engine.broken_off
    connection = _begin(inside, key, "stalls", "x")
    connection.getresponse().readline()
    connection.close()
    until(lambda: inside.engine.broken_off > before)


def test_a_server_without_a_state_folder_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(STATE, raising=False)
    said: list[Any] = []

    async def receive() -> dict[str, str]:
        return {"type": "lifespan.startup"}

    async def send(message: Any) -> None:
        said.append(message)

    asyncio.run(Middleware(Engine())({"type": "lifespan"}, receive, send))
    assert said[0]["type"] == "lifespan.startup.failed"
    assert STATE in said[0]["message"]


def _begin(inside: Client, key: str, model: str, text: str) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection(urlsplit(inside.base).netloc, timeout=60)
    body = {"model": model, "stream": True, "messages": [{"role": "user", "content": text}]}
    connection.request(
        "POST", "/v1/chat/completions", json.dumps(body), {"authorization": f"Bearer {key}"}
    )
    return connection


def test_it_is_recorded_like_any_other_exchange(inside: Client, key: str, until: Until) -> None:
    inside.chat(key, "an exchange to be found again")
    until(lambda: any(row["status"] == 200 for row in inside.rows()))
    assert Path(inside.state / "events").is_dir()
