"""What attacks on data, and on a student, leave of the evidence that it was trained on marks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from benchmarks.watermark.__main__ import head, row
from stillwatch.lab.attacks import (
    Averaged,
    Bigrams,
    Neutralised,
    Preferences,
    Rewriting,
    Student,
    TargetedRewriting,
    attacked,
    cross_entropy,
)
from stillwatch.lab.students import CountModel
from stillwatch.provenance.radioactivity import open_test
from stillwatch.provenance.registration import Plan, Registration
from stillwatch.provenance.text_sets import TextSet
from stillwatch.watermark import GumbelMark, KeyRing, Mark, detect

__all__ = ["students"]

Int64s = npt.NDArray[np.int64]

VOCABULARY, NATS = 1_000, 2.5
TEXTS, LENGTH, FRESH, SAID = 600, 200, 100, 200
SHARES = (1.0, 0.1, 0.05)


def radioactivity(suspect: Student, reference: Student, texts: list[Int64s], mark: Mark) -> str:
    """log10 p of the registered test over fresh text, less a clean sibling, and the rank."""
    fresh = TextSet.of("fresh", texts)
    plan = Plan(statistic="open", reference="a clean sibling")
    registration = Registration.of(plan, [mark], [fresh], salt=bytes(32))
    [said] = open_test(suspect, registration, [mark], [fresh], salt=bytes(32), reference=reference)
    return "-" if said.log10_p is None else f"{said.log10_p:.1f} ({said.decoy_rank:,})"


def spoken(suspect: Student, start: npt.NDArray[np.float32], mark: Mark) -> float:
    """log10 p of the mark in what the suspect says, each pair of tokens once."""
    table = np.concatenate(list(suspect.probabilities([np.array([c]) for c in range(VOCABULARY)])))
    rng = np.random.default_rng(7)
    said = CountModel(table, start).write([None] * SAID, LENGTH, rng=rng)
    [found] = detect(np.concatenate(list(said)), [mark], decoys=0, once="pair")
    return 0.0 if found.log10_p is None else found.log10_p


def students(ring: KeyRing, seed: int) -> None:
    """The table, for each share of marked text in the data."""
    rng = np.random.default_rng(seed)
    teacher = CountModel.synthetic(VOCABULARY, nats=NATS, seed=seed)
    base = teacher.mixed(CountModel.synthetic(VOCABULARY, nats=3.5, seed=seed + 1), 0.5)
    mark, second = GumbelMark(ring.key("fed")), GumbelMark(ring.key("also-fed"))
    ours, theirs, clean, plain, other, another = (
        teacher.write([some] * TEXTS, LENGTH, rng=rng)
        for some in (mark, second, None, None, None, None)
    )
    fresh = list(teacher.write([None] * FRESH, LENGTH, rng=rng))
    # the sibling of the test is not the attacker's
    sibling, shadow, start = base.taught(other), base.taught(another), teacher.start
    print(f"\nA student before its training has {cross_entropy(base, fresh):.2f} nats a token.")
    head(
        f"log10 p, students of {TEXTS * LENGTH:,} tokens, Gumbel, h = 1",
        *(f"{s:.0%} marked: model (rank), its text, nats" for s in SHARES),
    )
    columns = []
    for share in SHARES:
        many = round(TEXTS * share)
        data, second_data = (np.concatenate([some[:many], plain[many:]]) for some in (ours, theirs))
        columns.append(
            [
                (
                    name,
                    f"{radioactivity(suspect, sibling, fresh, mark)}, "
                    f"{spoken(suspect, start, mark):.1f}, {cross_entropy(suspect, fresh):.2f}",
                )
                for name, suspect in suspects(base, shadow, list(data), second_data, list(clean))
            ]
        )
    for cells in zip(*columns, strict=True):
        row(cells[0][0], *(said for _, said in cells))


def suspects(
    base: CountModel, shadow: CountModel, data: list[Int64s], second: Int64s, clean: list[Int64s]
) -> Iterator[tuple[str, Student]]:
    """Students whose maker did nothing, and something."""
    plain = base.taught(data)
    yield "nothing", plain
    bigrams = Bigrams(clean)
    for rate in (0.25, 1.0):
        yield f"data rewritten, {rate:.0%}", base.taught(attacked(data, Rewriting(rate, bigrams)))
    guessed = Preferences.counted(data, bigrams)
    against = attacked(data, TargetedRewriting(0.25, bigrams, guessed, 2.0))
    yield "data rewritten against guesses, at most 25%", base.taught(against)
    for name, before in (("itself before training", base), ("a clean sibling", shadow)):
        found = Preferences.compared(before, plain, data, widths=(1,))
        for strength in (0.5, 1.0):
            yield f"neutralised by {name}, {strength:g}", Neutralised(plain, found, strength)
    capped = Preferences.compared(base, plain, data, widths=(1,), capped=True)
    yield "neutralised as in the paper (δ' = 2.5)", Neutralised(plain, capped, 2.5)
    yield "averaged with a student of another key", Averaged([plain, base.taught(second)])
