"""Under keys that a text was not written with, p-values are what they claim to be."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, kstest

from stillwatch.watermark import Bernoulli, KeyRing, Mark, Scoring
from stillwatch.watermark.mark import Floats, UInt64s
from stillwatch.watermark.prf import NAMES, words
from stillwatch.watermark.windows import contexts_of, counted
from tests.watermark.conftest import VOCABULARY, write
from tests.watermark.schemes import SAMPLED, SCORED

KEYS = 100_000


def totals_under_wrong_keys(mark: Scoring, ring: KeyRing, length: int) -> tuple[Floats, int]:
    """Totals of a text that was written under another key of a scheme that samples."""
    writer: Mark = SAMPLED["gumbel"](ring)
    [text] = write([writer], length)
    at = counted(text, mark.context, once="pair")
    contexts, tokens = contexts_of(text, mark.context, at), text[at]
    carried = mark.carries(contexts)
    contexts, tokens = contexts[carried], tokens[carried]
    return mark.totals(contexts, tokens, wrong_keys()), len(tokens)


def wrong_keys() -> UInt64s:
    return np.random.default_rng(11).integers(0, 1 << 64, KEYS, np.uint64)


@pytest.mark.parametrize("scheme", SCORED)
def test_p_values_under_wrong_keys_are_uniform(scheme: str, ring: KeyRing) -> None:
    mark = SCORED[scheme](ring)
    totals, scored = totals_under_wrong_keys(mark, ring, 80)
    p = 10 ** mark.law.log10_p(totals, scored, np.random.default_rng(12))
    assert kstest(p, "uniform").pvalue > 0.01


@pytest.mark.parametrize("scheme", [name for name in SCORED if "tournament" in name])
@pytest.mark.parametrize("alpha", [1e-1, 1e-2, 1e-3, 1e-4])
def test_plain_p_values_of_a_tournament_are_rare_enough_and_hardly_rarer(
    scheme: str, alpha: float, ring: KeyRing
) -> None:
    mark = SCORED[scheme](ring)
    totals, scored = totals_under_wrong_keys(mark, ring, 80)
    below = int((mark.law.log10_p(totals, scored) <= np.log10(alpha)).sum())
    assert below <= binom.ppf(0.999, KEYS, alpha)
    assert below >= binom.ppf(0.001, KEYS, alpha * 0.7)  # steps of the total are small


@pytest.mark.parametrize("scheme", [name for name in SCORED if "green" in name or "layer" in name])
@pytest.mark.parametrize("alpha", [1e-1, 1e-2, 1e-3, 1e-4])
def test_plain_discrete_p_values_are_rare_enough_and_no_rarer_than_they_must(
    scheme: str, alpha: float, ring: KeyRing
) -> None:
    mark = SCORED[scheme](ring)
    assert isinstance(mark.law, Bernoulli)
    totals, scored = totals_under_wrong_keys(mark, ring, 80)
    below = int((mark.law.log10_p(totals, scored) <= np.log10(alpha)).sum())
    assert below <= binom.ppf(0.999, KEYS, alpha)
    least = binom.isf(alpha, scored, mark.law.share) + 1
    attained = binom.sf(least - 1, scored, mark.law.share)
    assert below >= binom.ppf(0.001, KEYS, attained)


@pytest.mark.parametrize("prf", NAMES)
def test_no_two_keys_are_related(prf: str) -> None:
    rng = np.random.default_rng(13)
    count = 20_000
    contexts = rng.integers(0, VOCABULARY, (count, 1))
    tokens = rng.integers(0, 128_000, count)
    near = [0, 1, 2, 3, 42, 96, *(1 << bit for bit in range(2, 64, 3)), (1 << 64) - 1]
    drawn = np.stack([words(prf, key, contexts, tokens) for key in near])
    for seen in (drawn.astype(np.float64), drawn < 1 << 30, drawn & 0xFF):
        related = np.corrcoef(seen)[np.triu_indices(len(near), 1)]
        assert np.abs(related).max() < 5 / np.sqrt(count)
