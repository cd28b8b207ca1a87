"""What the schemes of a mark cost, leave open, show, bear and give away: prints seven tables.

    python -m benchmarks.watermark.schemes [--seed 0]

The 'model' is simulated: fixed random logits for the next of 1,000 tokens after each, sampled at
temperature 1 among the 64 likeliest. Drafts of a selection are drawn from it too. Speeds are
processor time of one thread on random logits; p-values are medians over texts, each under a key of
its own, but for the forgery.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.watermark.__main__ import head, row
from benchmarks.watermark.sampling import ROUNDS, logits_of
from benchmarks.watermark.timing import cpu_seconds
from stillwatch.watermark import (
    GatedMark,
    GreenListMark,
    GumbelMark,
    History,
    KeyRing,
    Mark,
    SelectionMark,
    TournamentMark,
    detect,
    sample_rows,
)
from stillwatch.watermark.prf import SGLANG

__all__ = [
    "LENGTH", "SPREAD", "TEXTS", "TOP_K", "VOCABULARY", "Floats", "Int64s", "Logits", "chances_of",
    "divergence", "evidence", "main", "write",
]  # fmt: skip

Floats = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]
Logits = npt.NDArray[np.float32]
Make = Callable[[KeyRing, str], Any]

VOCABULARY, TOP_K, SPREAD = 1_000, 64, 6.0
TEXTS, LENGTH = 24, 200
LAYERS = (1, 4, 8, 16, 30)
LENGTHS, EDITED, CHOICES, REPLIES = (
    (50, 100, 200, 400),
    (0, 0.1, 0.25, 0.5),
    (5, 20, 80),
    (10, 1_000),
)

SCHEMES: dict[str, Make] = {
    "Gumbel-max, h = 1": lambda ring, c: GumbelMark(ring.key(c)),
    "Gumbel-max, h = 4": lambda ring, c: GumbelMark(ring.key(c), 4),
    "tournament, h = 1": lambda ring, c: TournamentMark(ring.key(c, "tournament")),
    "tournament, h = 4": lambda ring, c: TournamentMark(ring.key(c, "tournament"), 4),
    "tournament, h = 1, all layers alike": lambda ring, c: TournamentMark(
        ring.key(c, "tournament"), weighted=False
    ),
    "tournament, h = 1, 8 layers": lambda ring, c: TournamentMark(
        ring.key(c, "tournament"), layers=8
    ),
    "green list, h = 1, δ = 1": lambda ring, c: GreenListMark(ring.key(c, "green-list"), delta=1.0),
    "green list, h = 1, δ = 2": lambda ring, c: GreenListMark(ring.key(c, "green-list")),
    "green list, h = 4, δ = 2": lambda ring, c: GreenListMark(ring.key(c, "green-list"), 4),
    "green list, h = 1, δ = 4": lambda ring, c: GreenListMark(ring.key(c, "green-list"), delta=4.0),
}


def write(
    model: Logits, marks: Sequence[Mark | None], length: int, rng: np.random.Generator
) -> Int64s:
    """One reply a mark, int64 [marks, length]; the token before each is drawn at random."""
    width = max((mark.context for mark in marks if mark is not None), default=1)
    text = np.full((len(marks), width + length), -1, np.int64)
    text[:, width - 1] = rng.integers(0, VOCABULARY, len(marks))
    histories = [History() for _ in marks]
    for at in range(width, width + length):
        text[:, at] = sample_rows(
            marks, model[text[:, at - 1]], text[:, at - width : at], histories=histories,
            top_k=TOP_K, rng=rng,
        )  # fmt: skip
    return text[:, width:]


def evidence(tokens: Int64s, mark: Any, *, once: Any = "context") -> float:
    """log10 p, 0 where nothing can be said."""
    [found] = detect(tokens, [mark], decoys=0, once=once)
    return 0.0 if found.log10_p is None else found.log10_p


def chances_of(model: Logits) -> Floats:
    """Of the next token after each, cut to the top k."""
    kth = np.sort(model, axis=1)[:, -TOP_K, None]
    weights = np.where(
        model >= kth, np.exp(model.astype(np.float64) - model.max(axis=1, keepdims=True)), 0
    )
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def divergence(mark: Mark, chances: Floats) -> float:
    """Mean KL divergence, nats a token, of what one key samples from what the model says."""
    if not isinstance(mark, GreenListMark):
        return 0.0
    each = []
    for context, plain in enumerate(chances[:200]):
        tokens = np.flatnonzero(plain)
        green = mark.scores(np.full((len(tokens), mark.context), context), tokens)
        tilted = plain[tokens] * np.exp(mark.delta * green)
        tilted /= tilted.sum()
        each.append(float((tilted * np.log(tilted / plain[tokens])).sum()))
    return float(np.mean(each))


def speeds(ring: KeyRing, rng: np.random.Generator) -> None:
    """What a token, and a choice, costs."""
    head("µs a token on one core, V=128k, B=32", "top 64", "whole vocabulary")
    logits, nowhere = logits_of(32, 128_000), np.full((32, 1), 5)
    for name, mark in (
        ("Gumbel-max", GumbelMark(ring.key("a"))),
        ("Gumbel-max, SGLang's function", GumbelMark(ring.key("a"), prf=SGLANG)),
        ("tournament", TournamentMark(ring.key("a"))),
        ("Gumbel-max behind a gate", GatedMark(GumbelMark(ring.key("a")), 0.5)),
        ("green list", GreenListMark(ring.key("a"))),
    ):
        work = [partial(mark.sample, logits, nowhere, top_k=k, rng=rng) for k in (TOP_K, None)]
        row(name, *(f"{cpu_seconds(some, ROUNDS) / 32 * 1e6:.0f}" for some in work))
    head(f"ms a choice among texts of {LENGTH} words", "n = 4", "n = 16")
    words, chooser = [f"word{i}" for i in range(5_000)], SelectionMark(ring.key("a"))
    drafts = [[" ".join(rng.choice(words, LENGTH)) for _ in range(n)] for n in (4, 16)]
    took = [cpu_seconds(partial(chooser.choose, some, rng=rng), ROUNDS) for some in drafts]
    row("selection", *(f"{seconds * 1e3:.1f}" for seconds in took))


def lengths(ring: KeyRing, model: Logits, rng: np.random.Generator) -> None:
    """What a text shows, and what the scheme did to the model's distribution."""
    chances = chances_of(model)
    head("log10 p of a text", *(f"{n} tokens" for n in LENGTHS), "KL from the model")
    for name, make in SCHEMES.items():
        marks = [make(ring, f"c-{i}") for i in range(TEXTS)]
        texts = write(model, marks, max(LENGTHS), rng)
        found = [
            np.median([evidence(t[:n], m) for t, m in zip(texts, marks, strict=True)])
            for n in LENGTHS
        ]
        row(name, *(f"{p:.1f}" for p in found), f"{divergence(marks[0], chances):.3f}")


