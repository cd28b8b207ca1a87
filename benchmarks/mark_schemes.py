"""What the schemes of a mark cost, show, bear and give away: prints five tables.

    python benchmarks/mark_schemes.py [--seed 0]

The 'model' is simulated: fixed random logits for the next of 1,000 tokens after each, sampled at
temperature 1 among the 64 likeliest. Candidates of a selection are drawn from it too. Speeds are
CPU time of one thread on random logits; p-values are medians over texts, each under its own key.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from stillwatch.watermark import (
    Detection,
    GreenListMark,
    GumbelMark,
    History,
    KeyRing,
    Mark,
    SelectionMark,
    detect,
    sample_rows,
    sample_unmarked,
    word_ids,
)
from stillwatch.watermark.mark import Floats, Int64s, Logits

VOCABULARY, TOP_K, SPREAD = 1_000, 64, 2.0
TEXTS, LENGTH = 24, 200
Make = Callable[[KeyRing, str], Any]

SCHEMES: dict[str, Make] = {
    "Gumbel-max, h = 1": lambda ring, c: GumbelMark(ring.key(c)),
    "Gumbel-max, h = 4": lambda ring, c: GumbelMark(ring.key(c), 4),
    "green list, h = 1, delta 1": lambda ring, c: GreenListMark(
        ring.key(c, "green-list"), delta=1.0
    ),
    "green list, h = 1, delta 2": lambda ring, c: GreenListMark(ring.key(c, "green-list")),
    "green list, h = 4, delta 2": lambda ring, c: GreenListMark(ring.key(c, "green-list"), 4),
}


def write(
    model: Logits, marks: Sequence[Mark | None], length: int, rng: np.random.Generator
) -> Int64s:
    """One reply a mark, int64 [marks, length]."""
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


def log10_p(found: Detection) -> float:
    return 0.0 if found.log10_p is None else found.log10_p


def evidence(tokens: Int64s, mark: Mark, *, once: Any = "context") -> float:
    return log10_p(detect(tokens, [mark], decoys=0, once=once)[0])


def probabilities(model: Logits) -> Floats:
    """Of the next token after each, cut to the top k."""
    kth = np.sort(model, axis=1)[:, -TOP_K, None]
    weights = np.where(model >= kth, np.exp(model.astype(np.float64)), 0)
    return weights / weights.sum(axis=1, keepdims=True)


def timed(work: Callable[[], object], calls: int) -> float:
    """CPU microseconds of a call, the best of five runs."""
    work()
    best = np.inf
    for _ in range(5):
        started = time.process_time()
        for _ in range(calls):
            work()
        best = min(best, (time.process_time() - started) / calls)
    return float(best) * 1e6


def speeds(ring: KeyRing, rng: np.random.Generator) -> None:
    print("CPU µs a token, V = 128,000, batch 32: top 64 | whole vocabulary")
    logits = rng.normal(0, 3, (32, 128_000)).astype(np.float32)
    nowhere = np.full((32, 1), 5)
    marks = {"Gumbel-max": GumbelMark(ring.key("a")), "green list": GreenListMark(ring.key("a"))}
    for name, mark in marks.items():
        took = [
            timed(lambda m=mark, k=k: m.sample(logits, nowhere, top_k=k, rng=rng), 1) / 32
            for k in (TOP_K, None)
        ]
        print(f"{name:28s} {took[0]:8.0f} {took[1]:8.0f}")
    plain = [
        timed(lambda k=k: sample_unmarked(logits, top_k=k, rng=rng), 1) / 32 for k in (64, None)
    ]
    print(f"{'unmarked, same kernel':28s} {plain[0]:8.0f} {plain[1]:8.0f}")
    mark, words = SelectionMark(ring.key("a")), [f"word{i}" for i in range(5_000)]
    for n in (4, 16):
        texts = [" ".join(rng.choice(words, LENGTH)) for _ in range(n)]
        took_all = timed(lambda t=texts: mark.choose(t, rng=rng), 20)
        print(f"selection among {n:2d} texts of {LENGTH} words: {took_all:8.0f} a choice")


def lengths(ring: KeyRing, model: Logits, rng: np.random.Generator) -> None:
    print("\nlog10 p of a text of 50 | 100 | 200 | 400 tokens; KL from the model, nats a token")
    chances = probabilities(model)
    for name, make in SCHEMES.items():
        marks = [make(ring, f"c-{i}") for i in range(TEXTS)]
        texts = write(model, marks, 400, rng)
        found = [
            np.median([evidence(t[:n], m) for t, m in zip(texts, marks, strict=True)])
            for n in (50, 100, 200, 400)
        ]
        print(f"{name:28s}", *(f"{p:7.1f}" for p in found), f"{divergence(marks[0], chances):8.3f}")


def divergence(mark: Mark, chances: Floats) -> float:
    """Mean KL divergence of the sampled from the model's distribution over 200 contexts."""
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


