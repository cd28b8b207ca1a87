"""Requests to model servers, against servers that behave as real ones do, and worse."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import uvloop
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stillwatch.gateway.client import Client, pool
from stillwatch.gateway.upstream import Reply, UpstreamError
from tests.gateway.client.scripted import Scripted, whole

STREAM = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
Body = Callable[[], Coroutine[Any, Any, None]]


def run(body: Body) -> None:
    """Under the event loop that the gateway uses."""

    async def bounded() -> None:
        async with asyncio.timeout(20):
            await body()

    uvloop.run(bounded())


@contextlib.asynccontextmanager
async def client(**times: float) -> AsyncIterator[Client]:
    made = Client(**times)
    try:
        yield made
    finally:
        await made.close()


async def chunks(reply: Reply) -> list[bytes]:
    return [each async for each in reply.chunks()]


def test_one_connection_serves_one_request_after_the_other() -> None:
    async def body() -> None:
        async with Scripted(whole(b"one"), whole(b"two")) as upstream, client() as ours:
            said = []
            for text in (b"first", b""):
                reply = await ours.post(upstream.url, text, {"x-request-id": "7"})
                said.append((reply.status, await reply.read(100)))
            assert said == [(200, b"one"), (200, b"two")]
            assert upstream.connections == 1
            assert upstream.bodies == [b"first", b""]
            head = upstream.heads[0].split(b"\r\n")
            assert head[0] == b"POST /v1/chat HTTP/1.1"
            assert head[1].startswith(b"host: localhost:")
            assert b"x-request-id: 7" in head
            assert b"content-length: 5" in head

    run(body)


def test_requests_at_the_same_time_have_connections_of_their_own() -> None:
    async def slowly(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.05)
        writer.write(whole(b"x"))

    async def body() -> None:
        async with Scripted(slowly) as upstream, client() as ours:
            replies = await asyncio.gather(*(ours.get(upstream.url, {}) for _ in range(5)))
            assert [await each.read(9) for each in replies] == [b"x"] * 5
            assert upstream.connections == 5

    run(body)


def test_the_first_part_is_there_before_the_last_is_sent() -> None:
    go_on = asyncio.Event()

    async def streamed(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM + b"5\r\nfirst\r\n")
        await go_on.wait()
        writer.write(b"4\r\nlast\r\n0\r\n\r\n")

    async def body() -> None:
        async with Scripted(streamed) as upstream, client() as ours:
            reply = await ours.post(upstream.url, b"", {})
            parts = reply.chunks()
            assert await anext(parts) == b"first"
            go_on.set()
            assert await anext(parts) == b"last"
            assert await chunks(reply) == []

    run(body)


RESPONSES = st.sampled_from(
    [
        whole(b"hello world"),
        whole(b""),
        STREAM + b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
        STREAM + b"b;note=1\r\nhello world\r\n0\r\nx-trailer: 1\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + whole(b"hello world"),
        b"HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n" + whole(b"hello world", "X-A: b"),
    ]
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(RESPONSES, st.lists(st.integers(1, 90), max_size=6))
def test_however_a_response_is_cut_it_is_the_same(response: bytes, cuts: list[int]) -> None:
    async def cut(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        last = 0
        for each in sorted(cuts):
            writer.write(response[last:each])
            await asyncio.sleep(0.001)
            last = max(last, each)
        writer.write(response[last:])

    async def body() -> None:
        async with Scripted(cut) as upstream, client() as ours:
            for _ in range(2):
                reply = await ours.post(upstream.url, b"", {})
                assert reply.status == 200
                assert "x-trailer" not in reply.headers
                assert "link" not in reply.headers
                assert await reply.read(100) in (b"hello world", b"")
            assert upstream.connections == 1

    run(body)


def test_a_body_without_a_length_ends_with_its_connection() -> None:
    async def until_the_end(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nall of")
        await asyncio.sleep(0.01)
        writer.write(b" it")
        writer.close()

    async def body() -> None:
        async with Scripted(until_the_end) as upstream, client() as ours:
            reply = await ours.get(upstream.url, {})
            assert await reply.read(100) == b"all of it"

    run(body)


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"HTTP/1.1 200 OK\r\ncontent-le",
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort",
        STREAM + b"5\r\nfirst\r\n",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nfirst",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\nfirst",
        STREAM + b"zz\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 5\r\n\r\nfirst",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 70_000 + b"\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n",
    ],
)
def test_what_is_no_whole_response_is_an_error_that_may_have_been_sent(broken: bytes) -> None:
    async def breaking(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(broken)
        await writer.drain()
        writer.close()

    async def body() -> None:
        async with Scripted(breaking) as upstream, client() as ours:

            async def ask() -> bytes:
                reply = await ours.post(upstream.url, b"", {})
                return await reply.read(100_000)

            with pytest.raises(UpstreamError) as raised:
                await ask()
            assert raised.value.sent

    run(body)


def test_bytes_after_a_response_never_become_the_next_one() -> None:
    async def body() -> None:
        answers = whole(b"mine") + whole(b"smuggled"), whole(b"true")
        async with Scripted(*answers) as upstream, client() as ours:
            first = await ours.get(upstream.url, {})
            assert await first.read(100) == b"mine"
            second = await ours.get(upstream.url, {})
            assert await second.read(100) == b"true"
            assert upstream.connections == 2

    run(body)


def test_an_upstream_that_is_not_there_was_sent_nothing() -> None:
    async def body() -> None:
        async with client() as ours:
            with pytest.raises(UpstreamError) as raised:
                await ours.get("http://127.0.0.1:9/", {})
            assert not raised.value.sent

    run(body)


def test_an_upstream_that_does_not_take_the_connection_was_sent_nothing() -> None:
    async def body() -> None:
        with socket.socket() as listening:  # nobody answers the handshake
            listening.bind(("127.0.0.1", 0))
            listening.listen()
            async with client(connect=0.1) as ours:
                with pytest.raises(UpstreamError, match="cannot connect") as raised:
                    await ours.get(f"https://127.0.0.1:{listening.getsockname()[1]}/", {})
                assert not raised.value.sent

    run(body)


def test_an_upstream_that_falls_silent_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "_SWEEP", 0.05)

    async def stalling(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM + b"5\r\nfirst\r\n")
        await reader.read()

    async def body() -> None:
        async with Scripted(stalling) as upstream, client(silence=0.2) as ours:
            parts = (await ours.get(upstream.url, {})).chunks()
            assert await anext(parts) == b"first"
            with pytest.raises(UpstreamError, match="too long"):
                await anext(parts)

    run(body)


def test_an_upstream_learns_that_nobody_listens_any_more() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM + b"5\r\nfirst\r\n")
        await reader.read()  # returns when the connection is broken

    async def body() -> None:
        async with Scripted(endless) as upstream, client() as ours:
            reply = await ours.get(upstream.url, {})
            await anext(reply.chunks())
            reply.close()
            await upstream.closed.wait()

    run(body)


def test_who_is_cancelled_while_waiting_breaks_the_connection() -> None:
    async def thinking(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async def body() -> None:
        async with Scripted(thinking) as upstream, client() as ours:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await ours.get(upstream.url, {})
            await upstream.closed.wait()

    run(body)


def test_reading_slowly_slows_the_upstream() -> None:
    written = 0

    async def flooding(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.write(STREAM)
        for _ in range(1000):
            writer.write(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
            await writer.drain()
            written += 65_536
        writer.write(b"0\r\n\r\n")

    async def body() -> None:
        async with Scripted(flooding) as upstream, client() as ours:
            parts = (await ours.get(upstream.url, {})).chunks()
            size = len(await anext(parts))
            for _ in range(30):  # until nothing moves any more
                before = written
                await asyncio.sleep(0.05)
                if written == before:
                    break
            assert written < 32 * 2**20  # what the sockets hold, of 64 MB
            async for each in parts:
                size += len(each)
            assert size == 1000 * 65_536

    run(body)


def test_a_long_answer_ends_at_its_bound() -> None:
    async def body() -> None:
        async with Scripted(whole(b"x" * 1000)) as upstream, client() as ours:
            reply = await ours.get(upstream.url, {})
            with pytest.raises(UpstreamError, match="too long"):
                await reply.read(999)

    run(body)


def test_a_connection_that_may_be_stale_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "IDLE", 0.05)

    async def body() -> None:
        async with Scripted(whole(b"x")) as upstream, client() as ours:
            for _ in range(2):
                await (await ours.get(upstream.url, {})).read(9)
                await asyncio.sleep(0.1)
            assert upstream.connections == 2

    run(body)


def test_an_upstream_says_how_long_it_keeps_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "IDLE", 0.0)

    async def body() -> None:
        async with Scripted(whole(b"x", "Keep-Alive: timeout=30, max=5")) as up, client() as ours:
            for _ in range(2):
                await (await ours.get(up.url, {})).read(9)
            assert up.connections == 1

    run(body)


def test_an_upstream_that_closes_is_not_asked_on_that_connection_again() -> None:
    async def body() -> None:
        async with Scripted(whole(b"x", "connection: close")) as upstream, client() as ours:
            for _ in range(2):
                await (await ours.get(upstream.url, {})).read(9)
            assert upstream.connections == 2

    run(body)


def test_a_redirect_is_an_answer_and_not_followed() -> None:
    moved = b"HTTP/1.1 307 Moved\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 0\r\n\r\n"

    async def body() -> None:
        async with Scripted(moved) as upstream, client() as ours:
            assert (await ours.post(upstream.url, b"", {})).status == 307

    run(body)


@pytest.mark.parametrize("value", ["a\r\nx-other: b", "a\nb", "a\0b", "a\r"])
def test_a_header_is_one_line(value: str) -> None:
    async def body() -> None:
        async with Scripted(whole(b"x")) as upstream, client() as ours:
            with pytest.raises(ValueError, match="more than one line"):
                await ours.get(upstream.url, {"x-mark": value})
            assert upstream.connections == 0

    run(body)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for localhost that nobody has signed, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost", "-keyout", folder / "key", "-out", folder / "cert"],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder / "cert", folder / "key"


@pytest.mark.parametrize("trusted", [True, False])
def test_who_an_upstream_is_counts(
    certificate: tuple[Path, Path], trusted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(*certificate)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))

    async def body() -> None:
        async with Scripted(whole(b"x"), encryption=theirs) as upstream, client() as ours:
            if trusted:
                for _ in range(2):
                    assert await (await ours.get(upstream.url, {})).read(9) == b"x"
                assert upstream.connections == 1
                return
            with pytest.raises(UpstreamError, match="cannot connect") as raised:
                await ours.get(upstream.url, {})
            assert not raised.value.sent

    run(body)
