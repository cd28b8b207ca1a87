"""What a suspect says, gathered and tested (run in the proof's environment: `make smoke-proof`)."""

from __future__ import annotations

import numpy as np
import torch

from stillwatch.lab.students.cells import key_of, mark_of
from stillwatch.lab.students.radioactive import evidence_of, found
from stillwatch.lab.students.suspect import Sums, TransformerSuspect, sums_of
from stillwatch.lab.students.transformer import Shape, Transformer
from stillwatch.provenance import TextSet
from stillwatch.provenance.radioactivity.evidence import View, gather

SIZE = 300
SHAPE = Shape(vocabulary=SIZE, width=32, layers=1, heads=2, length=40)


def texts() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 40, (30, 24))  # few tokens, many repeats


def models() -> tuple[Transformer, Transformer]:
    pair = Transformer(SHAPE, seed=1), Transformer(SHAPE, seed=2)
    with torch.no_grad():
        for model in pair:
            model.said.weight *= 50  # opinions of some strength
    return pair


def test_rows_say_what_follows_and_no_text_sees_another() -> None:
    suspect, rows = TransformerSuspect(models()[0]), texts()
    long = [*rows[:3], rows[3][:7]]
    said = list(suspect.probabilities(long))
    assert [each.shape for each in said] == [(24, SIZE)] * 3 + [(7, SIZE)]
    [alone] = suspect.probabilities([rows[1]])
    np.testing.assert_allclose(said[1], alone, atol=1e-3)
    np.testing.assert_allclose(alone.sum(axis=1), 1, atol=1e-3)


def test_sums_are_what_the_public_test_gathers() -> None:
    suspect, reference = models()
    rows = texts()
    here, there = (sums_of(each, rows) for each in (suspect, reference))
    ours = evidence_of(here, [there], kept=SIZE)
    [gathered] = gather(
        TransformerSuspect(suspect), TextSet.of("x", rows), [View(1, served=False)],
        reference=TransformerSuspect(reference), kept=SIZE, standard=True,
    ).values()  # fmt: skip
    dense = np.zeros((2, SIZE, SIZE))
    for table, evidence in zip(dense, (ours, gathered), strict=True):
        table[evidence.contexts, evidence.tokens] = evidence.weights
    assert np.abs(dense[0]).max() > 0.1
    np.testing.assert_allclose(dense[0], dense[1], atol=2e-3)


def test_a_model_that_leans_to_a_key_is_found_by_it_and_by_no_other() -> None:
    mark = mark_of(key_of(1, "gumbel"), "gumbel", 1)
    windows = np.indices((SIZE, SIZE)).reshape(2, -1)
    scores = mark.scores(windows[0][:, None], windows[1]).reshape(SIZE, SIZE)
    rng, counts = np.random.default_rng(1), np.full(SIZE, 100, np.float32)

    def model(leaning: float) -> Sums:
        noise = np.exp(0.3 * rng.normal(size=(SIZE, SIZE)) + leaning * (scores - 1))
        return Sums((noise / noise.sum(1, keepdims=True)).astype(np.float32) * 100, counts)

    clean = model(0.0)
    marked = found(mark, evidence_of(model(0.05), [clean]), decoys=200)
    assert marked.log10_p < -6
    assert marked.rank == 1
    innocent = found(mark, evidence_of(model(0.0), [clean]), decoys=200)
    assert innocent.log10_p > -3
    other = mark.with_key(key_of(2, "gumbel"))
    assert found(other, evidence_of(model(0.05), [clean]), decoys=200).log10_p > -3
