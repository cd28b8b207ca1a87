"""What the mark costs, and how fast it is found.

    python -m benchmarks.watermark [--peers VENV] [--vllm WHEEL]

Sampling is processor time of one thread, so that a busy machine matters little. Detection goes over
all cores: units a second on the clock and, in brackets, a second of processor time. With an
environment that has torch, others are measured for the same work in the same run. The tables on
standard output are for ``docs/benchmarks/watermark.md``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
from pathlib import Path

from benchmarks.watermark.detecting import scored_a_second, tokens_a_second, windows_a_second
from benchmarks.watermark.finding import LENGTHS, SPREADS, found
from benchmarks.watermark.sampling import microseconds, mixed_batch

PHILOX, PREMIX = "philox4x32-10-v1", "premix-v1"


def row(*cells: object) -> None:
    """One line of a table."""
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def head(*cells: str) -> None:
    """The first two lines of a table."""
    print()
    row(*cells)
    row(*("---" for _ in cells))


def sampling() -> float:
    """The table of samplers; gives the microseconds of the one that has a target."""
    head(
        "sampling, µs a token on one core",
        "V=32k, B=1",
        "V=32k, B=32",
        "V=128k, B=1",
        "V=128k, B=32",
    )
    shapes = [(32_000, 1), (32_000, 32), (128_000, 1), (128_000, 32)]
    target = 0.0
    for name, top_k, prf in (
        ("unmarked, top 64", 64, None), ("Gumbel, Philox, top 64", 64, PHILOX),
        ("Gumbel, premix, top 64", 64, PREMIX), ("Gumbel, Philox, whole vocabulary", None, PHILOX),
        ("Gumbel, premix, whole vocabulary", None, PREMIX),
    ):  # fmt: skip
        said = [microseconds(v, b, top_k, prf) for v, b in shapes]
        row(name, *(f"{value:.0f}" for value in said))
        if (top_k, prf) == (64, PHILOX):
            target = said[-1]
    row("a key a row, a quarter unmarked, histories, top 64", "", f"{mixed_batch(32_000, 32):.0f}",
        "", f"{mixed_batch(128_000, 32):.0f}")  # fmt: skip
    return target


def detecting() -> None:
    """The tables of detection: units a second on the clock, and a second of one core."""
    head("one key, tokens/s from text to p-value", "1,000 tokens", "100,000", "10 million")
    lengths = (1_000, 100_000, 10_000_000)
    for context in (1, 4):
        for prf in (PHILOX, PREMIX):
            said = [tokens_a_second(length, context, prf) for length in lengths]
            row(f"{prf}, context {context}", *said)
    row("of that, windows told apart, context 4", *(windows_a_second(n, 4) for n in lengths))
    head("token·keys/s, context 4", "one key, 1 million windows", "1,000 keys, 30,000 windows")
    for prf in (PHILOX, PREMIX):
        for green in (False, True):
            said = [
                scored_a_second(1_000_000, 1, prf, green=green),
                scored_a_second(30_000, 1_000, prf, green=green),
            ]
            row(f"{prf}, {'green words counted' if green else 'Gumbel scores summed'}", *said)


def finding() -> None:
    """The table of how surely a text is found."""
    head("found with p ≤ 10^-6, nats a token", *(f"{length} tokens" for length in LENGTHS))
    for spread in SPREADS:
        entropy, shares = found(spread)
        row(f"{entropy:.2f}", *(f"{share:.0%}" for share in shares))


def peers(venv: Path, wheel: Path | None, ours: float) -> None:
    """The table of others, measured now."""
    asked = [str(venv / "bin" / "python"), str(Path(__file__).with_name("peers.py"))]
    if wheel is not None:
        asked += ["--vllm", str(wheel)]
    said = subprocess.run(asked, check=True, capture_output=True, text=True).stdout
    head("others, one thread", "µs", "ours (Philox, top 64, V=128k, B=32) takes")
    for name, value in json.loads(said).items():
        relative = "" if "V=32000" in name or "detector" in name else f"{ours / value:.2g} of it"
        row(name, f"{value:.1f}" if value < 10 else f"{value:,.0f}", relative)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--peers", type=Path, help="an environment with torch")
    parser.add_argument("--vllm", type=Path, help="a wheel of vLLM, measured with --peers")
    asked = parser.parse_args()
    ours = sampling()
    detecting()
    finding()
    if asked.peers is not None:
        peers(asked.peers, asked.vllm, ours)
    print(f"\n{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()
