"""Processes of the benchmark: each on its core, with its cost, ended by whoever began it."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

__all__ = ["Child", "free_port", "get"]

_TICKS = os.sysconf("SC_CLK_TCK")
_PATIENCE = 900.0  # seconds to wait for a start or an end: the machine may be a busy one


class Child:
    """A process with all that it starts, in a ``with`` block. Its output goes to the file `log`."""

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        *,
        core: int,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.log = log
        ours = os.sched_getaffinity(0)
        with log.open("wb") as out:
            os.sched_setaffinity(0, {core})  # which the child inherits, before it has threads
            try:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, **(environment or {})},
                )
            finally:
                os.sched_setaffinity(0, ours)
        self.pid = self._process.pid

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    def cpu(self) -> float:
        """Seconds of processor time: of the process, of what it started, and of what has ended."""
        total = 0
        for pid in self._family():
            total += sum(int(field) for field in _stat(pid)[11:15])  # utime stime cutime cstime
        return total / _TICKS

    def memory(self, what: str = "VmRSS") -> float:
        """Megabytes of the process alone: VmRSS now, VmHWM at most."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(what)) * 1.024e-3

    def said(self, words: str) -> str:
        """Wait until a line of its output has `words`; that line.

        Raises:
            RuntimeError: it ended before, or does not come to it.
        """
        limit = time.monotonic() + _PATIENCE
        while time.monotonic() < limit:
            ended = self._process.poll() is not None
            for line in self.log.read_text(errors="replace").splitlines():
                if words in line:
                    return line
            if ended:
                break
            time.sleep(0.02)
        raise RuntimeError(f"it did not say '{words}':\n{self.log.read_text(errors='replace')}")

    def answers(self, url: str) -> None:
        """Wait until it answers a GET request, with whatever status.

        Raises:
            RuntimeError: it ended before, or does not come to it.
        """
        limit = time.monotonic() + _PATIENCE
        while time.monotonic() < limit and self._process.poll() is None:
            try:
                get(url)
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise RuntimeError(f"{url} is not answered:\n{self.log.read_text(errors='replace')}")

    def end(self) -> int:
        """Ask it to end, and wait; its exit status."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        return self._process.returncode

    def _family(self) -> list[int]:
        parents = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and (fields := _stat(int(entry.name))):
                parents[int(entry.name)] = int(fields[1])
        family = [self.pid]
        for pid in family:  # which grows meanwhile
            family += [child for child, parent in parents.items() if parent == pid]
        return family


def _stat(pid: int) -> list[str]:
    """The fields from the third one on; none for a process that is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def free_port() -> int:
    """A port of the loopback interface that nobody listens on just now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def get(url: str) -> str:
    """The body of the answer to a GET request."""
    with urllib.request.urlopen(url, timeout=30) as answer:
        return str(answer.read().decode())
