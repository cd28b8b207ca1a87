"""The tournament: its closed form, what one key makes of a distribution, and its settings."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import chisquare

from stillwatch.watermark import KeyRing, TournamentMark, Tries
from stillwatch.watermark.mark import Floats, Int64s
from stillwatch.watermark.prf import NAMES, words

LOGITS = np.array([1.5, 0.3, -0.4, 2.0, -np.inf, 0.9, 0.0, -1.2, 0.5, -3.0, 0.2], np.float32)
DRAWS = 40_000


def plain(top_k: int | None, temperature: float) -> Floats:
    order = np.argsort(-LOGITS, kind="stable")[:top_k]
    out = np.zeros(len(LOGITS))
    out[order] = np.exp(LOGITS[order].astype(np.float64) / temperature)
    return out / out.sum()


def bits_of(mark: TournamentMark, context: list[int]) -> Int64s:
    """The bit of each layer and token, int64 [layers, tokens]."""
    tokens = np.arange(len(LOGITS))
    drawn = words(mark.prf, mark.key.value, np.tile(context, (len(tokens), 1)), tokens)
    return np.array([(drawn >> np.uint32(layer)) & np.uint32(1) for layer in range(mark.layers)])


def played(p: Floats, bits: Int64s) -> Floats:
    """Matches of two: the one with the bit goes on, and either where both or none have it."""
    for layer in bits:
        wins = np.where(layer[:, None] == layer, 0.5, layer[:, None] > layer)
        p = 2 * p * (wins @ p)
    return p


@pytest.mark.parametrize("prf", NAMES)
@pytest.mark.parametrize(("top_k", "temperature"), [(6, 1.0), (8, 0.6), (None, 1.4)])
@pytest.mark.parametrize("layers", [1, 3, 30])
def test_one_key_samples_what_its_matches_come_to(
    layers: int, top_k: int | None, temperature: float, prf: str, ring: KeyRing
) -> None:
    mark = TournamentMark(ring.key("c", "tournament"), 2, layers, prf=prf)
    expected = played(plain(top_k, temperature), bits_of(mark, [5, 3]))
    said = mark.sample(
        np.tile(LOGITS, (DRAWS, 1)), np.tile([5, 3], (DRAWS, 1)),
        temperature=temperature, top_k=top_k, rng=np.random.default_rng(1),
    )  # fmt: skip
    counts = np.bincount(said, minlength=len(LOGITS))
    assert counts[expected == 0].sum() == 0
    off = np.sqrt(DRAWS * expected)
    assert (np.abs(counts - DRAWS * expected) <= 4.5 * off + 3).all()


def test_a_tournament_in_which_tokens_are_drawn_and_meet_comes_to_the_same(ring: KeyRing) -> None:
    mark = TournamentMark(ring.key("c", "tournament"), layers=3)
    bits, p = bits_of(mark, [5]), plain(6, 1.0)
    rng = np.random.default_rng(2)
    tokens = rng.choice(len(p), (DRAWS, 8), p=p)
    for layer in bits:
        left, right = tokens[:, ::2], tokens[:, 1::2]
        tie = rng.random(left.shape) < 0.5
        first = np.where(layer[left] == layer[right], tie, layer[left] > layer[right])
        tokens = np.where(first, left, right)
    counts = np.bincount(tokens[:, 0], minlength=len(p))
    expected = played(p, bits) * DRAWS
    assert chisquare(counts[expected > 0], expected[expected > 0]).pvalue > 1e-4


def test_over_all_bits_it_is_the_model_that_is_sampled() -> None:
    """Exactly, not only on average over draws: 2^(2·4) ways to give four tokens two bits."""
    p = np.array([0.1, 0.2, 0.3, 0.4])
    ways = [np.array(w).reshape(2, 4) for w in itertools.product([0, 1], repeat=8)]
    assert np.mean([played(p, way) for way in ways], axis=0) == pytest.approx(p, abs=1e-15)


def test_more_candidates_than_the_lanes_of_the_kernel_are_all_reached(ring: KeyRing) -> None:
    mark = TournamentMark(ring.key("c", "tournament"), layers=1)
    for many in (15, 16, 17, 33, 64):
        logits = np.zeros((4_000, 70), np.float32)
        keys = np.random.default_rng(3).integers(0, 1 << 64, 4_000, np.uint64)
        said = mark.sample(
            logits, np.zeros((4_000, 1), np.int64), top_k=many, keys=keys,
            rng=np.random.default_rng(4),
        )  # fmt: skip
        counts = np.bincount(said, minlength=70)
        assert counts[many:].sum() == 0
        assert chisquare(counts[:many]).pvalue > 1e-4


def test_the_first_layers_count_most_and_the_law_is_that_of_their_bits(ring: KeyRing) -> None:
    mark = TournamentMark(ring.key("c", "tournament"))
    assert mark.weights[0] == 10
    assert mark.weights[-1] == 1
    assert list(mark.weights) == sorted(mark.weights, reverse=True)
    even = TournamentMark(mark.key, weighted=False)
    assert even.law == Tries(30, 0.5)
    rng = np.random.default_rng(5)
    contexts, tokens = rng.integers(0, 999, (50_000, 1)), rng.integers(0, 999, 50_000)
    for each in (mark, even):
        scores = each.scores(contexts, tokens)
        assert scores.mean() == pytest.approx(each.law.mean, rel=0.01)
        variance = sum(weight**2 for weight in each.weights) / 4
        assert scores.var() == pytest.approx(variance, rel=0.03)
    single = even.law.log10_p(25, 1)
    assert single == pytest.approx(np.log10(0.00016249), abs=1e-4)  # P(B(30, ½) ≥ 25)


@pytest.mark.parametrize(
    ("setting", "says"),
    [({"context": 0}, "context"), ({"layers": 0}, "layers"), ({"layers": 33}, "layers"),
     ({"prf": "md5"}, "md5")],
)  # fmt: skip
def test_settings_that_make_no_mark_are_refused(
    setting: dict[str, int], says: str, ring: KeyRing
) -> None:
    with pytest.raises(ValueError, match=says):
        TournamentMark(ring.key("c"), **setting)  # type: ignore[arg-type]
