"""How fast a gateway's exchanges get into the event store: rate, lag, processor time, memory.

    python benchmarks/recording.py [--exchanges 400000] [--words 60] [--seconds 30]

First the rate: exchanges are offered as long as there is room. Then the lag at half of that rate,
offered every millisecond, for `--seconds`: from the recording of the oldest exchange of a flush
until the whole flush is on the disk, weighted by exchanges. Texts are random words of a vocabulary
of 5,000, `--words` in the prompt and in the answer each; identity is simulated; seed 7.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from stillwatch.exchange import Message, RawExchange
from stillwatch.gateway.recording import Recorder

_TICKS = os.sysconf("SC_CLK_TCK")


def made(count: int, words: int) -> list[RawExchange]:
    """Exchanges as a gateway of chat completions records them."""
    chance = random.Random(7)
    vocabulary = ["".join(chance.choices("abcdefghijklmnoprstuvw", k=6)) for _ in range(5_000)]

    def text() -> str:
        return " ".join(chance.choices(vocabulary, k=words))

    return [
        RawExchange(
            at=time.time_ns() // 1000,
            account=f"account {chance.randrange(10_000)}",
            org="org",
            key=f"key {chance.randrange(20_000)}",
            messages=(Message("system", "Answer briefly."), Message("user", text())),
            request_id=f"request-{number:012d}",
            channel="api",
            ip=f"10.{chance.randrange(256)}.{chance.randrange(256)}.1",
            user_agent="python-client/1.0",
            model="model",
            endpoint="/v1/chat/completions",
            stream=False,
            temperature=0.7,
            completion=text(),
            finish_reason="stop",
            status=200,
            prompt_tokens=words,
            completion_tokens=words,
            latency_ms=300,
        )
        for number in range(count)
    ]


def used(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory(pid: int, what: str) -> int:
    """Memory of a process in MB: VmRSS now, VmHWM at most."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(what):
            return int(line.split()[1]) // 1024
    return 0


async def offer_all(recorder: Recorder, exchanges: Sequence[RawExchange]) -> None:
    """As fast as there is room."""
    for number, each in enumerate(exchanges):
        if not recorder.room():
            await recorder.wait_for_room()
        recorder.record(each)
        if number % 250 == 0:
            await asyncio.sleep(0)
    await recorder.drain()


async def offer(
    recorder: Recorder, exchanges: Sequence[RawExchange], rate: float, seconds: float
) -> int:
    """At `rate` a second; how many that were."""
    began, sent = time.perf_counter(), 0
    while (passed := time.perf_counter() - began) < seconds:
        while sent < passed * rate:
            recorder.record(exchanges[sent % len(exchanges)])
            sent += 1
        await asyncio.sleep(0.001)
    await recorder.drain()
    return sent


def quantile(lags: list[tuple[int, float]], share: float) -> float:
    """The lag that `share` of the exchanges did not exceed."""
    left = share * sum(rows for rows, _ in lags)
    for rows, lag in sorted(lags, key=lambda each: each[1]):
        left -= rows
        if left <= 0:
            return lag
    return 0.0


async def measure(folder: Path, exchanges: list[RawExchange], seconds: float) -> None:
    lags: list[tuple[int, float]] = []
    recorder = Recorder(folder, on_kept=lambda rows, lag: lags.append((rows, lag)))
    began = time.perf_counter()
    await recorder.start()
    pid = recorder.writer_pid or 0
    print(f"writer ready after {time.perf_counter() - began:.2f} s, {memory(pid, 'VmRSS')} MB")
    await offer_all(recorder, exchanges[:2_000])

    lags.clear()
    clock, ours, theirs = time.perf_counter(), time.process_time(), used(pid)
    await offer_all(recorder, exchanges)
    clock, ours = time.perf_counter() - clock, time.process_time() - ours
    theirs, count = used(pid) - theirs, len(exchanges)
    rate = count / clock
    print(f"saturated: {rate:,.0f} exchanges/s")
    print(f"  processor time per exchange: gateway {ours / count * 1e6:.2f} µs, ", end="")
    print(f"writer {theirs / count * 1e6:.1f} µs ({count / theirs:,.0f}/s of a core)")
    print(f"  lag p50 {quantile(lags, 0.5):.3f} s, p99 {quantile(lags, 0.99):.3f} s, ", end="")
    print(f"most {max(lag for _, lag in lags):.3f} s")

    lags.clear()
    ours, theirs = time.process_time(), used(pid)
    sent = await offer(recorder, exchanges, rate / 2, seconds)
    ours, theirs = time.process_time() - ours, used(pid) - theirs
    print(f"at half of it, {seconds:.0f} s: {sent / seconds:,.0f} exchanges/s")
    print(f"  processor time per exchange: gateway {ours / sent * 1e6:.2f} µs, ", end="")
    print(f"writer {theirs / sent * 1e6:.1f} µs")
    print(
        f"  lag p50 {quantile(lags, 0.5) * 1e3:.0f} ms, p99 {quantile(lags, 0.99) * 1e3:.0f} ms, ",
        end="",
    )
    print(f"most {max(lag for _, lag in lags) * 1e3:.0f} ms")
    print(f"writer: {memory(pid, 'VmRSS')} MB, at most {memory(pid, 'VmHWM')} MB")
    count, record = 100_000, recorder.record
    ours = time.process_time()
    for each in exchanges[:count]:
        record(each)
    ours = time.process_time() - ours
    print(f"record(): {ours / min(count, len(exchanges)) * 1e6:.2f} µs")
    await recorder.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--exchanges", type=int, default=400_000)
    parser.add_argument("--words", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--folder", type=Path, help="where the store is made and removed again")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        asyncio.run(
            measure(Path(folder) / "state", made(asked.exchanges, asked.words), asked.seconds)
        )


if __name__ == "__main__":
    main()
