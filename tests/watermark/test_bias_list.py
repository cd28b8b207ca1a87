"""A list of common tokens with random signs: what it asks for, what it shows, what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, kstest

from stillwatch.statistics import sign_tail
from stillwatch.watermark import BiasListMark, KeyRing, MarkKey, Vocabulary, detect_biased
from stillwatch.watermark.mark import Int64s

VOCABULARY, KEYS = 800, 100_000
#: what an upstream says without a mark: Zipf's law
PLAIN = -1.1 * np.log(np.arange(1, VOCABULARY + 1))


def said(length: int, bias: dict[int, float] | None = None, seed: int = 0) -> Int64s:
    """Text of an upstream that honours ``logit_bias``."""
    logits = PLAIN.copy()
    for token, change in (bias or {}).items():
        logits[token] += change
    p = np.exp(logits)
    return np.random.default_rng(seed).choice(VOCABULARY, length, p=p / p.sum())


@pytest.fixture(scope="module")
def reference() -> Int64s:
    return said(60_000, seed=1)


@pytest.fixture
def mark(ring: KeyRing, reference: Int64s) -> BiasListMark:
    return BiasListMark.of_reference(ring.key("c", "bias-list"), reference, most=200)


@pytest.fixture(scope="module")
def wrong_signs(reference: Int64s) -> Int64s:
    """Of 10^5 keys that took no part."""
    listed = BiasListMark.of_reference(MarkKey(0, "e", "c"), reference, most=200)
    return listed.signs(np.random.default_rng(11).integers(0, 1 << 64, KEYS, np.uint64))


def test_the_list_is_what_comes_most_often_and_the_key_gives_the_signs(
    mark: BiasListMark, ring: KeyRing
) -> None:
    assert set(range(40)) <= set(mark.tokens)
    bias = mark.logit_bias()
    assert tuple(bias) == mark.tokens
    assert set(bias.values()) == {0.5, -0.5}
    assert 60 < sum(change > 0 for change in bias.values()) < 140
    other = mark.with_key(ring.key("d", "bias-list"))
    agree = np.mean([bias[token] == change for token, change in other.logit_bias().items()])
    assert 0.3 < agree < 0.7
    assert mark.with_key(mark.key) == mark


def test_text_of_an_upstream_that_was_asked_shows_the_key_and_no_other(
    mark: BiasListMark, ring: KeyRing
) -> None:
    text = said(3_000, mark.logit_bias())
    others = [mark.with_key(ring.key(f"d-{i}", "bias-list")) for i in range(20)]
    [[own, *wrong]] = detect_biased([text], [mark, *others])
    assert own.decoy_rank == 1
    assert own.log10_p is not None
    assert own.corrected_log10_p is not None
    assert own.log10_p < own.corrected_log10_p < -8
    assert min(each.log10_p or 0.0 for each in wrong) > -3
    [[unasked]] = detect_biased([said(3_000, seed=5)], [mark])
    assert unasked.log10_p is not None
    assert unasked.log10_p > -3


def test_without_the_usual_numbers_it_shows_less(mark: BiasListMark) -> None:
    blind = BiasListMark(mark.key, mark.tokens)
    [[known, unknown]] = detect_biased([said(3_000, mark.logit_bias())], [mark, blind], decoys=0)
    assert known.log10_p is not None
    assert unknown.log10_p is not None
    assert known.log10_p < unknown.log10_p - 5


def test_tokens_off_the_list_do_not_count(mark: BiasListMark) -> None:
    text = np.array([mark.tokens[3], 799_999, mark.tokens[0], mark.tokens[3], 10**9])
    counts = mark.counts(text)
    assert (counts[0], counts[3], counts.sum()) == (1, 2, 3)


def test_the_p_value_is_that_of_tossing_the_signs_again(mark: BiasListMark) -> None:
    text = said(500, mark.logit_bias())
    weights = mark.weights(mark.counts(text))
    [signs] = mark.signs(np.array([mark.key.value], np.uint64))
    [[found]] = detect_biased([text], [mark])
    assert found.total == signs @ weights
    assert found.log10_p is not None
    assert found.log10_p == pytest.approx(float(sign_tail(found.total, weights)))
    tossed = np.random.default_rng(2).choice([-1, 1], (30_000, len(weights))) @ weights
    assert 10**found.log10_p == pytest.approx(np.mean(tossed >= found.total), abs=0.003)


@pytest.mark.parametrize("known", [True, False])
def test_p_values_under_wrong_keys_are_uniform_and_plain_ones_rare_enough(
    mark: BiasListMark, wrong_signs: Int64s, known: bool
) -> None:
    used = mark if known else BiasListMark(mark.key, mark.tokens)
    weights = used.weights(used.counts(said(400, mark.logit_bias())))
    totals = wrong_signs @ weights
    fuzzy = 10 ** sign_tail(totals, weights, np.random.default_rng(12))
    assert kstest(fuzzy, "uniform").pvalue > 0.01
    plain = sign_tail(totals, weights)
    for alpha in (1e-1, 1e-2, 1e-3, 1e-4):
        assert (plain <= np.log10(alpha)).sum() <= binom.ppf(0.999, KEYS, alpha)


@pytest.mark.parametrize(
    ("tokens", "why"),
    [
        ([], "empty"), ([7], "one token"), ([0] * 500, "repeated"), ([1, -1], "is none"),
        ([1, 800], "beyond the vocabulary"), ([0, 1] * 500, "different tokens of the list"),
    ],
)  # fmt: skip
def test_a_text_that_nothing_can_be_said_of_has_no_p_value(
    mark: BiasListMark, tokens: list[int], why: str
) -> None:
    [[found]] = detect_biased([np.array(tokens, np.int64)], [mark], vocabulary=Vocabulary(800))
    assert found.abstained is not None
    assert why in found.abstained
    assert (found.log10_p, found.corrected_log10_p, found.decoy_rank) == (None, None, None)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"tokens": ()}, "1 to 300"), ({"tokens": tuple(range(301))}, "1 to 300"),
        ({"tokens": (1, -1)}, "negative"), ({"tokens": (1, 1)}, "once"),
        ({"usual": (1.0,)}, "usual"), ({"usual": (1.0, 0.0)}, "usual"), ({"bias": 0.0}, "bias"),
        ({"bias": float("nan")}, "bias"), ({"bias": 11.0}, "bias"), ({"prf": "md5"}, "md5"),
    ],
)  # fmt: skip
def test_settings_that_make_no_list_are_refused(
    settings: dict[str, object], says: str, ring: KeyRing
) -> None:
    with pytest.raises(ValueError, match=says):
        BiasListMark(ring.key("c"), **{"tokens": (1, 2), **settings})  # type: ignore[arg-type]


def test_fewer_decoys_than_none_are_refused(mark: BiasListMark) -> None:
    with pytest.raises(ValueError, match="decoys"):
        detect_biased([], [mark], decoys=-1)
