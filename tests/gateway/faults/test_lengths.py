"""Where a request ends, and where its head does: what can be read in two ways is refused."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.gateway.faults.conftest import Running, answers, statuses
from tests.gateway.faults.wild_engine import WildEngine

BODY = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}]}).encode()
CHUNKS = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
LENGTH = b"Content-Length: %d" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked"
CHAT = b"POST /v1/chat/completions HTTP/1.1"

Request = Callable[..., bytes]


@pytest.fixture(scope="module")
def account(gateway: Running) -> tuple[str, str]:
    return gateway.account()


@pytest.fixture
def request_of(account: tuple[str, str]) -> Request:
    """A request with these header lines, beside the usual ones."""

    def make(*lines: bytes, body: bytes = BODY, first: bytes = CHAT) -> bytes:
        usual = [first, b"Host: gateway", b"Authorization: Bearer " + account[1].encode()]
        return b"\r\n".join([*usual, *lines, b"", body])

    return make


def test_a_length_and_chunks_are_read(gateway: Running, request_of: Request) -> None:
    assert statuses(gateway.raw(request_of(LENGTH, b"Connection: close"))) == [200]
    close = request_of(CHUNKED, b"Connection: close", body=CHUNKS)
    assert statuses(gateway.raw(close)) == [200]


@pytest.mark.parametrize(
    "lines",
    [
        (LENGTH, LENGTH),
        (LENGTH, b"Content-Length: 5"),
        (LENGTH + b", 63",),
        (LENGTH, CHUNKED),
        (CHUNKED, LENGTH),
        (CHUNKED, CHUNKED),
        (b"Transfer-Encoding: xchunked",),
        (b"Transfer-Encoding: chunked, identity",),
        (b"Transfer-Encoding: gzip, chunked", b"Connection: close"),
        (b"Transfer-Encoding:\x0bchunked",),
        (b"Transfer-Encoding : chunked",),
        (b"Content-Length: +63",),
        (b"Content-Length: 0x3f",),
        (b"Content-Length: -1",),
        (b"Content-Length:",),
        (b"Content-Length: 1e3",),
        (b"Content-Length: " + b"9" * 30,),
        (b"Content-Length: 63\x00",),
    ],
    ids=str,
)
@pytest.mark.parametrize("body", [BODY, CHUNKS], ids=["plain", "chunks"])
def test_a_length_that_two_servers_would_read_differently_is_refused(
    gateway: Running, request_of: Request, lines: tuple[bytes, ...], body: bytes
) -> None:
    assert statuses(gateway.raw(request_of(*lines, body=body), wait=2)) == [400]


@pytest.mark.parametrize(
    "chunks",
    [b"zz\r\n%s\r\n", b"-5\r\n%s\r\n", b"fffffffffffffffff\r\n%s\r\n", b"0x3f\r\n%s\r\n",
     b"3f;\n%s\r\n", b"3f\n%s\n0\n\n", b"3f\r\n%sXX0\r\n\r\n", b" 3f\r\n%s\r\n"],
)  # fmt: skip
def test_a_chunk_whose_size_is_none_ends_the_connection(
    gateway: Running, request_of: Request, chunks: bytes
) -> None:
    assert statuses(gateway.raw(request_of(CHUNKED, body=chunks % BODY))) == [400]


def test_what_a_chunk_says_beside_its_size_changes_nothing(
    gateway: Running, request_of: Request
) -> None:
    extended = b'%x;a=b;c="d"\r\n%s\r\n0;x\r\n\r\n' % (len(BODY), BODY)
    received = gateway.raw(request_of(CHUNKED, b"Connection: close", body=extended))
    assert statuses(received) == [200]


def test_fields_after_the_body_are_no_headers(gateway: Running, request_of: Request) -> None:
    """A second credential would be refused, were it one."""
    trailing = CHUNKS[:-2] + b"X-Api-Key: another\r\nContent-Encoding: gzip\r\n\r\n"
    received = gateway.raw(request_of(CHUNKED, b"Connection: close", body=trailing))
    assert statuses(received) == [200]


@pytest.mark.parametrize(
    "line",
    [b"X-A: b\r\n c", b"X-A: b\0c", b"X-A: b\rX-Api-Key: c", b"X A: b", b"X-A : b", b": b",
     b"X-A\0: b"],
)  # fmt: skip
def test_a_header_that_could_hide_another_is_refused(
    gateway: Running, request_of: Request, line: bytes
) -> None:
    assert statuses(gateway.raw(request_of(LENGTH, line))) == [400]


@pytest.mark.parametrize(
    "line",
    [b"Host: other", b"Authorization: Bearer other", b"X-Api-Key: other",
     b"Content-Type: a/b\r\nContent-Type: a/c"],
)  # fmt: skip
def test_a_header_that_would_make_two_requests_of_one_stands_once(
    gateway: Running, request_of: Request, line: bytes
) -> None:
    received = gateway.raw(request_of(LENGTH, b"Connection: close", line))
    assert statuses(received) == [400]


def test_bytes_that_are_no_text_may_stand_in_other_headers(
    gateway: Running, request_of: Request
) -> None:
    received = gateway.raw(
        request_of(LENGTH, b"Connection: close", b"User-Agent: \xff\xfe", b"Accept-Language: \xed")
    )
    assert statuses(received) == [200]


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 1_000_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * 150_000 + b"\r\n", 431),
    ],
    ids=["line", "longer line", "header", "headers"],
)
def test_a_head_is_bounded(gateway: Running, head: bytes, status: int) -> None:
    assert statuses(gateway.raw(head)) == [status]


def test_a_head_without_an_end_takes_no_memory(gateway: Running) -> None:
    before = gateway.rss()
    received = gateway.raw(b"GET / HTTP/1.1\r\nX: ", *[b"a" * 1_000_000] * 50)
    assert statuses(received) in ([431], [])  # it may be lost where we still send
    assert gateway.rss() - before < 20 * 2**20


@pytest.mark.parametrize(
    ("first", "statuses_"),
    [
        (b"POST http://elsewhere.example/v1/chat/completions HTTP/1.1", [200]),
        (b"POST http://elsewhere.example/v1/chat/completions?a=b HTTP/1.1", [200]),
        (b"POST /v1/chat/%63ompletions HTTP/1.1", [404]),
        (b"POST //v1/chat/completions HTTP/1.1", [404]),
        (b"POST http://elsewhere.example HTTP/1.1", [400]),
        (b"POST /v1/chat/completions HTTP/2.0", [400]),
        (b"POST /v1/chat/completions HTTP/1.2", [400]),
        (b"POST /v1/chat/completions HTTP/0.9", [400]),
        (b"POST /v1/chat/completions", [400]),
        (b"post /v1/chat/completions HTTP/1.1", [400]),
        (b"POST /\xff HTTP/1.1", [400]),
        (b"POST /\x00 HTTP/1.1", [400]),
    ],
)
def test_a_route_is_known_by_one_spelling(
    gateway: Running, request_of: Request, first: bytes, statuses_: list[int]
) -> None:
    received = gateway.raw(request_of(LENGTH, b"Connection: close", first=first))
    assert statuses(received) == statuses_


@pytest.mark.parametrize("path", [b"/%6detrics", b"/%72eadyz", b"/metrics%20"])
def test_what_a_proxy_shields_has_no_second_name(gateway: Running, path: bytes) -> None:
    request = b"GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    assert statuses(gateway.raw(request % path)) == [404]


@pytest.mark.parametrize(
    "sent",
    [b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
     b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET /\r\n\r\n", b"\x00" * 100],
    ids=["connect", "http/2", "tls", "http/0.9", "zeros"],
)  # fmt: skip
def test_other_protocols_are_refused(gateway: Running, sent: bytes) -> None:
    assert statuses(gateway.raw(sent)) == [400]


@pytest.mark.parametrize("line", [b"Connection: close", b"Connection: keep-alive"])
def test_http_1_0_is_answered_and_ended(gateway: Running, request_of: Request, line: bytes) -> None:
    first = CHAT.replace(b"1.1", b"1.0")
    assert statuses(gateway.raw(request_of(LENGTH, line, first=first), wait=2)) == [200]
    assert statuses(gateway.raw(request_of(CHUNKED, line, body=CHUNKS, first=first))) == [400]


def test_requests_that_do_not_wait_are_answered_in_their_order(
    gateway: Running, request_of: Request
) -> None:
    bodies = [BODY.replace(b"hi", b"h%d" % i) for i in range(5)]
    last = request_of(LENGTH, b"Connection: close", body=bodies[-1])
    received = gateway.raw(*[request_of(LENGTH, body=body) for body in bodies[:-1]], last)
    said = [json.loads(body)["choices"][0]["message"]["content"] for _, body in answers(received)]
    assert said == [f"you said h{i}" for i in range(5)]


def test_rubbish_after_a_request_is_never_read_as_its_answer(
    gateway: Running, request_of: Request
) -> None:
    streamed = BODY.replace(b'"m"', b'"stalls", "stream": true')
    received = gateway.raw(
        request_of(b"Content-Length: %d" % len(streamed), body=streamed), 0.3, b"rubbish\r\n\r\n"
    )
    assert answers(received) == [(200, b"(cut off)")]
    assert received.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("protocol", [b"h2c", b"websocket"])
def test_a_body_is_no_request_because_an_upgrade_was_asked_for(
    gateway: Running, request_of: Request, protocol: bytes
) -> None:
    hidden = b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"
    received = gateway.raw(
        request_of(b"Content-Length: %d" % len(hidden), b"Connection: Upgrade",
                   b"Upgrade: " + protocol, body=b""),
        0.2,
        hidden,
    )  # fmt: skip
    assert statuses(received) == [400]


def test_who_asks_whether_to_go_on_is_told(gateway: Running, request_of: Request) -> None:
    expecting = request_of(LENGTH, b"Connection: close", b"Expect: 100-continue", body=b"")
    received = gateway.raw(expecting, 0.3, BODY)
    assert received.startswith(b"HTTP/1.1 100 ")
    assert statuses(received) == [200]
    nobody = expecting.replace(b"Bearer ", b"Bearer not-")
    assert gateway.raw(nobody).startswith(b"HTTP/1.1 401 ")


def test_each_request_that_could_be_read_is_recorded_once_and_sent_once(
    gateway: Running, engine: WildEngine
) -> None:
    name, key = gateway.account()
    before = len(engine.asked)
    head = CHAT + b"\r\nAuthorization: Bearer " + key.encode() + b"\r\n"
    for _ in range(3):
        gateway.raw(head + LENGTH + b"\r\nConnection: close\r\n\r\n" + BODY)
        gateway.raw(head + LENGTH + b"\r\nConnection: close\r\n\r\n" + BODY[:-1] + b"!")
        gateway.raw(head + LENGTH + b"\r\n\r\n" + BODY[:-1], wait=0.2)  # and leaves
        gateway.raw(head + CHUNKED + b"\r\n\r\nzz\r\n")
        gateway.raw(head + LENGTH + b"\r\n" + LENGTH + b"\r\n\r\n" + BODY)  # no request
    rows = gateway.recorded(name, 12)
    assert sorted(row["status"] for row in rows) == [200] * 3 + [400] * 3 + [499] * 6
    assert len(engine.asked) - before == 3


@pytest.mark.parametrize("line", [b"Connection: close", b"Connection: keep-alive"])
def test_a_refusal_reaches_who_is_still_sending(
    gateway: Running, request_of: Request, line: bytes
) -> None:
    """Closing on what has not been read would reset the connection, and lose the answer."""
    some = b"x" * 1_000_000
    head = request_of(b"Content-Length: 12000000", line, body=b"")
    received = gateway.raw(head.replace(b"Bearer ", b"Bearer not-"), *[some, 0.01] * 12, wait=1)
    assert statuses(received) == [401]
