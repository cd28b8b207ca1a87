"""The keyed functions: the published one at the heart of premix, uniform words, unrelated keys."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import chisquare, kstest

from stillwatch.watermark.prf import NAMES, gumbel_totals, hits, uniforms, words

MASK = 0xFFFFFFFF


def rotate(x: int, by: int) -> int:
    return (x << by | x >> (32 - by)) & MASK


def sip_round(v: list[int]) -> None:
    v[0] = (v[0] + v[1]) & MASK
    v[1] = rotate(v[1], 5) ^ v[0]
    v[0] = rotate(v[0], 16)
    v[2] = (v[2] + v[3]) & MASK
    v[3] = rotate(v[3], 8) ^ v[2]
    v[0] = (v[0] + v[3]) & MASK
    v[3] = rotate(v[3], 7) ^ v[0]
    v[2] = (v[2] + v[1]) & MASK
    v[1] = rotate(v[1], 13) ^ v[2]
    v[2] = rotate(v[2], 16)


def half_siphash(blocks: list[int], key: int) -> int:
    """HalfSipHash-1-3 as its authors' reference has it, of whole blocks."""
    k0, k1 = key & MASK, key >> 32
    v = [k0, k1, 0x6C796765 ^ k0, 0x74656462 ^ k1]
    for block in blocks:
        v[3] ^= block
        sip_round(v)
        v[0] ^= block
    v[2] ^= 0xFF
    for _ in range(3):
        sip_round(v)
    return v[1] ^ v[3]


def mix(x: int) -> int:
    full = (1 << 64) - 1
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & full
    x = (x ^ x >> 27) * 0x94D049BB133111EB & full
    return x ^ x >> 31


def by_hand(key: int, context: list[int], token: int) -> int:
    """premix-v1 in plain numbers."""
    gamma, full = 0x9E3779B97F4A7C15, (1 << 64) - 1
    state = mix((0x5354574D50524D58 + len(context) * gamma) & full)
    for before in context:
        state = mix((state + gamma & full) ^ before & MASK)
    both = mix(state + ((token & MASK) + 1) * gamma & full)
    return half_siphash([both & MASK, both >> 32], key)


def test_the_reference_of_this_test_gives_the_published_vector() -> None:
    """Of the bytes 0 … 7 under the key 0 … 7, with the last block that holds the length."""
    assert half_siphash([0x03020100, 0x07060504, 8 << 24], 0x0706050403020100) == 0x577999B1


@pytest.mark.parametrize("context", [1, 2, 4, 5])
def test_premix_is_half_siphash_of_a_context_and_a_token_mixed_without_a_key(context: int) -> None:
    rng = np.random.default_rng(context)
    contexts, tokens = rng.integers(-1, 1 << 31, (40, context)), rng.integers(0, 1 << 31, 40)
    for key in (0, 1, (1 << 64) - 1, 0x0123456789ABCDEF):
        said = words("premix-v1", key, contexts, tokens)
        assert said.tolist() == [
            by_hand(key, c, t) for c, t in zip(contexts.tolist(), tokens.tolist(), strict=True)
        ]


def many(context: int, count: int, seed: int = 1) -> tuple[npt.NDArray[np.int64], ...]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 50_000, (count, context)), rng.integers(0, 50_000, count)


@pytest.mark.parametrize("prf", NAMES)
def test_words_are_uniform_bit_by_bit_and_as_numbers(prf: str) -> None:
    drawn = words(prf, 77, *many(2, 200_000))
    for shift in (0, 8, 16, 24):
        counts = np.bincount(drawn >> np.uint32(shift) & np.uint32(255), minlength=256)
        assert chisquare(counts).pvalue > 1e-4
    assert kstest(drawn / 2.0**32, "uniform").pvalue > 1e-3


@pytest.mark.parametrize("prf", NAMES)
def test_words_of_neighbouring_tokens_and_contexts_are_uniform_too(prf: str) -> None:
    tokens = np.arange(100_000)
    along_tokens = words(prf, 5, np.zeros((100_000, 1), np.int64), tokens)
    along_contexts = words(prf, 5, tokens[:, None], np.zeros(100_000, np.int64))
    for drawn in (along_tokens, along_contexts):
        assert kstest(drawn / 2.0**32, "uniform").pvalue > 1e-3
        scaled = drawn / 2.0**32 - 0.5
        for lag in (1, 2, 4, 64):
            assert abs(np.mean(scaled[lag:] * scaled[:-lag]) * 12) < 5 / np.sqrt(1e5)


