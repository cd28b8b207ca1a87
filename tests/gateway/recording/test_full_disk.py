"""A full disk: said, waited out, and nothing is lost; the gateway is told to serve no more."""

from __future__ import annotations

import resource
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stillwatch.errors import StorageError
from stillwatch.gateway.recording import Recorder

Keep = Callable[..., Any]


def limit_files(recorder: Recorder, size: int) -> None:
    """Let the writer write no file beyond `size` bytes, which any user may ask for."""
    assert recorder.writer_pid is not None
    _, most = resource.prlimit(recorder.writer_pid, resource.RLIMIT_FSIZE)
    resource.prlimit(recorder.writer_pid, resource.RLIMIT_FSIZE, (size, most))


@pytest.mark.slow
def test_a_disk_that_takes_nothing_is_a_problem_and_what_waits_is_kept_when_it_does(
    tmp_path: Path, run: Keep, exchange: Keep, numbers: Keep, eventually: Keep
) -> None:
    async def gateway() -> None:
        recorder = Recorder(tmp_path, most_rows=200)
        await recorder.start()
        for n in range(50):
            recorder.record(exchange(n))
        await recorder.drain()
        limit_files(recorder, 1)
        for n in range(50, 250):
            recorder.record(exchange(n))
        await eventually(lambda: recorder.problem)
        assert "hot.sqlite" in recorder.problem
        assert not recorder.healthy
        assert not recorder.room()
        limit_files(recorder, resource.RLIM_INFINITY)
        await recorder.wait_for_room()
        for n in range(250, 300):
            recorder.record(exchange(n))
        await recorder.drain()
        assert recorder.problem is None
        await recorder.close()

    run(gateway)
    assert numbers(tmp_path) == Counter(range(300))


@pytest.mark.slow
def test_a_gateway_that_ends_meanwhile_says_so_and_the_writer_goes_on_trying(
    tmp_path: Path, run: Keep, exchange: Keep, numbers: Keep, eventually: Keep
) -> None:
    async def gateway() -> None:
        recorder = Recorder(tmp_path)
        await recorder.start()
        limit_files(recorder, 1)
        pid = recorder.writer_pid
        for n in range(50):
            recorder.record(exchange(n))
        with pytest.raises(StorageError, match=rf"50 exchanges .*hot\.sqlite.*process {pid} has"):
            await recorder.close(patience=1)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        await eventually(lambda: sum(numbers(tmp_path).values()) == 50)

    run(gateway)


@pytest.mark.service
def test_a_full_disk_loses_nothing(
    tmp_path: Path, run: Keep, exchange: Keep, numbers: Keep, eventually: Keep
) -> None:
    """On a file system of four megabytes (a tmpfs; mounting it needs root)."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk], check=True)

    async def gateway() -> None:
        recorder = Recorder(disk / "state", most_rows=1_000)
        await recorder.start()
        sent = 0
        while recorder.problem is None:
            if recorder.room():
                recorder.record(exchange(sent))
                sent += 1
            await eventually(lambda: recorder.room() or recorder.problem)
        assert "the disk is full" in recorder.problem
        while recorder.room():
            recorder.record(exchange(sent))
            sent += 1
        subprocess.run(["mount", "-o", "remount,size=40m", disk], check=True)
        await recorder.close()
        assert numbers(disk / "state") == Counter(range(sent))

    try:
        run(gateway)
    finally:
        subprocess.run(["umount", disk], check=True)
