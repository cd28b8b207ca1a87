"""SGLang's function is MurmurHash3, with fewer keys than it takes."""

from __future__ import annotations

import numpy as np

from stillwatch.watermark.prf import SGLANG, words

MASK = 0xFFFFFFFF
C1, C2 = 0xCC9E2D51, 0x1B873593


def rotate(x: int, by: int) -> int:
    return (x << by | x >> (32 - by)) & MASK


def scramble(word: int) -> int:
    return rotate(word * C1 & MASK, 15) * C2 & MASK


def unscramble(word: int) -> int:
    word = word * pow(C2, -1, 1 << 32) & MASK
    return rotate(word, 17) * pow(C1, -1, 1 << 32) & MASK


def absorb(state: int, word: int) -> int:
    return rotate(state ^ scramble(word), 13) * 5 + 0xE6546B64 & MASK


def murmur3(blocks: list[int]) -> int:
    """MurmurHash3_x86_32 of whole blocks with seed 0, as its author has it."""
    state = 0
    for block in blocks:
        state = absorb(state, block)
    state ^= 4 * len(blocks)
    state = (state ^ state >> 16) * 0x85EBCA6B & MASK
    state = (state ^ state >> 13) * 0xC2B2AE35 & MASK
    return state ^ state >> 16


def test_the_reference_of_this_test_gives_the_published_vector() -> None:
    assert murmur3([int.from_bytes(b"test", "little")]) == 0xBA6BD213


def test_words_are_murmur_of_the_key_the_hash_of_the_context_and_the_token() -> None:
    rng = np.random.default_rng(0)
    for key in (0, 0x0123456789ABCDEF, (1 << 64) - 1):
        contexts, tokens = rng.integers(0, 1 << 31, (30, 3)), rng.integers(0, 1 << 31, 30)
        assert words(SGLANG, key, contexts, tokens).tolist() == [
            murmur3([key & MASK, key >> 32, murmur3(context), token])
            for context, token in zip(contexts.tolist(), tokens.tolist(), strict=True)
        ]


def test_it_has_no_more_than_32_bits_of_key() -> None:
    """For each low half there is a high half that makes it the same key as another."""
    key, rng = 0xFEDCBA9876543210, np.random.default_rng(1)
    contexts, tokens = rng.integers(0, 50_000, (2_000, 2)), rng.integers(0, 50_000, 2_000)
    ours = words(SGLANG, key, contexts, tokens)
    for low in (0, 1, 0xABCDEF):
        states = absorb(0, key & MASK), absorb(0, low)
        high = unscramble(states[0] ^ states[1] ^ scramble(key >> 32))
        twin = high << 32 | low
        assert twin != key
        assert (words(SGLANG, twin, contexts, tokens) == ours).all()
        assert (words(SGLANG, twin ^ 1 << 40, contexts, tokens) != ours).all()
