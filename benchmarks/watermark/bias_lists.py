"""What a bias list shows, costs and gives away: prints two tables.

    python -m benchmarks.watermark.bias_lists [--seed 0]

The 'model' is simulated: random logits for each of 2,000 tokens after each other, and the
popularity of Zipf's law on top, sampled at temperature 1 without a cut. An upstream adds
``logit_bias`` and gives text; another topic has another popularity. The list is the commonest
tokens of 100,000 unmarked ones. P-values are medians over keys.
"""

from __future__ import annotations

import argparse

import numpy as np
import numpy.typing as npt

from benchmarks.watermark.__main__ import head, row
from stillwatch.watermark import BiasListMark, KeyRing, detect_biased, sample_unmarked

__all__ = ["main"]

Floats = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]
Logits = npt.NDArray[np.float32]

VOCABULARY, SPREAD, REPLIES = 2_000, 2.0, 100
LENGTHS = (500, 2_000, 8_000, 32_000)
SEEN = (2_000, 20_000, 200_000)
KEYS = 5
#: by how much another topic moves the logit of each token, standard deviation
TOPIC = 0.5
BIASES = (0.25, 0.5, 1.0, 2.0)


def written(model: Logits, bias: dict[int, float], length: int, rng: np.random.Generator) -> Int64s:
    """Replies of an upstream that was asked for this bias, joined, int64 [length]."""
    change = np.zeros(VOCABULARY, np.float32)
    change[list(bias)] = list(bias.values())
    asked = model + change
    replies = min(REPLIES, length // 50)
    text = np.empty((replies, length // replies + 1), np.int64)
    text[:, 0] = rng.integers(0, VOCABULARY, replies)
    for at in range(1, text.shape[1]):
        text[:, at] = sample_unmarked(asked[text[:, at - 1]], top_k=None, rng=rng)
    return text[:, 1:].ravel()[:length]


def evidence(text: Int64s, mark: BiasListMark) -> float:
    """log10 p, 0 where nothing can be said."""
    [[found]] = detect_biased([text], [mark], decoys=0)
    return 0.0 if found.log10_p is None else found.log10_p


def divergence(model: Logits, mark: BiasListMark, text: Int64s) -> float:
    """Mean KL divergence, nats a token, of what is sampled from the model, where the text went."""
    change = np.zeros(VOCABULARY)
    bias = mark.logit_bias()
    change[list(bias)] = list(bias.values())
    plain = model[text[:2_000]].astype(np.float64)
    plain = np.exp(plain - plain.max(axis=1, keepdims=True))
    plain /= plain.sum(axis=1, keepdims=True)
    biased = plain * np.exp(change)
    biased /= biased.sum(axis=1, keepdims=True)
    return float((biased * np.log(biased / plain)).sum(axis=1).mean())


def shown(model: Logits, reference: Int64s, ring: KeyRing, rng: np.random.Generator) -> None:
    """What joined replies show, by how many tokens are on the list and how hard they are pushed."""
    head("log10 p of joined replies", *(f"{n:,} tokens" for n in LENGTHS), "KL from the model")
    settings = [(300, bias, model, "") for bias in BIASES]
    settings += [(100, 1.0, model, ""), (30, 1.0, model, "")]
    shift = rng.normal(0, TOPIC, VOCABULARY).astype(np.float32)
    settings += [(300, 1.0, model + shift, ", text of another topic")]
    for most, bias, spoken, remark in settings:
        found, cost = [], []
        for i in range(KEYS):
            key = ring.key(f"c-{i}", "bias-list")
            mark = BiasListMark.of_reference(key, reference, most=most, bias=bias)
            text = written(spoken, mark.logit_bias(), max(LENGTHS), rng)
            # replies are side by side in the text: any stretch of it is of few
            found.append([evidence(rng.permutation(text)[:n], mark) for n in LENGTHS])
            cost.append(divergence(spoken, mark, text))
        p = (f"{each:.1f}" for each in np.median(found, axis=0))
        row(f"{most} tokens, bias {bias:g}{remark}", *p, f"{np.mean(cost):.3f}")


def stolen(model: Logits, reference: Int64s, ring: KeyRing, rng: np.random.Generator) -> None:
    """What a thief makes of it who counts, knows the list and the usual numbers, and has no key."""
    head(
        f"thief, who forges {LENGTHS[1]:,} tokens (own mark: 300 tokens, bias 1), saw",
        *(f"{n:,} tokens" for n in SEEN),
    )
    right, forged, genuine = [], [], []
    for i in range(KEYS):
        mark = BiasListMark.of_reference(ring.key(f"v-{i}", "bias-list"), reference)
        [signs] = mark.signs(np.array([mark.key.value], np.uint64))
        text = written(model, mark.logit_bias(), max(SEEN), rng)
        genuine.append(evidence(written(model, mark.logit_bias(), LENGTHS[1], rng), mark))
        some_right, some_forged = [], []
        for n in SEEN:
            guess = np.where(mark.weights(mark.counts(rng.permutation(text)[:n])) > 0, 1, -1)
            some_right.append(np.mean(guess == signs))
            bias = dict(zip(mark.tokens, (guess * mark.bias / 2).tolist(), strict=True))
            some_forged.append(evidence(written(model, bias, LENGTHS[1], rng), mark))
        right.append(some_right)
        forged.append(some_forged)
    row("signs that he has right", *(f"{share:.0%}" for share in np.mean(right, axis=0)))
    row(f"log10 p of the forgery; genuine {np.median(genuine):.1f}",
        *(f"{p:.1f}" for p in np.median(forged, axis=0)))  # fmt: skip


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seed", type=int, default=0)
    rng = np.random.default_rng(parser.parse_args().seed)
    ring = KeyRing(bytes(range(32)), "benchmark")
    popular = -np.log(np.arange(1, VOCABULARY + 1))
    model = (rng.normal(0, SPREAD, (VOCABULARY, VOCABULARY)) + popular).astype(np.float32)
    reference = written(model, {}, 100_000, rng)
    chances = np.exp(model.astype(np.float64))
    chances /= chances.sum(axis=1, keepdims=True)
    nats = -(chances * np.log(chances)).sum(axis=1)
    listed = BiasListMark.of_reference(ring.key("c"), reference)
    share = listed.counts(reference).sum() / len(reference)
    print(f"{nats.mean():.2f} nats a token; 300 tokens are {share:.0%} of the text")
    shown(model, reference, ring, rng)
    stolen(model, reference, ring, rng)


if __name__ == "__main__":
    main()
