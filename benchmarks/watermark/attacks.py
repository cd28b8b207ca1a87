"""What removals of a mark cost, and what they leave: prints four tables.

    python -m benchmarks.watermark.attacks [--seed 0] [--thesaurus FILE]

The 'model' is the count model of the lab: the next of 1,000 tokens after each, in Zipf's
frequencies. Texts are written by it, each under a key of its own; p-values are medians. With a file
of synonyms its tokens are words from there. Students are count models, too, which keep every pair
that they were shown: marks show in them far more than in a language model, and what is taken out
of them costs far more.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.watermark.__main__ import head, row
from benchmarks.watermark.students import students
from stillwatch.lab.attacks import (
    Bigrams,
    Chunks,
    Mixing,
    Preferences,
    RandomEdits,
    Rewriting,
    Synonyms,
    TargetedRewriting,
    TokenAttack,
    Truncation,
    Unigrams,
    attacked,
    cross_entropy,
    read_thesaurus,
)
from stillwatch.lab.students import CountModel
from stillwatch.watermark import GreenListMark, GumbelMark, KeyRing, Mark, detect, spans

__all__ = ["main"]

Int64s = npt.NDArray[np.int64]

VOCABULARY, NATS = 1_000, 1.5
TEXTS, LENGTH, CLEAN = 24, 200, 500
SEEN = (2_000, 20_000, 200_000)
SCHEMES: dict[str, Callable[[KeyRing, str], Mark]] = {
    **{f"Gumbel, h = {h}": lambda ring, c, h=h: GumbelMark(ring.key(c), h) for h in (1, 2, 4)},
    **{
        f"green, h = {h}": lambda ring, c, h=h: GreenListMark(ring.key(c, "green-list"), h)
        for h in (1, 2, 4)
    },
}


@dataclass(frozen=True, slots=True)
class OnSpelling:
    """Synonyms on tokens that stand for words; a word that is no token becomes an unknown one."""

    synonyms: Synonyms
    spelling: list[str]

    @property
    def budget(self) -> object:
        return self.synonyms.budget

    def __call__(self, text: Int64s, rng: np.random.Generator) -> Int64s:
        said = self.synonyms(" ".join(self.spelling[i] for i in text), rng).split()
        known = {word: i for i, word in enumerate(self.spelling)}
        return np.array([known.get(word, len(known)) for word in said], np.int64)


def evidence(texts: Sequence[Int64s], marks: Sequence[Mark]) -> float:
    """The median log10 p of each text under its mark; 0 where nothing can be said."""
    found = [detect(t, [m], decoys=0)[0].log10_p for t, m in zip(texts, marks, strict=True)]
    return float(np.median([0.0 if p is None else p for p in found]))


def nats(model: CountModel, texts: Sequence[Int64s]) -> float:
    """What the texts cost the model, nats a token; unknown tokens left out."""
    return cross_entropy(model, [text[text < VOCABULARY] for text in texts])


def kept(text: Int64s, out: Int64s) -> float:
    """The share of a text's tokens that are still there, in order."""
    common = np.zeros(len(out) + 1, np.int64)
    for token in text:
        common[1:] = np.maximum.accumulate(
            np.maximum(common[1:], np.where(out == token, common[:-1] + 1, 0))
        )
    return float(common[-1] / len(text))


