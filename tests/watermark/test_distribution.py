"""What is sampled: the model's distribution, or the one that the scheme says it makes of it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import chisquare

from stillwatch.watermark import GreenListMark, GumbelMark, KeyRing, Mark, TournamentMark
from stillwatch.watermark.mark import Floats, Int64s
from stillwatch.watermark.prf import NAMES

LOGITS = np.array([1.5, 0.3, -0.4, 2.0, -np.inf, 0.9, 0.0, -1.2, 0.5, -3.0, 0.2], np.float32)
DRAWS = 40_000


def softmax(top_k: int | None, temperature: float) -> Floats:
    order = np.argsort(-LOGITS, kind="stable")[:top_k]
    out = np.zeros(len(LOGITS))
    out[order] = np.exp(LOGITS[order].astype(np.float64) / temperature)
    return out / out.sum()


def drawn(mark: Mark, top_k: int | None, temperature: float, *, one_key: bool = False) -> Int64s:
    """How often each token comes, under many keys or under that of the mark."""
    rng = np.random.default_rng(21)
    said = mark.sample(
        np.tile(LOGITS, (DRAWS, 1)), np.full((DRAWS, mark.context), 5),
        temperature=temperature, top_k=top_k, rng=rng,
        keys=None if one_key else rng.integers(0, 1 << 64, DRAWS, np.uint64),
    )  # fmt: skip
    return np.bincount(said, minlength=len(LOGITS))


def p_value(counts: Int64s, expected: Floats) -> float:
    assert counts[expected == 0].sum() == 0
    return float(chisquare(counts[expected > 0], expected[expected > 0] * counts.sum()).pvalue)


SETTINGS = pytest.mark.parametrize(("top_k", "temperature"), [(6, 1.0), (8, 0.6), (None, 1.4)])


@SETTINGS
@pytest.mark.parametrize("prf", NAMES)
def test_over_keys_gumbel_max_samples_as_the_model_does(
    prf: str, top_k: int | None, temperature: float, ring: KeyRing
) -> None:
    counts = drawn(GumbelMark(ring.key("c"), 2, prf), top_k, temperature)
    assert p_value(counts, softmax(top_k, temperature)) > 0.001


@SETTINGS
@pytest.mark.parametrize("prf", NAMES)
@pytest.mark.parametrize("layers", [2, 30])
def test_over_keys_a_tournament_samples_as_the_model_does(
    layers: int, prf: str, top_k: int | None, temperature: float, ring: KeyRing
) -> None:
    counts = drawn(TournamentMark(ring.key("c"), 2, layers, prf=prf), top_k, temperature)
    assert p_value(counts, softmax(top_k, temperature)) > 0.001


@SETTINGS
@pytest.mark.parametrize("prf", ["philox4x32-10-v1", "premix-v1"])
def test_under_one_key_the_odds_of_green_tokens_are_raised_by_delta(
    prf: str, top_k: int | None, temperature: float, ring: KeyRing
) -> None:
    mark = GreenListMark(ring.key("c"), 2, gamma=0.4, delta=1.2, prf=prf)
    green = mark.scores(np.full((len(LOGITS), 2), 5), np.arange(len(LOGITS)))
    tilted = softmax(top_k, temperature) * np.exp(1.2 * green)
    assert 0 < green[tilted > 0].mean() < 1
    counts = drawn(mark, top_k, temperature, one_key=True)
    assert p_value(counts, tilted / tilted.sum()) > 0.001


def test_over_keys_a_green_list_is_biased_by_as_much_as_its_settings_say(ring: KeyRing) -> None:
    gamma, delta, plain = 0.25, 2.0, softmax(6, 1.0)
    allowed = np.flatnonzero(plain)
    expected = np.zeros(len(plain))
    for green in itertools.product([False, True], repeat=len(allowed)):
        odds = gamma ** sum(green) * (1 - gamma) ** (len(allowed) - sum(green))
        tilted = plain[allowed] * np.exp(delta * np.array(green))
        expected[allowed] += odds * tilted / tilted.sum()
    counts = drawn(GreenListMark(ring.key("c"), gamma=gamma, delta=delta), 6, 1.0)
    assert p_value(counts, expected) > 0.001
    assert p_value(counts, plain) < 1e-6
    assert expected.max() < plain.max()  # flatter, not only other
