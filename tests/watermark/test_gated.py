"""The entropy gate: what it measures, what it leaves alone, and what detection sees of it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chisquare, entropy

from stillwatch.watermark import GatedMark, GreenListMark, GumbelMark, KeyRing, detect
from stillwatch.watermark.entropies import entropies
from stillwatch.watermark.rows import Rows
from tests.watermark.conftest import write


@pytest.mark.parametrize(("top_k", "kept"), [(3, 3), (64, 64), (None, 900), (900, 900)])
@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.0])
def test_the_entropy_is_that_of_the_softmax_among_the_top_k(
    top_k: int | None, kept: int, temperature: float
) -> None:
    logits = np.random.default_rng(0).normal(0, 4, (12, 900)).astype(np.float32)
    logits[:4, ::3] = -np.inf
    rows = Rows.checked(logits, np.zeros((12, 1), np.int64), 1, temperature, top_k)
    best = -np.sort(-logits.astype(np.float64), axis=1)[:, :kept]
    weights = np.exp((best - best[:, :1]) / temperature)
    assert entropies(rows) == pytest.approx(entropy(weights, axis=1), rel=1e-9)


def test_a_row_without_a_choice_has_no_entropy() -> None:
    logits = np.full((2, 300), -np.inf, np.float32)
    logits[0, 17], logits[1] = 3.0, 0.0
    rows = Rows.checked(logits, np.zeros((2, 1), np.int64), 1, 1.0, None)
    assert entropies(rows) == pytest.approx([0, np.log(300)], abs=1e-12)


def test_rows_below_the_floor_are_sampled_freely_and_the_others_by_the_key(ring: KeyRing) -> None:
    plain = GumbelMark(ring.key("c"))
    gated = GatedMark(plain, 1.0)
    many = 20_000
    sure, open_ = np.array([3.0, 0, 0, 0], np.float32), np.zeros(4, np.float32)
    logits = np.tile([sure, open_], (many, 1))
    said = gated.sample(logits, np.full((2 * many, 1), 2), rng=np.random.default_rng(1))
    [marked] = plain.sample(open_[None], np.array([[2]]), rng=np.random.default_rng(2))
    assert set(said[1::2].tolist()) == {marked}
    p = np.exp(sure.astype(np.float64))
    assert chisquare(np.bincount(said[::2], minlength=4), many * p / p.sum()).pvalue > 1e-4


def test_the_gate_takes_from_the_evidence_and_not_from_the_null(ring: KeyRing) -> None:
    plain = GumbelMark(ring.key("c"))
    half = GatedMark(plain, 3.85)  # nats that about half of these rows lie below
    texts = write([plain, GatedMark(plain, 0.01), half, GatedMark(plain, 5.0)], 300)
    found = [detect(text, [plain, half], decoys=0) for text in texts]
    p = [said.log10_p for said, _ in found]
    assert [said.log10_p for _, said in found] == p
    plainly, hardly, often, always = (0.0 if each is None else each for each in p)
    assert max(plainly, hardly) < 1.5 * often < -12
    assert always > -2


def test_a_biased_mark_takes_no_rare_token_where_the_gate_is_shut(ring: KeyRing) -> None:
    green = GreenListMark(ring.key("c", "green-list"), gamma=0.5, delta=8.0)
    logits = np.tile(np.array([5.0, 0, 0, 0, 0, 0], np.float32), (4_000, 1))
    contexts = np.arange(4_000)[:, None] % 6
    rng = np.random.default_rng(3)
    usual, gated = (
        np.mean(mark.sample(logits, contexts, rng=rng) == 0)
        for mark in (green, GatedMark(green, 0.5))
    )
    assert usual < 0.9
    assert gated == pytest.approx(np.exp(5) / (np.exp(5) + 5), abs=0.01)


@pytest.mark.parametrize("floor", [0.0, -1.0, float("inf"), float("nan")])
def test_a_floor_that_gates_nothing_or_everything_is_refused(floor: float, ring: KeyRing) -> None:
    with pytest.raises(ValueError, match="floor"):
        GatedMark(GumbelMark(ring.key("c")), floor)
