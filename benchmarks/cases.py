"""How soon gateways obey a verdict, and how many cases a second, for docs/benchmarks/cases.md.

    python -m benchmarks.cases [--gateways 4] [--verdicts 10] [--cases 10000] [--store URL]

Gateways are processes of `stillwatch serve` that share one store (a folder, or `--store` for
PostgreSQL), in front of a model server of one fixed answer. A verdict is proposed and approved by
two people; the clock runs from the call of `approve` until every gateway has refused a request that
each is asked again and again. Everything is on loopback, in a temporary folder that is removed.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec

from stillwatch.access.keys import KeyStore
from stillwatch.cases import Cases, Draft, Finding, Item, Measure, Who, open_cases
from stillwatch.cases.precision import measure
from stillwatch.ledger import Ledger

ANA, BO, SCAN = Who(name="ana"), Who(name="bo"), Who(name="scan", person=False)
LOOKED = Item(kind="counter", text="looked, and found nothing")
DRAFT = Draft(
    verdict="upheld",
    reason="coordinated-extraction",
    summary="a benchmark",
    without_terms="a benchmark",
    measures=(Measure(kind="suspend", lasting=3_600),),
)
ANSWER = json.dumps(
    {
        "id": "x", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{"index": 0, "finish_reason": "stop",
                     "message": {"role": "assistant", "content": "hello"}}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }
).encode()  # fmt: skip
ASKED = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hello"}]})


class _Model(BaseHTTPRequestHandler):
    """Answers everything with the same text."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, *_: object) -> None:
        return


@contextmanager
def model_server() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Model)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def gateway(folder: Path, upstream: str, store: str) -> Iterator[int]:
    """A gateway process; its port."""
    folder.mkdir()
    config, log = folder / "stillwatch.yaml", folder / "log"
    config.write_text(
        "levels:\n  default: {max_tokens: 64}\n"
        f'backends:\n  - {{name: model, url: "{upstream}"}}\n'
        f'gateway: {{keys: "{store}"}}\n'
    )
    words = [sys.executable, "-m", "stillwatch", "serve", "-c", str(config)]
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*words, "--state", str(folder / "state"), "--port", "0"], stderr=out
        )
    try:
        while "serving http" not in (said := log.read_text()):
            if process.poll() is not None:
                raise RuntimeError(f"a gateway did not start: {said}")
            time.sleep(0.05)
        yield int(said.partition("serving http://127.0.0.1:")[2].split()[0])
    finally:
        process.terminate()
        process.wait(60)


def finding(number: int, accounts: Sequence[str]) -> Finding:
    fields = {
        "id": f"c-{number}", "accounts": accounts, "score": 9.0 + number % 100, "level": 0.01,
        "first_seen": "2026-09-01T00:00:00Z", "last_seen": "2026-09-20T00:00:00Z",
        "exchanges": 4_000,
        "evidence": [
            {"family": family, "detection": name, "value": 1.0, "base_rate": 0.001,
             "text": "a benchmark"}
            for family, name in (("content", "echo"), ("time", "load_balance"))
        ],
    }  # fmt: skip
    return msgspec.convert(fields, Finding)


def seconds(do: Callable[[], object]) -> float:
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