def variety(chances: Floats, rng: np.random.Generator) -> None:
    """What is left to chance once key and context are given; of Gumbel-max it is nothing."""
    head("layers of a tournament", *(str(layers) for layers in LAYERS))
    left = []
    for layers in LAYERS:
        nats = []
        for plain in chances[:300]:
            p = plain[plain > 0]
            for _ in range(layers):
                bits = rng.integers(0, 2, len(p))
                p = p * (1 + bits - p @ bits)
            p = p[p > 0]
            nats.append(-(p * np.log(p)).sum())
        left.append(f"{np.mean(nats):.2f}")
    row("nats left to chance under one key", *left)


def selections(ring: KeyRing, model: Logits, rng: np.random.Generator) -> None:
    """What many choices show together."""
    head("selection, log10 p of texts of 60 tokens together", *(f"{c} choices" for c in CHOICES))
    for n in (2, 4, 8, 16):
        found = []
        for i in range(8):
            mark = SelectionMark(ring.key(f"s-{i}", "selection"))
            drafts = write(model, [None] * (max(CHOICES) * n), 60, rng).reshape(-1, n, 60)
            sent = [some[mark.choose(list(some), rng=rng)] for some in drafts]
            found.append([evidence(np.concatenate(sent[:c]), mark, once="pair") for c in CHOICES])
        row(f"n = {n}", *(f"{p:.1f}" for p in np.median(found, axis=0)))


def removal(ring: KeyRing, model: Logits, rng: np.random.Generator) -> None:
    """What is left of the mark in a text that was edited."""
    head(
        f"log10 p of {LENGTH} tokens, some replaced at random",
        *(f"{share:.0%}" for share in EDITED),
    )
    for name, make in SCHEMES.items():
        marks = [make(ring, f"r-{i}") for i in range(TEXTS)]
        texts = write(model, marks, LENGTH, rng)
        found = []
        for share in EDITED:
            lost = rng.random(texts.shape) < share
            edited = np.where(lost, rng.integers(0, VOCABULARY, texts.shape), texts)
            found.append(np.median([evidence(t, m) for t, m in zip(edited, marks, strict=True)]))
        row(name, *(f"{p:.1f}" for p in found))


def forgery(ring: KeyRing, model: Logits, rng: np.random.Generator) -> None:
    """What a thief can write who has replies under one key, knows the model, and has no key."""
    head(
        f"log10 p of {LENGTH} forged tokens, thief saw",
        *(f"{n * LENGTH:,} tokens" for n in REPLIES),
    )
    chances = chances_of(model)
    for name, make in SCHEMES.items():
        mark = make(ring, "victim")
        seen = write(model, [mark] * max(REPLIES), LENGTH, rng)
        found = []
        for replies in REPLIES:
            some = seen[:replies]
            counts = np.zeros((VOCABULARY, VOCABULARY))
            np.add.at(counts, (some[:, :-1].ravel(), some[:, 1:].ravel()), 1)
            usual = counts.sum(axis=1, keepdims=True) * chances
            surplus = (counts - usual) / np.sqrt(usual + 0.1)
            tries = [evidence(forged(surplus, chances, rng), mark) for _ in range(8)]
            found.append(np.median(tries))
        row(name, *(f"{p:.1f}" for p in found))


def forged(surplus: Floats, chances: Floats, rng: np.random.Generator) -> Int64s:
    """After each token that which came too often, of what the model may say; no pair twice."""
    text = [int(rng.integers(VOCABULARY))]
    left = np.where(chances > 0, surplus + rng.random(surplus.shape) * 1e-6, -np.inf)
    for _ in range(LENGTH):
        said = int(left[text[-1]].argmax())
        left[text[-1], said] = -np.inf
        left[:, said] -= 0.3  # on to where the text has not been
        text.append(said)
    return np.array(text)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seed", type=int, default=0)
    rng = np.random.default_rng(parser.parse_args().seed)
    ring = KeyRing(bytes(range(32)), "benchmark")
    model = rng.normal(0, SPREAD, (VOCABULARY, VOCABULARY)).astype(np.float32)
    chances = chances_of(model)
    nats = -(chances * np.log(np.where(chances > 0, chances, 1))).sum(axis=1)
    speeds(ring, rng)
    print(f"\nThe simulated model has {nats.mean():.2f} nats a token.")
    variety(chances, np.random.default_rng(0))
    for table in (lengths, selections, removal, forgery):
        table(ring, model, rng)


if __name__ == "__main__":
    main()
