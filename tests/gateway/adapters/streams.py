"""When the events of a stream arrive behind a proxy."""

from __future__ import annotations

import http.client
import json
import time

from tests.gateway.adapters.proxies import host_of


def first_and_last(base: str, key: str) -> tuple[float, float]:
    """Seconds until the first event and until the end, of an answer of forty words that takes the
    model server two seconds."""
    connection = http.client.HTTPConnection(host_of(base), timeout=30)
    words = " ".join(["w"] * 40)
    body = {"model": "slow", "stream": True, "max_tokens": 64,
            "messages": [{"role": "user", "content": words}]}  # fmt: skip
    began = time.monotonic()
    connection.request("POST", "/v1/chat/completions", json.dumps(body),
                       {"authorization": f"Bearer {key}"})  # fmt: skip
    response = connection.getresponse()
    assert response.status == 200
    assert response.readline().startswith(b"data: ")
    first = time.monotonic() - began
    assert response.read().rstrip().endswith(b"data: [DONE]")
    last = time.monotonic() - began
    connection.close()
    return first, last
