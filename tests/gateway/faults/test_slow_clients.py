"""Clients that take their time, or leave: what they hold, for how long, and what they pay."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.gateway.faults.conftest import Asker, Running, statuses
from tests.gateway.faults.wild_engine import WildEngine

Until = Callable[[Callable[[], object]], None]


@contextmanager
def asking(gateway: Running, key: str, room: int = 0, **asked: object) -> Iterator[socket.socket]:
    """A connection that has sent a request, with that much room for what it has not read."""
    with socket.socket() as connection:
        if room:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        connection.settimeout(90)
        connection.connect(("127.0.0.1", gateway.port))
        asked.setdefault("messages", [{"role": "user", "content": "hello"}])
        body = json.dumps(asked).encode()
        connection.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nAuthorization: Bearer %s\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (key.encode(), len(body), body)
        )
        yield connection


def stopped_at(engine: WildEngine) -> int:
    """What it has sent when it has sent nothing for half a second: buffers are full then."""
    limit = time.monotonic() + 20
    sent = -1
    while sent != engine.sent:
        assert time.monotonic() < limit, "nothing stops it"
        sent = engine.sent
        time.sleep(0.5)
    return sent


def test_a_client_that_reads_nothing_stops_the_model_server(
    gateway: Running, engine: WildEngine, until: Until
) -> None:
    name, key = gateway.account()
    left, memory = engine.left, gateway.rss()
    with asking(gateway, key, room=65536, model="endless", stream=True) as connection:
        connection.recv(1000)
        before = stopped_at(engine)
        assert gateway.rss() - memory < 20 * 2**20
        until(lambda: connection.recv(2**20) and engine.sent > before)  # it goes on when we do
    until(lambda: engine.left > left)
    assert [row["status"] for row in gateway.recorded(name, 1)] == [499]


@pytest.mark.parametrize("stream", [False, True])
def test_who_leaves_before_the_end_pays_what_was_reserved(
    gateway: Running, stream: bool, until: Until
) -> None:
    """The model server may go on; and whole answers are made before their head is sent."""
    asker = Asker(gateway, tier="budget")
    nothing = asker.spent()
    model = "stalls" if stream else "hangs"
    turns = [{"role": "user", "content": "2"}]  # seconds
    with asking(gateway, asker.key, model=model, stream=stream, messages=turns) as connection:
        time.sleep(0.3)
        if stream:
            connection.recv(1000)
    asker.statuses.append(499)
    asker.rows()
    assert asker.spent() - nothing >= 80  # 64 for the answer, the rest for the prompt


def test_who_leaves_with_the_answer_unread_pays_for_it(gateway: Running) -> None:
    asker = Asker(gateway, tier="budget")
    nothing = asker.spent()
    with asking(gateway, asker.key, 4096, model="large-at-once", stream=True) as connection:
        connection.recv(1000)
        time.sleep(0.5)
    asker.statuses.append(200)  # all of it was written
    asker.rows()
    assert asker.spent() - nothing >= 500


def test_a_slow_body_is_waited_for(gateway: Running) -> None:
    name, key = gateway.account()
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}]}).encode()
    head = (
        b"POST /v1/chat/completions HTTP/1.1\r\nConnection: close\r\nAuthorization: Bearer "
        + key.encode() + b"\r\nContent-Length: %d\r\n\r\n" % len(body)
    )  # fmt: skip
    slowly = [part for i in range(len(body)) for part in (body[i : i + 1], 0.01)]
    assert statuses(gateway.raw(head, 0.2, *slowly)) == [200]
    gateway.recorded(name, 1)


def trickled(gateway: Running, first: bytes, then: bytes, every: float, most: float) -> float:
    """Seconds until the gateway ends a connection on which little comes, but comes; the test fails
    where it takes `most`."""
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=every) as connection:
        connection.sendall(first)
        while time.monotonic() - began < most:
            try:
                connection.sendall(then)
                if not connection.recv(65536):
                    return time.monotonic() - began
            except TimeoutError:
                continue
            except ConnectionError:
                return time.monotonic() - began
    pytest.fail("the connection was never closed")


@pytest.mark.slow
@pytest.mark.waits
@pytest.mark.parametrize(
    ("first", "then"),
    [(b"", b""), (b"", b"\r\n"), (b"GET / HTTP/1.1\r\nX: ", b"x"), (b"P", b"")],
    ids=["silent", "empty lines", "a byte at a time", "one byte"],
)
def test_a_head_has_ten_seconds(gateway: Running, first: bytes, then: bytes) -> None:
    assert 8 < trickled(gateway, first, then, 0.5, 15) < 13


@pytest.mark.slow
@pytest.mark.waits
def test_a_body_has_thirty_seconds(gateway: Running) -> None:
    name, key = gateway.account()
    head = (
        b"POST /v1/chat/completions HTTP/1.1\r\nAuthorization: Bearer "
        + key.encode() + b"\r\nContent-Length: 1000\r\n\r\n"
    )  # fmt: skip
    received: list[bytes] = []
    thread = threading.Thread(target=lambda: received.append(gateway.raw(head, wait=34)))
    thread.start()
    assert 28 < trickled(gateway, head, b" ", 0.5, 45) < 40
    thread.join()
    assert statuses(received[0]) == [408]
    assert [row["status"] for row in gateway.recorded(name, 2)] == [408, 408]


@pytest.mark.slow
@pytest.mark.waits
def test_what_is_sent_after_the_answer_is_not_listened_to_for_long(gateway: Running) -> None:
    head = b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 1000000000\r\n\r\n"
    assert trickled(gateway, head, b"x" * 1000, 0.05, 12) < 9


@pytest.mark.slow
@pytest.mark.waits
def test_who_reads_nothing_for_a_minute_is_let_go(
    gateway: Running, engine: WildEngine, until: Until
) -> None:
    name, key = gateway.account(tier="one")
    left = engine.left
    with asking(gateway, key, room=4096, model="endless", stream=True):
        time.sleep(50)
        assert gateway.chat(key).status == 429  # it holds the only slot
        limit = time.monotonic() + 20
        while engine.left == left:
            assert time.monotonic() < limit
            time.sleep(0.5)
    assert gateway.recorded(name, 2)[0]["status"] == 499


@pytest.mark.slow
@pytest.mark.waits
def test_who_reads_slowly_is_not_let_go(gateway: Running) -> None:
    _, key = gateway.account()
    with asking(gateway, key, room=4096, model="endless", stream=True) as connection:
        for _ in range(75):
            time.sleep(1)
            assert len(connection.recv(2**20)) > 0