def asking(port: int, secret: str) -> Callable[[], int]:
    """Asks a gateway over a connection that is kept; the status."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def ask() -> int:
        headers = {"authorization": f"Bearer {secret}", "content-type": "application/json"}
        connection.request("POST", "/v1/chat/completions", ASKED, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status

    return ask


def until(asks: Sequence[Callable[[], int]], status: int, began: float) -> float:
    """Seconds from `began` until the last of the gateways has answered with a status."""
    last: list[float] = []

    def follow(ask: Callable[[], int]) -> None:
        while ask() != status:
            time.sleep(0.01)
        last.append(time.perf_counter() - began)

    threads = [threading.Thread(target=follow, args=(ask,)) for ask in asks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return max(last)


def obeyed(cases: Cases, store: str, gateways: int, verdicts: int, folder: Path) -> list[str]:
    """Rows about how soon gateways obey."""
    names = [f"acct-{number}" for number in range(verdicts)]
    secrets = {name: KeyStore(cases.database).create(account=name)[0] for name in names}
    refused, served = [], []
    with ExitStack() as stack:
        upstream = stack.enter_context(model_server())
        ports = [
            stack.enter_context(gateway(folder / f"gateway-{n}", upstream, store))
            for n in range(gateways)
        ]
        for number, name in enumerate(names):
            [case] = cases.intake.open([finding(1_000_000 + number, [name])], SCAN).opened
            cases.desk.claim(case, ANA)
            cases.desk.add(case, ANA, LOOKED)
            cases.bench.propose(case, ANA, DRAFT)
            asks = [asking(port, secrets[name]) for port in ports]
            until(asks, 200, time.perf_counter())
            began = time.perf_counter()
            cases.bench.approve(case, BO)
            refused.append(until(asks, 403, began))
            began = time.perf_counter()
            cases.bench.undo(case, BO, "a benchmark")
            served.append(until(asks, 200, began))
    return [
        f"| verdict → refused by {gateways} gateways, median of {verdicts} "
        f"| | {statistics.median(refused):.2f} s |",
        f"| … slowest | ≤ 2 s | {max(refused):.2f} s |",
        f"| undone → served by {gateways} gateways, slowest | ≤ 2 s | {max(served):.2f} s |",
    ]


def worked(cases: Cases, count: int, folder: Path) -> list[str]:
    """Rows about opening, listing, deciding and recording."""
    findings = [finding(n, [f"a-{n}-{k}" for k in range(5)]) for n in range(count)]
    opening = seconds(lambda: cases.intake.open(findings, SCAN))
    again = seconds(lambda: cases.intake.open(findings, SCAN))
    ids: list[str] = []
    listing = seconds(lambda: ids.extend(row.id for row in cases.desk.queue()))
    page = min(seconds(lambda: list(cases.desk.queue(most=200))) for _ in range(5))
    some = ids[:200]

    def decide() -> None:
        for case in some:
            cases.desk.claim(case, ANA)
            cases.desk.add(case, ANA, LOOKED)
            cases.bench.propose(case, ANA, DRAFT)
            cases.bench.approve(case, BO)

    deciding = seconds(decide)
    precision = seconds(lambda: measure(cases.database, time.time()))
    with Ledger.open(folder / "ledger", create=True) as ledger:
        waits = cases.unrecorded()
        telling = seconds(lambda: cases.deliver(ledger))
    return [
        f"| open {count:,} cases of 5 accounts, one report | | {count / opening:,.0f}/s |",
        f"| the same report again, nothing new | | {count / again:,.0f}/s |",
        f"| list {len(ids):,} cases | | {len(ids) / listing:,.0f}/s |",
        f"| the first page of 200 | | {page * 1e3:.1f} ms |",
        "| claim, add, propose, approve with 5 suspensions: four durable transactions "
        f"| | {len(some) / deciding:,.0f} cases/s |",
        f"| precision of {len(some)} decided among {len(ids):,} | | {precision * 1e3:.0f} ms |",
        f"| tell the ledger {waits:,} entries | | {waits / telling:,.0f}/s |",
    ]


def fsyncs(folder: Path) -> float:
    """Durable writes of 4 KiB a second: what the disk itself can do."""
    with (folder / "fsync").open("wb") as file:

        def write() -> None:
            for _ in range(100):
                file.write(b"x" * 4_096)
                file.flush()
                os.fsync(file.fileno())

        return 100 / seconds(write)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--gateways", type=int, default=4)
    parser.add_argument("--verdicts", type=int, default=10)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--store", help="postgresql://host/name of an empty database")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="stillwatch-cases-") as name:
        folder = Path(name)
        store = given.store or str(folder / "store")
        with open_cases(store, create=True) as cases:
            rows = obeyed(cases, store, given.gateways, given.verdicts, folder)
            rows += worked(cases, given.cases, folder)
        rows.append(f"| fsync of 4 KiB, for comparison | | {fsyncs(folder):,.0f}/s |")
    print(f"{'PostgreSQL' if given.store else 'SQLite'}, {os.cpu_count()} processors, "
          f"load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}\n")  # fmt: skip
    print("| what | target | measured |\n|---|---|---|")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
