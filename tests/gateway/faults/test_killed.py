"""kill -9 of the gateway under load, and a disk that is full: what was served is on the disk."""

from __future__ import annotations

import http.client
import resource
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from stillwatch.gateway.recording.recorder import FLUSH
from stillwatch.sketches import SketchKey
from tests.gateway.faults.conftest import SETTINGS, Asker, Running, serving
from tests.gateway.faults.wild_engine import WildEngine

Until = Callable[[Callable[[], object]], None]
pytestmark = pytest.mark.slow

#: Seconds beyond a flush interval that a loaded event loop may be late with it.
LATE = 0.5


def under_load(gateway: Running, key: str, seconds: float) -> list[tuple[float, str]]:
    """Kill the gateway after so many seconds under eight clients: when each answer was whole at
    the client, and the request's id."""
    whole: list[tuple[float, str]] = []

    def ask() -> None:
        number = 0
        while True:
            number += 1
            try:
                response = gateway.chat(key, stream=number % 3 == 0)
            except (OSError, http.client.HTTPException):
                return
            if response.status == 200:
                whole.append((time.monotonic(), response.headers["x-request-id"]))

    clients = [threading.Thread(target=ask) for _ in range(8)]
    for client in clients:
        client.start()
    time.sleep(seconds)
    gateway.process.kill()
    killed = time.monotonic()
    gateway.process.wait()
    for client in clients:
        client.join()
    return [(killed - at, request) for at, request in whole]


def kept_requests(gateway: Running) -> Counter[int]:
    """How often each request is on the disk, without the fold, which is the lowest bit."""
    return Counter(row["request"] >> 1 for row in gateway.kept())


def test_what_was_answered_a_flush_interval_before_a_kill_is_kept_once(
    engine: WildEngine, tmp_path: Path, until: Until
) -> None:
    settings = SETTINGS.replace("URL", engine.url)
    answered: list[tuple[float, str]] = []
    for seconds in (1.0, 1.7, 0.4):
        with serving(tmp_path, settings) as gateway:
            _, key = gateway.account()
            answered += under_load(gateway, key, seconds)
    digest = SketchKey.from_file(gateway.state / "sketch.key").digest
    due = [digest("request", request) >> 1 for ago, request in answered if ago > FLUSH + LATE]
    assert len(due) > 50
    until(lambda: set(due) <= kept_requests(gateway).keys())
    assert set(kept_requests(gateway).values()) == {1}


def writer_of(gateway: Running) -> int:
    """The process that writes exchanges."""
    children = Path(f"/proc/{gateway.process.pid}/task/{gateway.process.pid}/children")
    (child,) = children.read_text().split()
    return int(child)


def test_on_a_full_disk_it_serves_what_it_can_hold_then_nobody_and_loses_nothing(
    engine: WildEngine, tmp_path: Path, until: Until
) -> None:
    """The writer may write no file beyond a byte, which is what a full disk looks like to it."""
    with serving(tmp_path, SETTINGS.replace("URL", engine.url)) as gateway:
        asker = Asker(gateway)
        assert asker.chat("m").status == 200
        asker.rows()
        writer = writer_of(gateway)
        _, most = resource.prlimit(writer, resource.RLIMIT_FSIZE)
        resource.prlimit(writer, resource.RLIMIT_FSIZE, (1, most))
        text = "a text of some megabytes " * 500_000
        while (status := asker.chat("m", text).status) == 200:
            assert len(asker.statuses) < 40
        assert status == 503
        asker.statuses.pop()  # what is refused for this reason alone is not recorded
        assert gateway.send("GET", "/readyz").status == 503
        assert len(asker.statuses) > 5
        resource.prlimit(writer, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, most))
        until(lambda: gateway.send("GET", "/readyz").status == 200)
        assert asker.chat("m").status == 200
        asker.rows()
