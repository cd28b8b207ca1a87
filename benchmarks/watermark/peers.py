"""What others take for the same work, measured in an environment of their own; prints JSON.

    VENV/bin/python benchmarks/watermark/peers.py [--vllm WHEEL]

Needs torch and numpy; transformers, synthid-text and textseal are measured where they are installed
(the latter two with --no-deps, besides immutabledict, nltk and rouge-score). With a wheel of vLLM,
its CPU reference path is measured too: of the wheel only the watermark's own modules are run (see
``tools/make_vllm_vectors.py``).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from processors import detectors, samplers

BATCH, ROUNDS, DETECTED = 32, 7, 5_000


def microseconds(work: Callable[[], object], rows: int, rounds: int = ROUNDS) -> float:
    """Of one row: the best of some rounds of processor time, on one thread."""
    work()
    best = float("inf")
    for _ in range(rounds):
        start = time.thread_time()
        work()
        best = min(best, time.thread_time() - start)
    return best / rows * 1e6


def unmarked(vocabulary: int) -> dict[str, float]:
    """Sampling in torch without a mark."""
    values = np.random.default_rng(1).normal(0, 3, (BATCH, vocabulary)).astype(np.float32)
    logits = torch.from_numpy(values)

    def top_50() -> object:
        top, ids = torch.topk(logits, 50, dim=-1)
        return ids.gather(1, torch.multinomial(torch.softmax(top, -1), 1))

    def whole() -> object:
        return torch.multinomial(torch.softmax(logits, -1), 1)

    return {
        f"torch top-50 + multinomial, V={vocabulary}": microseconds(top_50, BATCH),
        f"torch softmax + multinomial, V={vocabulary}": microseconds(whole, BATCH),
    }


def vllm(wheel: Path, vocabulary: int) -> dict[str, float]:
    """vLLM's CPU reference: sampling one row, and detection of 5,000 tokens."""
    sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
    from make_vllm_vectors import load

    with tempfile.TemporaryDirectory() as folder:
        gumbel, _ = load(wheel, Path(folder))
        rng = np.random.default_rng(1)
        logits = torch.from_numpy(rng.normal(0, 3, (1, vocabulary)).astype(np.float32))
        contexts = torch.from_numpy(rng.integers(0, vocabulary, (1, 4)))
        marker = gumbel.GumbelWatermarker(5, 4)
        text = rng.integers(0, vocabulary, 5_000).tolist()
        detector = gumbel.GumbelWatermarkDetector(5, 4)
        return {
            f"vLLM CPU reference, whole vocabulary, B=1, V={vocabulary}": microseconds(
                lambda: marker._sample_watermarked(logits, contexts), 1, 3
            ),
            f"vLLM detector, a token of 5,000, V={vocabulary}": microseconds(
                lambda: detector.detect(text), len(text), 3
            ),
        }


def main() -> None:
    """Print microseconds by name."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--vllm", type=Path)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    found = {**unmarked(32_000), **unmarked(128_000)}
    for batch in (1, BATCH):
        for name, work, rounds in samplers(128_000, batch):
            found[name] = microseconds(work, batch, rounds)
    for name, work, rounds in detectors(128_000, DETECTED):
        length = int(name.rsplit(" ", 1)[1])
        found[name] = microseconds(work, length, rounds)
    if asked.vllm:
        found |= vllm(asked.vllm, 128_000)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