def on_texts(
    ring: KeyRing, model: CountModel, clean: list[Int64s], thesaurus: Path | None,
    rng: np.random.Generator,
) -> None:  # fmt: skip
    """What attacks without knowledge of the key leave of a text."""
    law, bigrams, cover = Unigrams(clean), Bigrams(clean), np.concatenate(clean)
    attacks: dict[str, TokenAttack] = {
        "none": Truncation(LENGTH),
        "first 100 tokens": Truncation(100),
        "first 50 tokens": Truncation(50),
        "chunks of 10, half of them": Chunks(10, 0.5),
        "chunks of 10, all, shuffled": Chunks(10, 1.0, shuffled=True),
        **{f"a share of {x:.0%} among others'": Mixing(x, cover) for x in (0.5, 0.2, 0.05)},
        **{f"edits, {x:.0%}": RandomEdits(x, law) for x in (0.1, 0.25, 0.5)},
        **{f"rewriting, {x:.0%}": Rewriting(x, bigrams) for x in (0.1, 0.25, 0.5, 1.0)},
    }
    if thesaurus is not None:
        known = read_thesaurus(thesaurus)
        words = sorted(known)[:: len(known) // VOCABULARY][:VOCABULARY]
        for x in (0.1, 0.25):
            attacks[f"synonyms, {x:.0%}"] = OnSpelling(Synonyms(x, known), words)
    head(f"log10 p of {LENGTH} tokens", *SCHEMES, "kept", "nats a token")
    written = {}
    for name, make in SCHEMES.items():
        marks = [make(ring, f"c-{i}") for i in range(TEXTS)]
        written[name] = list(model.write(marks, LENGTH, rng=rng)), marks
    for what, attack in attacks.items():
        left = {name: attacked(texts, attack) for name, (texts, _) in written.items()}
        first = next(iter(SCHEMES))
        share = np.mean([kept(a, b) for a, b in zip(written[first][0], left[first], strict=True)])
        row(
            what,
            *(f"{evidence(left[name], marks):.1f}" for name, (_, marks) in written.items()),
            f"{share:.0%}",
            f"{nats(model, left[first]):.2f}",
        )


def pasted(ring: KeyRing, model: CountModel, clean: list[Int64s], rng: np.random.Generator) -> None:
    """Pasted passages, looked for over the whole and by the localiser."""
    head(
        f"{LENGTH} marked tokens in unmarked text", "whole text, log10 p",
        "texts in which a passage is found", "of the same without a mark",
    )  # fmt: skip
    for h in (1, 4):
        marks = [GumbelMark(ring.key(f"p-{i}"), h) for i in range(TEXTS)]
        texts = list(model.write(marks, LENGTH, rng=rng))
        plain = list(model.write([None] * TEXTS, LENGTH, rng=rng))
        for length in (1_000, 4_000, 16_000):
            attack = Mixing(LENGTH / length, np.concatenate(clean), LENGTH)
            ours, theirs = attacked(texts, attack), attacked(plain, attack)
            found = [
                sum(bool(spans(t, m)) for t, m in zip(some, marks, strict=True))
                for some in (ours, theirs)
            ]
            said = (f"{evidence(ours, marks):.1f}", *(f"{n} of {TEXTS}" for n in found))
            row(f"Gumbel, h = {h}, in {length:,}", *said)


def targeted(
    ring: KeyRing, model: CountModel, clean: list[Int64s], rng: np.random.Generator
) -> None:
    """What one leaves who counted text under the key, against one who counted under another."""
    bigrams = Bigrams(clean)
    head(
        f"log10 p of {LENGTH} tokens under one key, 25 % drawn again", "untouched",
        f"guessed from {max(SEEN):,} tokens of another key",
        *(f"from {n:,} of this key" for n in SEEN), "kept, at the last",
        "nats a token, before and after",
    )  # fmt: skip
    for name, make in SCHEMES.items():
        mark, other = make(ring, "victim"), make(ring, "somebody")
        texts = list(model.write([mark] * TEXTS, LENGTH, rng=rng))
        seen, elsewhere = (
            list(model.write([some] * (max(SEEN) // LENGTH), LENGTH, rng=rng))
            for some in (mark, other)
        )
        known = [elsewhere, *(seen[: many // LENGTH] for many in SEEN)]
        left, said = texts, [evidence(texts, [mark] * TEXTS)]
        for some in known:
            guessed = Preferences.counted(some, bigrams, width=min(mark.context, 2))
            left = attacked(texts, TargetedRewriting(0.25, bigrams, guessed, 2.0))
            said.append(evidence(left, [mark] * TEXTS))
        share = np.mean([kept(a, b) for a, b in zip(texts, left, strict=True)])
        row(
            name,
            *(f"{p:.1f}" for p in said),
            f"{share:.0%}",
            f"{nats(model, texts):.2f}, {nats(model, left):.2f}",
        )


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--thesaurus", type=Path, help="synonyms in the form of MyThes")
    asked = parser.parse_args()
    began, rng = time.process_time(), np.random.default_rng(asked.seed)
    ring = KeyRing(bytes(range(32)), "benchmark")
    model = CountModel.synthetic(VOCABULARY, nats=NATS, seed=asked.seed)
    clean = list(model.write([None] * CLEAN, LENGTH, rng=rng))
    print(f"The model has {model.nats:.2f} nats a token; the attacker {CLEAN * LENGTH:,} unmarked.")
    on_texts(ring, model, clean, asked.thesaurus, rng)
    pasted(ring, model, clean, rng)
    targeted(ring, model, clean, rng)
    students(ring, asked.seed)
    took = time.process_time() - began
    print(f"\n{took:.0f} s of processor time, load {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()
