"""Streams behind a proxy."""

from __future__ import annotations

import http.client
import json

from tests.gateway.adapters.proxies import host_of


def begun(base: str, key: str) -> tuple[http.client.HTTPConnection, bytes]:
    """The first event of an answer whose model server sends two short ones, and then nothing for
    half a minute; a proxy that waits for more than that shows none."""
    connection = http.client.HTTPConnection(host_of(base), timeout=10)
    body = {"model": "stalls", "stream": True, "max_tokens": 64,
            "messages": [{"role": "user", "content": "one two three"}]}  # fmt: skip
    connection.request("POST", "/v1/chat/completions", json.dumps(body),
                       {"authorization": f"Bearer {key}"})  # fmt: skip
    response = connection.getresponse()
    assert response.status == 200
    return connection, response.readline()