def selections(ring: KeyRing, model: Logits, rng: np.random.Generator) -> None:
    print("\nselection, log10 p of 5 | 20 | 80 choices of 60 tokens each, together")
    for n in (2, 4, 8, 16):
        found = []
        for i in range(5):
            mark = SelectionMark(ring.key(f"s-{i}", "selection"))
            drafts = write(model, [None] * (80 * n), 60, rng).reshape(80, n, 60)
            sent = [some[mark.choose(list(some), rng=rng)] for some in drafts]
            found.append([
                evidence(np.concatenate(sent[:c]), mark, once="pair")
                for c in (5, 20, 80)
            ])  # fmt: skip
        print(f"n = {n:<24d}", *(f"{p:7.1f}" for p in np.median(found, axis=0)))


def removal(ring: KeyRing, model: Logits, rng: np.random.Generator) -> None:
    print(f"\nlog10 p of {LENGTH} tokens of which 0 | 10 | 25 | 50 % were replaced at random")
    for name, make in SCHEMES.items():
        marks = [make(ring, f"r-{i}") for i in range(TEXTS)]
        texts = write(model, marks, LENGTH, rng)
        found = []
        for share in (0, 0.1, 0.25, 0.5):
            lost = rng.random(texts.shape) < share
            edited = np.where(lost, rng.integers(0, VOCABULARY, texts.shape), texts)
            found.append(np.median([evidence(t, m) for t, m in zip(edited, marks, strict=True)]))
        print(f"{name:28s}", *(f"{p:7.1f}" for p in found))


def theft(ring: KeyRing, model: Logits, rng: np.random.Generator) -> None:
    print(
        f"\nforgery: log10 p of {LENGTH} tokens of a thief who saw 2,000 | 20,000 | 200,000\n"
        "marked tokens, knows the model, and writes after each token what came too often"
    )
    chances = probabilities(model)
    for name, make in SCHEMES.items():
        mark = make(ring, "victim")
        seen = write(model, [mark] * 1_000, LENGTH, rng)
        found = []
        for replies in (10, 100, 1_000):
            some = seen[:replies]
            counts = np.zeros((VOCABULARY, VOCABULARY))
            np.add.at(counts, (some[:, :-1].ravel(), some[:, 1:].ravel()), 1)
            usual = counts.sum(axis=1, keepdims=True) * chances
            surplus = (counts - usual) / np.sqrt(usual + 0.1)
            found.append(
                np.median([evidence(forged(surplus, chances, rng), mark) for _ in "x" * 8])
            )
        print(f"{name:28s}", *(f"{p:7.1f}" for p in found))


def forged(surplus: Floats, chances: Floats, rng: np.random.Generator) -> Int64s:
    """A text of tokens that the model might say, those of most surplus; no pair comes twice."""
    text = [int(rng.integers(VOCABULARY))]
    left = np.where(chances > 0, surplus + rng.random(surplus.shape) * 1e-6, -np.inf)
    for _ in range(LENGTH):
        said = int(left[text[-1]].argmax())
        left[text[-1], said] = -np.inf
        left[:, said] -= 0.3  # go to places where one has not been
        text.append(said)
    return np.array(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    ring = KeyRing(bytes(range(32)), "benchmark")
    word_ids("compile")
    model = rng.normal(0, SPREAD, (VOCABULARY, VOCABULARY)).astype(np.float32)
    chances = probabilities(model)
    nats = -np.where(chances > 0, chances * np.log(np.maximum(chances, 1e-300)), 0).sum(axis=1)
    speeds(ring, rng)
    print(f"\nthe simulated model: {nats.mean():.2f} nats a token")
    lengths(ring, model, rng)
    selections(ring, model, rng)
    removal(ring, model, rng)
    theft(ring, model, rng)


if __name__ == "__main__":
    main()
