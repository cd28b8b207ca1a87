"""Connections that break and processes that are killed: nothing is lost, nothing half applied."""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from stillwatch.intel.store import Filter, Version, open_store
from stillwatch.intel.taxii.files import read_objects
from stillwatch.intel.taxii.media import TAXII
from tests.intel.taxii.conftest import ACME, READER, Prepared, Served, indicator, serving

HERE = Path(__file__).parent


def asked(url: str, token: str, method: str, body: Any = None) -> tuple[int, Any]:
    parts = urlsplit(url)
    with contextlib.closing(http.client.HTTPConnection(parts.netloc, timeout=20)) as connection:
        headers = {"accept": TAXII, "content-type": TAXII, "authorization": f"Bearer {token}"}
        sent = None if body is None else json.dumps(body)
        connection.request(method, f"{parts.path}?{parts.query}", sent, headers)
        reply = connection.getresponse()
        return reply.status, json.loads(reply.read() or b"null")


def begun(served: Served, path: str, method: str, length: int = 0) -> socket.socket:
    """A connection on which the head of a request was sent."""
    parts = urlsplit(served.at)
    connection = socket.create_connection((parts.hostname, parts.port), timeout=20)
    head = (
        f"{method} {parts.path}{path} HTTP/1.1\r\nhost: x\r\naccept: {TAXII}\r\n"
        f"authorization: Bearer {served.tokens[ACME]}\r\n"
    )
    if length:
        head += f"content-type: {TAXII}\r\ncontent-length: {length}\r\n"
    connection.sendall(head.encode() + b"\r\n")
    return connection


def ended(served: Served) -> float:
    """How many requests to add objects have come to an end, one way or the other."""
    parts = urlsplit(served.url)
    with contextlib.closing(http.client.HTTPConnection(parts.netloc, timeout=20)) as connection:
        connection.request("GET", "/metrics")
        page = connection.getresponse().read().decode()
    return sum(float(line.split()[-1]) for line in page.splitlines() if 'route="add"' in line)


def test_a_request_that_breaks_off_in_its_body_adds_nothing(fresh: Served) -> None:
    before = ended(fresh)
    body = json.dumps({"objects": [indicator(n) for n in range(50)]}).encode()
    for sent in (1, len(body) // 2, len(body) - 1):
        with begun(fresh, "objects/", "POST", len(body)) as connection:
            connection.sendall(body[:sent])
    # what came is whole as it stands, and less than was announced
    with begun(fresh, "objects/", "POST", len(body) + 10) as connection:
        connection.sendall(body)
    deadline = time.monotonic() + 20
    while ended(fresh) < before + 4 and time.monotonic() < deadline:
        time.sleep(0.02)
    status, found = asked(f"{fresh.at}objects/", fresh.tokens[ACME], "GET")
    assert (status, found) == (200, {})
    with begun(fresh, "objects/", "POST", len(body)) as connection:
        connection.sendall(body)
        assert connection.recv(12) == b"HTTP/1.1 202"
    assert len(asked(f"{fresh.at}objects/", fresh.tokens[ACME], "GET")[1]["objects"]) == 50


def test_a_reader_that_leaves_in_mid_page_disturbs_nobody(fresh: Served) -> None:
    large = [indicator(n, name="x" * 100_000) for n in range(60)]
    assert asked(f"{fresh.at}objects/", fresh.tokens[ACME], "POST", {"objects": large})[0] == 202
    for taken in (1, 200, 500_000):
        with begun(fresh, "objects/", "GET") as connection:
            while taken > 0:
                taken -= len(connection.recv(min(taken, 65_536)))
    status, found = asked(f"{fresh.at}objects/", fresh.tokens[READER], "GET")
    assert (status, found["objects"]) == (200, large)


@pytest.mark.slow
def test_what_a_killed_server_had_acknowledged_is_there_and_requests_are_whole(
    tmp_path: Path, prepared: Prepared
) -> None:
    state = tmp_path / "state"
    shutil.copytree(prepared.state, state)
    moments, acknowledged, sent = random.Random(1), set(), 0
    for _ in range(4):
        process, url = serving(state, "--requests-per-minute", "100000")
        threading.Timer(moments.uniform(0.1, 0.8), process.kill).start()
        at = f"{url}intel/collections/indicators/objects/"
        with contextlib.suppress(OSError, http.client.HTTPException):
            while True:
                sent += 1
                objects = [indicator(100 * sent + n) for n in range(20)]
                status, said = asked(at, prepared.tokens[ACME], "POST", {"objects": objects})
                assert (status, said["success_count"]) == (202, 20)
                acknowledged.add(sent)
        process.wait()
        assert process.stderr is not None
        process.stderr.close()
        with open_store(state) as store:
            collection = store.collections.named("indicators")
            page = store.reader.page(
                collection, Filter(versions=Version(every=True)), most=10**6, bodies=False
            )
        found = [int(entry.id[11:].replace("-", ""), 16) // 100 for entry in page.entries]
        assert {number: found.count(number) for number in found} == dict.fromkeys(found, 20)
        assert acknowledged <= set(found)
        added = [entry.added for entry in page.entries]
        assert added == sorted(set(added))
    assert len(acknowledged) > 20
    with contextlib.closing(sqlite3.connect(state / "intel.db")) as file:
        assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.slow
def test_a_poll_that_is_killed_at_random_moments_loses_nothing_and_repeats_nothing(
    fresh: Served, tmp_path: Path
) -> None:
    moments = random.Random(2)
    number = 0
    folder = tmp_path / "polled"
    for _ in range(6):
        objects = [indicator(number + n) for n in range(40)]
        number += 40
        asked(f"{fresh.at}objects/", fresh.tokens[ACME], "POST", {"objects": objects})
        process = subprocess.Popen(
            [sys.executable, HERE / "poll_forever.py", fresh.at, fresh.tokens[READER], tmp_path],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(moments.uniform(0.0, 0.25))
        process.kill()
        process.wait()
        process.stdout.close()
    process = subprocess.Popen(
        [sys.executable, HERE / "poll_forever.py", fresh.at, fresh.tokens[READER], tmp_path],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    wanted = [indicator(n)["id"] for n in range(number)]
    deadline = time.monotonic() + 30
    found: list[str] = []
    while len(found) < len(wanted) and time.monotonic() < deadline:
        time.sleep(0.2)
        files = sorted(folder.glob("*.json"))
        found = [each["id"] for file in files for each in read_objects(file)]
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()
    assert found == wanted
