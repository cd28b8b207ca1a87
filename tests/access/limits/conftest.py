"""Keepers of limits to test on: in memory always, in a real Redis as a service."""

from __future__ import annotations

import asyncio
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stillwatch.access.limits import (
    Charge,
    Exceeded,
    MemoryLimiter,
    RedisLimiter,
    Reservation,
    Usage,
)

NOW = 1_790_000_000  # seconds; 21 September 2026, 14:13:20 UTC


class Clock:
    """A clock in nanoseconds that stands until it is set."""

    def __init__(self) -> None:
        self.now = NOW * 10**9

    def __call__(self) -> int:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += round(seconds * 1e9)


class Keeper:
    """A limiter, called without `await`."""

    def __init__(self, limiter: MemoryLimiter | RedisLimiter, runner: asyncio.Runner) -> None:
        self.limiter = limiter
        self._run = runner.run

    def reserve(self, *charges: Charge) -> Reservation | Exceeded:
        return self._run(self.limiter.reserve(charges))

    def admit(self, *charges: Charge) -> Reservation:
        answer = self.reserve(*charges)
        assert isinstance(answer, Reservation), answer
        return answer

    def refuse(self, *charges: Charge) -> Exceeded:
        answer = self.reserve(*charges)
        assert isinstance(answer, Exceeded), answer
        return answer

    def settle(self, reservation: Reservation, usage: Usage) -> None:
        self._run(self.limiter.settle(reservation, usage))

    def renew(self, reservation: Reservation) -> None:
        self._run(self.limiter.renew(reservation))

    def sweep(self) -> int:
        return self._run(self.limiter.sweep())

    def outstanding(self) -> int:
        return self._run(self.limiter.outstanding())


class RedisServer:
    """A Redis of our own on a free port of the loopback, which keeps nothing on the disk."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.url = f"redis://127.0.0.1:{self.port}"
        self._folder = folder
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            ["redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--save", ""],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
        )
        while self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                continue
            return
        pytest.fail(f"redis-server ended with {self.process.returncode}")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def clock() -> Clock:  # type: ignore[override]
    return Clock()


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="session")
def shared_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One that nobody kills; tests keep apart by their prefixes."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server
    server.kill()


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """One to kill."""
    server = RedisServer(tmp_path)
    yield server
    server.kill()


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.service)])
def keeper(
    request: pytest.FixtureRequest, clock: Clock, runner: asyncio.Runner
) -> Iterator[Keeper]:
    """Each keeper in turn, on the clock of the test, with leases of a minute."""
    limiter: MemoryLimiter | RedisLimiter
    if request.param == "memory":
        limiter = MemoryLimiter(clock=clock)
    else:
        server: RedisServer = request.getfixturevalue("shared_redis")
        # a machine that stalls is not what these tests are about
        limiter = RedisLimiter(server.url, prefix=request.node.name, clock=clock, timeout=10)
    yield Keeper(limiter, runner)
    runner.run(limiter.close())


@pytest.fixture
def eventually(runner: asyncio.Runner) -> Callable[[Callable[[], bool]], None]:
    """Lets the event loop run until something is so."""

    async def wait(condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                await asyncio.sleep(0.01)

    return lambda condition: runner.run(wait(condition))
