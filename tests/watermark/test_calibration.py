"""Under the null: keys that took no part in a text have p-values that keep what they promise."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import binom, kstest

from stillwatch.watermark import Bernoulli, Exponential, KeyRing
from stillwatch.watermark.gumbel import GumbelMark
from stillwatch.watermark.prf import NAMES, gumbel_totals, hits
from stillwatch.watermark.windows import contexts_of, counted
from tests.watermark.conftest import write

Int64s = npt.NDArray[np.int64]


def windows_of(text: Int64s, context: int) -> tuple[Int64s, Int64s]:
    positions = counted(text, context)
    return contexts_of(text, context, positions), text[positions]


def keys(count: int) -> npt.NDArray[np.uint64]:
    """Half of them as unrelated as random numbers, half of them neighbours."""
    rng = np.random.default_rng(11)
    near = np.arange(count // 2, dtype=np.uint64) + np.uint64(1 << 40)
    return np.concatenate([near, rng.integers(0, 1 << 64, count - len(near), np.uint64)])


def check_gumbel(prf: str, text: Int64s, count: int) -> None:
    contexts, tokens = windows_of(text, 2)
    log10_p = Exponential().log10_p(gumbel_totals(prf, keys(count), contexts, tokens), len(tokens))
    assert kstest(10**log10_p, "uniform").pvalue > 0.01
    bounded(log10_p, count)


def check_counted(prf: str, text: Int64s, count: int) -> None:
    contexts, tokens = windows_of(text, 2)
    rng = np.random.default_rng(12)
    law, green = Bernoulli(0.25), hits(prf, keys(count), contexts, tokens, 0.25)
    assert kstest(10 ** law.log10_p(green, len(tokens), rng), "uniform").pvalue > 0.01
    plain = law.log10_p(green, len(tokens))
    bounded(plain, count)
    # and not needlessly conservative: at each attainable level its own share, within noise
    for level in np.unique(plain)[::-1]:
        expected = 10**level * count
        if expected >= 50:
            found = (plain <= level).sum()
            assert abs(found - expected) < 4.5 * np.sqrt(expected)


def bounded(log10_p: npt.NDArray[np.float64], count: int) -> None:
    """Shares below 0.1 … 0.0001 within the 99.9 % bound of chance."""
    for alpha in (1e-1, 1e-2, 1e-3, 1e-4):
        assert (10**log10_p <= alpha).sum() <= binom.ppf(0.999, count, alpha)


@pytest.fixture
def text(ring: KeyRing) -> Int64s:
    """Written under a key of its own, in which none of the keys that are tried took part."""
    return write([GumbelMark(ring.key("the writer"), 2)], 220)[0]


@pytest.mark.parametrize("prf", NAMES)
def test_wrong_keys_have_uniform_p_values(prf: str, text: Int64s) -> None:
    check_gumbel(prf, text, 4_000)
    check_counted(prf, text, 4_000)


@pytest.mark.slow
@pytest.mark.parametrize("prf", NAMES)
def test_a_hundred_thousand_wrong_keys_have_uniform_p_values(prf: str, text: Int64s) -> None:
    check_gumbel(prf, text, 100_000)
    check_counted(prf, text, 100_000)


@pytest.mark.slow
@pytest.mark.parametrize("prf", NAMES)
def test_a_text_that_repeats_itself_is_no_evidence_against_anybody(prf: str) -> None:
    text = np.tile(np.random.default_rng(5).integers(0, 60, 90), 40)
    check_gumbel(prf, text, 20_000)
