"""A fault of our own: said in the caller's dialect, recorded, and logged without the request."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any

import pytest

from stillwatch.access.database import open_database
from stillwatch.access.keys import KeyStore
from stillwatch.events import EventStore
from stillwatch.gateway import Gateway, in_front_of, running

SAID = "zebra crossing"


class Faulty:
    """An upstream that does what none may: it raises something else than an UpstreamError, at once
    or in the midst of a stream."""

    status = 200
    headers: Mapping[str, str] = {"content-type": "text/event-stream"}

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Faulty:
        if b'"stream"' not in body:
            raise KeyError(body)
        return self

    async def get(self, url: str, headers: Mapping[str, str]) -> Faulty:
        raise KeyError(url)

    async def read(self, most: int) -> bytes:
        return b""

    async def chunks(self) -> AsyncIterator[bytes]:
        yield b'data: {"id":"c","choices":[{"index":0,"delta":{"content":"one"}}]}\n\n'
        raise KeyError(SAID)

    def close(self) -> asyncio.Future[None]:
        """Of the reply, which nobody waits for, and of the upstream, which somebody does."""
        return asyncio.ensure_future(asyncio.sleep(0))


async def asked(gateway: Gateway, key: str, **fields: Any) -> list[MutableMapping[str, Any]]:
    """What the gateway sends for one chat."""
    turns = [{"role": "user", "content": SAID}]
    body = json.dumps({"model": "m", "messages": turns, **fields}).encode()
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http", "path": "/v1/chat/completions", "method": "POST", "client": ("::1", 1),
        "headers": [(b"authorization", b"Bearer " + key.encode())],
    }  # fmt: skip
    await gateway(scope, receive, send)
    return sent


def test_it_is_said_recorded_and_logged_by_its_place(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database = open_database(tmp_path, create=True)
    key, _ = KeyStore(database).create(account="alice")
    database.close()

    async def both() -> tuple[list[MutableMapping[str, Any]], list[MutableMapping[str, Any]]]:
        settings = in_front_of("http://127.0.0.1:9")
        async with running(tmp_path, settings, upstream=Faulty()) as gateway:
            return await asked(gateway, key), await asked(gateway, key, stream=True)

    with caplog.at_level(logging.ERROR):
        whole, stream = asyncio.run(both())
    assert whole[0]["status"] == 500
    assert json.loads(whole[1]["body"])["error"]["code"] == "internal_error"
    assert dict(whole[0]["headers"])[b"x-request-id"]
    assert b"one" in stream[1]["body"]
    assert stream[-1]["more_body"]  # it never looks whole: the server breaks the connection
    assert "in post" in caplog.text
    assert "in chunks" in caplog.text
    assert SAID not in caplog.text
    with EventStore.open(tmp_path / "events") as store:
        rows = [row for batch in store.hot() for row in batch.to_pylist()]
    assert [row["status"] for row in rows] == [500, 500]
