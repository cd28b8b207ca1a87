"""What was measured, as a Markdown table with everything that is needed to measure it again."""

from __future__ import annotations

import os
import platform
import shlex
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.gateway.deciding import Took
from benchmarks.gateway.lag import Lag
from benchmarks.gateway.plan import SEED, Cores, Plan
from benchmarks.gateway.streams import Streamed
from benchmarks.gateway.whole import Contender

__all__ = ["Table", "told"]


class Table:
    """Lines of one table, in the order in which they are added."""

    def __init__(self) -> None:
        self._lines = [
            "| | target | gateway | other | gateway / other |",
            "|---|---|---|---|---|",
        ]

    def __str__(self) -> str:
        return "\n".join(self._lines)

    def whole(self, ours: Contender, others: Sequence[Contender]) -> None:
        """Whole answers, a line for each of the others and each way to count."""
        for other in others:
            target = "≥ 0.25" if other is others[0] else ""
            self._compared(
                f"whole answers a second of processor time, against {other.name}", target,
                [each.per_cpu_second for each in ours.rounds],
                [each.per_cpu_second for each in other.rounds], "{:,.0f}",
            )  # fmt: skip
            mine, theirs = (
                statistics.median(each.busy for each in one.rounds) for one in (ours, other)
            )
            self._compared(
                f"whole answers a second on one core (busy {mine:.0%}), against {other.name} "
                f"(busy {theirs:.0%})", "",
                [each.rate for each in ours.rounds],
                [each.rate for each in other.rounds], "{:,.0f}",
            )  # fmt: skip

    def streams(self, ours: Streamed, nginx: Streamed, direct: Streamed) -> None:
        """Streams, against nginx; and how long the first event takes without a proxy."""
        self._compared(
            "streams: processor time an event, µs, against nginx", "≤ 1.8",
            [each * 1e6 for each in ours.cpu_per_event],
            [each * 1e6 for each in nginx.cpu_per_event], "{:.1f}",
        )  # fmt: skip
        for share, target in ((0.5, ""), (0.99, "≤ 1.25")):
            mine, theirs, bare = (
                _quantile(each.first, share) * 1e3 for each in (ours, nginx, direct)
            )
            self._add(
                f"streams: first event p{share * 100:.0f}, ms, against nginx "
                f"(without a proxy {bare:.1f})",
                target, f"{mine:.1f}", f"{theirs:.1f}", f"{mine / theirs:.2f}",
            )  # fmt: skip

    def decisions(self, took: Sequence[Took]) -> None:
        """Microseconds of decisions."""
        for what, median, p99 in took:
            self._add(
                f"`decide`, 30 rules, {what}: median (p99), µs", "≤ 50",
                f"{median:.1f} ({p99:.1f})", "", "",
            )  # fmt: skip

    def memory(self, keys: int, at_start: float, at_end: float, most: float) -> None:
        """Megabytes of the gateway's process."""
        self._add(
            f"resident memory with {keys:,} keys, when it serves / after all load (most), MB",
            "≤ 150", f"{at_start:.0f} / {at_end:.0f} ({most:.0f})", "", "",
        )  # fmt: skip

    def lag(self, lag: Lag, saturated: float) -> None:
        """Milliseconds until exchanges are on the disk."""
        self._add(
            f"commit lag p50 / p99 at {lag.rate:,.0f} requests/s "
            f"({lag.rate / saturated:.0%} of the saturated rate), ms", "",
            f"{lag.p50 * 1e3:.0f} / {lag.p99 * 1e3:.0f}", "", "",
        )  # fmt: skip

    def _compared(
        self, what: str, target: str, ours: Sequence[float], theirs: Sequence[float], form: str
    ) -> None:
        """Medians with the least and the largest; ratios are those of rounds that follow."""
        ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
        cells = (_spread(ours, form), _spread(theirs, form), _spread(ratios, "{:.2f}"))
        self._add(what, target, *cells)

    def _add(self, *cells: str) -> None:
        self._lines.append(f"| {' | '.join(cells)} |")


def told(plan: Plan, cores: Cores, load_before: float, refused: int) -> str:
    """The paragraph above the table."""
    where = (
        "proxies on one core, the model server and the load on another"
        if cores.apart
        else "**everything on one core**"
    )
    return "\n".join(
        (
            f"`{' '.join(['python', '-m', 'benchmarks.gateway', *map(shlex.quote, sys.argv[1:])])}`"
            f", {time.strftime('%Y-%m-%d', time.gmtime())}. Machine: {os.cpu_count()} cores "
            f"({_processor()}), Python {platform.python_version()}, {_nginx()}, load "
            f"{load_before:.1f} before; {where}.",
            f"Whole answers: {plan.requests:,} different requests of {plan.words} words, answers "
            f"of 1 kB, {plan.connections} connections, {plan.rounds} rounds of "
            f"{plan.seconds:g} s each in turn; ten rules, three limits, {plan.keys:,} keys; "
            f"{refused:,} refused. Streams: {plan.streams} at a time, {plan.events} events "
            f"{plan.pace * 1e3:g} ms apart and the usage, {plan.repeats} times in each of "
            f"{plan.rounds} rounds. Processor time is that of the gateway and its writer until "
            f"every exchange is on the disk. Medians (least to largest of the rounds). "
            f"Seed {SEED}.",
        )
    )


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _nginx() -> str:
    said = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=True).stderr
    return said.strip().rpartition(" ")[2].replace("/", " ")


def _spread(values: Sequence[float], form: str) -> str:
    middle = form.format(statistics.median(values))
    if len(values) == 1:
        return middle
    return f"{middle} ({form.format(min(values))} to {form.format(max(values))})"


def _quantile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]