@pytest.mark.parametrize("prf", NAMES)
@pytest.mark.slow
def test_no_two_keys_agree_even_if_they_differ_in_one_bit(prf: str) -> None:
    """Green bits, high words and low words of 64 related keys and one another: noise."""
    contexts, tokens = many(2, 8_000)
    base = 0x0123456789ABCDEF
    keys = [base, *(base ^ 1 << bit for bit in range(64)), 42, 96]
    drawn = np.array([words(prf, key, contexts, tokens) for key in keys])
    for bits in (drawn < 1 << 30, drawn >> np.uint32(31), drawn & np.uint32(1)):
        related = np.corrcoef(bits.astype(np.float32))
        np.fill_diagonal(related, 0)
        assert np.abs(related).max() < 5.5 / np.sqrt(8_000)


@pytest.mark.slow
@pytest.mark.parametrize("prf", NAMES)
def test_keys_are_unrelated_over_ten_million_draws(prf: str) -> None:
    contexts, tokens = many(1, 10_000_000)
    base = 0xFEDCBA9876543210
    first = words(prf, base, contexts, tokens)
    reference = first < 1 << 30
    assert chisquare(np.bincount(first >> np.uint32(20), minlength=4096)).pvalue > 1e-4
    for other in (
        *(base ^ 1 << bit for bit in (0, 1, 7, 31, 32, 33, 62, 63)),
        base + 1,
        ~base & (1 << 64) - 1,
    ):
        second = words(prf, other, contexts, tokens)
        both = np.mean(reference & (second < 1 << 30)) - 1 / 16
        assert abs(both) / (3 / 16) < 5 / np.sqrt(1e7)
        together = np.bincount((first >> np.uint32(28)) * 16 + (second >> np.uint32(28)))
        assert chisquare(together).pvalue > 1e-4


@pytest.mark.parametrize("prf", NAMES)
@pytest.mark.parametrize("count", [1, 63, 64, 1_919, 1_921, 40_000])
def test_totals_of_many_keys_are_the_sums_of_each(prf: str, count: int) -> None:
    contexts, tokens = many(3, count)
    keys = np.random.default_rng(2).integers(0, 1 << 64, 70, np.uint64)
    totals, green = (
        gumbel_totals(prf, keys, contexts, tokens), hits(prf, keys, contexts, tokens, 0.25),
    )  # fmt: skip
    for key, total, hit in list(zip(keys.tolist(), totals, green, strict=True))[::23]:
        u = uniforms(prf, key, contexts, tokens)
        assert total == pytest.approx(-np.log1p(-u).sum(), rel=1e-12, abs=count * 2**-24)
        assert hit == (words(prf, key, contexts, tokens) < 1 << 30).sum()


def test_a_total_of_the_largest_scores_does_not_overflow() -> None:
    """Thousands of times the luckiest of a million tokens: a product that no float holds."""
    tokens = np.arange(1_000_000)
    scores = -np.log1p(-uniforms("premix-v1", 9, np.zeros((10**6, 1), int), tokens))
    best = np.full(6_000, np.argmax(scores))
    total = gumbel_totals("premix-v1", np.array([9], np.uint64), np.zeros((6_000, 1), int), best)
    assert scores.max() > 12
    assert total[0] == pytest.approx(6_000 * scores.max(), rel=1e-9)


def test_totals_of_no_windows_are_zero_and_of_no_keys_none() -> None:
    nothing = np.empty((0, 2), np.int64), np.empty(0, np.int64)
    assert gumbel_totals("premix-v1", np.array([1, 2], np.uint64), *nothing).tolist() == [0, 0]
    assert gumbel_totals("premix-v1", np.array([], np.uint64), *many(1, 5)).tolist() == []


@pytest.mark.parametrize("ask", [words, uniforms])
def test_windows_that_do_not_fit_and_unknown_functions_are_refused(
    ask: Callable[..., object],
) -> None:
    for contexts, tokens in ((np.zeros((2, 1)), np.zeros(3)), (np.zeros((2, 0)), np.zeros(2))):
        with pytest.raises(ValueError, match="contexts are"):
            ask("premix-v1", 1, contexts.astype(int), tokens.astype(int))
    with pytest.raises(ValueError, match="no keyed function"):
        ask("murmur", 1, np.zeros((1, 1), int), np.zeros(1, int))
