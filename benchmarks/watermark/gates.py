"""What an entropy gate leaves of a mark, and of its bias: prints one table.

    python -m benchmarks.watermark.gates [--seed 0]

The model is that of ``benchmarks.watermark.schemes``; p-values are medians over texts.
"""

from __future__ import annotations

import argparse

import numpy as np

from benchmarks.watermark.__main__ import head, row
from benchmarks.watermark.schemes import (
    LENGTH,
    SPREAD,
    TEXTS,
    VOCABULARY,
    Floats,
    chances_of,
    evidence,
    write,
)
from stillwatch.watermark import GatedMark, GreenListMark, GumbelMark, KeyRing, Mark

__all__ = ["main"]

FLOORS = (0.0, 0.5, 1.0, 1.5, 2.0)


def gated(mark: Mark, floor: float) -> Mark:
    return GatedMark(mark, floor) if floor else mark


def divergence(mark: GreenListMark, chances: Floats, floor: float) -> float:
    """Mean KL divergence, nats a token; gated contexts have none."""
    each = []
    for context, plain in enumerate(chances):
        tokens = np.flatnonzero(plain)
        p = plain[tokens]
        if -(p * np.log(p)).sum() < floor:
            each.append(0.0)
            continue
        green = mark.scores(np.full((len(tokens), mark.context), context), tokens)
        tilted = p * np.exp(mark.delta * green)
        tilted /= tilted.sum()
        each.append(float((tilted * np.log(tilted / p)).sum()))
    return float(np.mean(each))


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seed", type=int, default=0)
    rng = np.random.default_rng(parser.parse_args().seed)
    ring = KeyRing(bytes(range(32)), "benchmark")
    model = rng.normal(0, SPREAD, (VOCABULARY, VOCABULARY)).astype(np.float32)
    chances = chances_of(model)
    nats = -(chances * np.log(np.where(chances > 0, chances, 1))).sum(axis=1)
    head(
        f"entropy floor, nats; log10 p of {LENGTH} tokens", "contexts gated", "Gumbel-max, h = 1",
        "green list, h = 1, δ = 2", "its KL from the model",
    )  # fmt: skip
    for floor in FLOORS:
        found = []
        for make in (
            lambda c: GumbelMark(ring.key(c)), lambda c: GreenListMark(ring.key(c, "green-list")),
        ):  # fmt: skip
            marks = [gated(make(f"g-{i}"), floor) for i in range(TEXTS)]
            texts = write(model, marks, LENGTH, rng)
            found.append(np.median([evidence(t, m) for t, m in zip(texts, marks, strict=True)]))
        green = GreenListMark(ring.key("g-0", "green-list"))
        row(
            f"{floor:g}", f"{np.mean(nats < floor):.0%}", *(f"{p:.1f}" for p in found),
            f"{divergence(green, chances, floor):.3f}",
        )  # fmt: skip


if __name__ == "__main__":
    main()
