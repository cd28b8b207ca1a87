"""kill -9, of the writer and of the gateway: no exchange is lost, and none stands twice."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from array import array
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stillwatch.gateway.recording import Recorder

Keep = Callable[..., Any]
GATEWAY = Path(__file__).with_name("record_forever.py")


async def killed_while_recording(state: Path, exchange: Keep, kills: int) -> int:
    """Record, and kill the writer at random moments; how many exchanges were recorded."""
    moments = random.Random(3)
    recorder = Recorder(state)
    await recorder.start()
    sent = 0
    for _ in range(kills):
        victim = recorder.writer_pid
        for _ in range(moments.randint(1, 40)):
            await recorder.wait_for_room()
            for _ in range(100):
                recorder.record(exchange(sent))
                sent += 1
            await asyncio.sleep(moments.uniform(0, 0.02))
        assert victim is not None
        os.kill(victim, signal.SIGKILL)
        while not recorder.healthy or recorder.writer_pid == victim:
            recorder.record(exchange(sent))
            sent += 1
            await asyncio.sleep(0.01)
    await recorder.close()
    return sent


@pytest.mark.slow
def test_a_writer_that_is_killed_is_replaced_and_every_exchange_is_kept_once(
    tmp_path: Path, run: Keep, exchange: Keep, numbers: Keep
) -> None:
    async def gateway() -> None:
        sent = await killed_while_recording(tmp_path, exchange, 2)
        assert numbers(tmp_path) == Counter(range(sent))

    run(gateway)


@pytest.mark.slow
def test_a_writer_that_is_killed_over_and_over_loses_and_repeats_nothing(
    tmp_path: Path, run: Keep, exchange: Keep, numbers: Keep
) -> None:
    async def gateway() -> None:
        sent = await killed_while_recording(tmp_path, exchange, 7)
        assert numbers(tmp_path) == Counter(range(sent))

    run(gateway)


def test_a_writer_that_keeps_dying_is_a_problem_until_one_commits(
    tmp_path: Path, run: Keep, exchange: Keep, numbers: Keep, eventually: Keep
) -> None:
    async def gateway() -> None:
        recorder = Recorder(tmp_path, most_rows=50)
        await recorder.start()
        (tmp_path / "events").rename(tmp_path / "elsewhere")
        os.kill(recorder.writer_pid or 0, signal.SIGKILL)
        for n in range(50):
            recorder.record(exchange(n))
        await eventually(lambda: recorder.problem)
        assert "there is no event store here" in recorder.problem
        assert not recorder.healthy
        assert not recorder.room()
        (tmp_path / "elsewhere").rename(tmp_path / "events")
        await recorder.wait_for_room()
        await recorder.drain()
        assert recorder.problem is None
        assert recorder.healthy
        await recorder.close()

    run(gateway)
    assert numbers(tmp_path) == Counter(range(50))


def killed_gateway(state: Path, times: Path, first: int, seconds: float) -> tuple[int, int]:
    """Kill a gateway under load. How many exchanges it had recorded (a) one flush interval before
    and longer ago, by the timers of its own loop, and (b) at all; said when its writer has ended.
    """
    times.write_bytes(bytes(8 * 100_000))
    with subprocess.Popen(
        [sys.executable, GATEWAY, state, str(first), times],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as gateway:
        assert gateway.stdout is not None
        assert gateway.stderr is not None
        assert gateway.stdout.readline() == "ready\n"
        time.sleep(seconds)
        gateway.send_signal(signal.SIGKILL)
        said = gateway.stderr.read()  # to its end: the writer holds this pipe, too
    assert said == ""
    due, *moments = array("q", times.read_bytes())
    recorded = [moment for moment in moments if moment]
    assert recorded == sorted(recorded)
    return sum(moment <= due for moment in recorded), len(recorded) + 1  # killed before it told


def assert_kept(kept: Counter[int], first: int, due: int, most: int) -> int:
    """All that were due are kept, and none twice or out of nowhere; how many are."""
    ours = Counter({n: times for n, times in kept.items() if first <= n})
    assert ours == Counter(range(first, first + len(ours)))
    assert due <= len(ours) <= most
    return len(ours)


def test_what_a_killed_gateway_recorded_a_flush_interval_before_is_kept(
    tmp_path: Path, numbers: Keep
) -> None:
    due, most = killed_gateway(tmp_path / "state", tmp_path / "times", 0, 1.0)
    assert due > 0
    assert_kept(numbers(tmp_path / "state"), 0, due, most)


@pytest.mark.slow
def test_gateways_that_are_killed_over_and_over_on_one_store_lose_nothing_that_was_due(
    tmp_path: Path, numbers: Keep
) -> None:
    moments = random.Random(8)
    first = 0
    for _ in range(8):
        seconds = moments.uniform(0, 1.5)
        due, most = killed_gateway(tmp_path / "state", tmp_path / "times", first, seconds)
        first += assert_kept(numbers(tmp_path / "state"), first, due, most)
    assert numbers(tmp_path / "state") == Counter(range(first))
