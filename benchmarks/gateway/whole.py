"""Whole answers: what a request costs ours and nginx, each as fast as it can, in turn."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from benchmarks.gateway.children import Child
from benchmarks.gateway.plan import Plan

__all__ = ["Contender", "Load", "Round", "compare", "loaded"]

_SCRIPT = Path(__file__).with_name("load.lua")
_MARK = "RESULT "
_ATTEMPTS = 10  # a machine may be so busy that nothing is answered in time


class Load(msgspec.Struct, frozen=True):
    """What wrk saw. `refused` are answers with a status of 400 or more; latencies in µs."""

    sent: int
    answered: int
    refused: int
    failed: int
    microseconds: int
    p50: int
    p99: int

    @property
    def rate(self) -> float:
        """Good answers a second."""
        return (self.answered - self.refused) / self.microseconds * 1e6


@dataclass
class Round:
    """One round of one contender: good answers a second of the clock, and of processor time;
    and the share of its core that it used while wrk asked, with what was left to do after."""

    rate: float
    per_cpu_second: float
    busy: float


@dataclass
class Contender:
    """A proxy and its port. `drain` waits until it has done everything that requests left to do."""

    name: str
    child: Child
    port: int
    drain: Callable[[], object] = lambda: None
    sent: int = 0
    answered: int = 0
    rounds: list[Round] = field(default_factory=list)


def loaded(
    contender: Contender, requests: Path, *, connections: int, seconds: float, pause: float = 0.0
) -> Load:
    """Let wrk ask for so long, from the cores of this process. `pause` is in milliseconds.

    Raises:
        RuntimeError: wrk failed, or a request did.
    """
    command = ["wrk", "--threads", "1", "--connections", str(connections),
               "--duration", f"{max(1, round(seconds))}s", "--timeout", "60s",
               "--script", str(_SCRIPT), f"http://127.0.0.1:{contender.port}",
               "--", str(requests), str(pause)]  # fmt: skip
    for _ in range(_ATTEMPTS):
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        lines = [line for line in said.splitlines() if line.startswith(_MARK)]
        load = msgspec.json.decode(lines[-1].removeprefix(_MARK), type=Load)
        contender.sent += load.sent
        contender.answered += load.answered - load.refused
        if load.failed:
            raise RuntimeError(f"{contender.name}: {load.failed} requests failed:\n{said}")
        if load.answered > load.refused:
            return load
    raise RuntimeError(f"{contender.name}: no request was answered:\n{said}")


def compare(plan: Plan, contenders: Sequence[Contender], requests: Path) -> int:
    """Rounds of all contenders in turn, in the other order every other time.

    Processor time is counted from before the load until :attr:`Contender.drain` returns. How many
    requests were refused is returned; they count as not answered.
    """
    refused = 0
    for contender in contenders:
        loaded(contender, requests, connections=plan.connections, seconds=plan.warming)
        contender.drain()
    for number in range(plan.rounds):
        for contender in contenders if number % 2 == 0 else tuple(reversed(contenders)):
            before = contender.child.cpu()
            load = loaded(contender, requests, connections=plan.connections, seconds=plan.seconds)
            contender.drain()
            used = max(contender.child.cpu() - before, 0.01)
            good = load.answered - load.refused
            busy = used / load.microseconds * 1e6
            contender.rounds.append(Round(load.rate, good / used, busy))
            refused += load.refused
    return refused
