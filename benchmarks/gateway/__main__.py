"""What the gateway costs, against nginx in front of the same model servers, in one run.

    python -m benchmarks.gateway [--quick] [--litellm VENV]

`stillwatch serve` does all of its work: it reads each request, finds its key among 100,000, decides
with ten rules, reserves three limits, checks the answer against the caller's surface, and has every
exchange sketched and written. Measured are whole answers, streams, decisions with thirty rules,
memory, and how late exchanges are on the disk. The run fails if an exchange is missing there.

Everything is on loopback, in a temporary folder that is removed; nothing else may be running. The
table on standard output is for ``docs/benchmarks/gateway.md``.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks.gateway.asking import write_requests
from benchmarks.gateway.children import Child
from benchmarks.gateway.deciding import decisions
from benchmarks.gateway.lag import commit_lag
from benchmarks.gateway.litellm_proxy import LiteLLM, program_of
from benchmarks.gateway.nginx import fixed_answers, proxy
from benchmarks.gateway.plan import FULL, QUICK, Cores, Plan, cores
from benchmarks.gateway.streams import stream_all
from benchmarks.gateway.subject import Subject
from benchmarks.gateway.table import Table, told
from benchmarks.gateway.whole import Contender, compare

_PACKAGES = {"nginx": "nginx-light", "wrk": "wrk"}


def missing(litellm: Path | None) -> str | None:
    """What must be installed before anything can be measured, if something must."""
    lacking = [package for program, package in _PACKAGES.items() if shutil.which(program) is None]
    if lacking:
        return f"install the Debian packages: {' '.join(lacking)}"
    if litellm is not None and not program_of(litellm).exists():
        return f"{program_of(litellm)} is missing: install litellm[proxy] in {litellm}"
    return None


def say(words: str) -> None:
    """Tell whoever waits how far it is; the table alone goes to standard output."""
    print(words, file=sys.stderr, flush=True)


def measure(folder: Path, plan: Plan, at: Cores, litellm: Path | None) -> tuple[Table, int]:
    """The table, and how many requests were refused.

    Raises:
        RuntimeError: a part does not run, or an exchange is not on the disk.
    """
    table = Table()
    with ExitStack() as stack:
        say("starting")
        fixed = stack.enter_context(fixed_answers(folder, core=at.load))
        paced = stack.enter_context(
            Child(
                [sys.executable, "-m", "benchmarks.gateway.paced",
                 "--events", str(plan.events), "--pace", str(plan.pace)],
                folder / "paced.log", core=at.load,
            )
        )  # fmt: skip
        fixed.wait()
        streams_port = int(paced.said("port ").split()[1])
        nginx = stack.enter_context(proxy(folder, fixed.ports[0], streams_port, core=at.proxies))
        subject = stack.enter_context(
            Subject(folder, plan.keys, fixed.ports[0], streams_port, core=at.proxies)
        )
        nginx.wait()
        subject.wait()
        at_start = subject.memory()
        requests = folder / "requests.tsv"
        write_requests(requests, plan, subject.secrets)

        ours = Contender("stillwatch", subject, subject.port, subject.drain)
        others = [Contender("nginx", nginx, nginx.ports[0])]
        if litellm is not None:
            other = stack.enter_context(LiteLLM(litellm, folder, fixed.ports[0], core=at.proxies))
            other.wait()
            others.append(Contender(f"LiteLLM {other.version}", other, other.port))

        say("whole answers")
        refused = compare(plan, [ours, *others], requests)
        table.whole(ours, others)
        say("streams")
        table.streams(
            *stream_all(
                plan,
                [
                    ours,
                    Contender("nginx", nginx, nginx.ports[1]),
                    Contender("no proxy", paced, streams_port),
                ],
                subject.secrets,
            )
        )
        say("commit lag")
        saturated = statistics.median(each.rate for each in ours.rounds)
        table.lag(commit_lag(plan, subject, ours, requests, saturated), saturated)
        kept = subject.drain()
        table.memory(plan.keys, at_start, subject.memory(), subject.memory("VmHWM"))
        if status := subject.end():
            raise RuntimeError(f"the gateway ended with status {status}")
    check(ours, kept, subject.rows())
    say("decisions")
    table.decisions(decisions(plan.decisions))
    return table, refused


def check(ours: Contender, kept: int, rows: int) -> None:
    """Every exchange is on the disk, once.

    wrk closes its connections when time is up, so a request may be kept whose answer it never saw;
    none may be missing that was answered.

    Raises:
        RuntimeError: it is not so.
    """
    if not ours.answered <= rows <= ours.sent or rows != kept:
        raise RuntimeError(
            f"{ours.answered:,} requests were answered and {ours.sent:,} sent, the gateway says "
            f"that it kept {kept:,}, and {rows:,} exchanges are on the disk"
        )
    say(f"{rows:,} exchanges on the disk, of {ours.answered:,} answered requests: none is missing")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="only that every part runs")
    parser.add_argument("--litellm", type=Path, metavar="VENV", help="measure it too, from there")
    asked = parser.parse_args()
    if lacking := missing(asked.litellm):
        say(lacking)
        return 2
    plan, at, load_before = QUICK if asked.quick else FULL, cores(), os.getloadavg()[0]
    os.sched_setaffinity(0, {at.load})
    with tempfile.TemporaryDirectory(prefix="gateway-benchmark-") as folder:
        table, refused = measure(Path(folder), plan, at, asked.litellm)
    print(f"{told(plan, at, load_before, refused)}\n\n{table}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
