"""Words → tokens: what names a person, a thing or a number becomes a mask."""

from __future__ import annotations

import numpy as np

from stillwatch.sketches import layout as ly
from stillwatch.sketches.compiled import compiled
from stillwatch.sketches.features import Script
from stillwatch.sketches.layout import Bytes, Int, Int32s, Int64s, UInt64, UInt64s
from stillwatch.sketches.siphash import siphash_bytes, siphash_short_each
from stillwatch.sketches.utf8 import load_eight, mask_low_bytes

__all__ = [
    "FEWEST_CASED", "FEWEST_OUTSIDE", "MASK", "MASK_CASE", "MASK_QUOTES", "MASK_SPACED",
    "dominant_script", "hash_words", "mask_mode", "masked_tokens",
]  # fmt: skip

MASK = np.uint64(0)
"""The hash of a mask."""

MASKED, WORD, CHARACTER = 0, 1, 2
"""Kinds of tokens."""

MASK_CASE, MASK_QUOTES, MASK_SPACED = 1, 2, 4
"""What is masked beside digits, addresses, paths and identifiers: by capitals, by quotation
marks, words with spaces in a text whose script has none."""

FEWEST_CASED, FEWEST_OUTSIDE = 8, 5
_HAN, _JAPANESE, _SCRIPT_COUNT = int(Script.HAN), int(Script.JAPANESE), 32
_ALWAYS = ly.HAS_DIGIT | ly.ENTITY | ly.LONG
_BY_CASE = ly.INNER_UPPER | ly.ENTITY_BY_CASE
_NAME = ly.FIRST_UPPER | ly.PRONOUN


@compiled
def hash_words(out: Bytes, words: Int32s, n: int, k0: UInt64, k1: UInt64, hashes: UInt64s) -> None:
    """The keyed hash of every word: short ones in one sweep, long ones by themselves."""
    for i in range(n):
        begin = np.int64(words[i, ly.BEGIN])
        length = words[i, ly.END] - begin
        block = load_eight(out, begin) & mask_low_bytes(min(length, 7))
        hashes[i] = block | (np.uint64(length) << np.uint64(56))
    siphash_short_each(hashes, n, k0, k1)
    for i in range(n):
        begin, end = np.int64(words[i, ly.BEGIN]), np.int64(words[i, ly.END])
        if end - begin > 7:
            hashes[i] = siphash_bytes(out, begin, end, k0, k1)


@compiled
def dominant_script(state: Int64s) -> int:
    """The script with most letters; Han with a tenth of kana is Japanese."""
    best, most = 0, 0
    for k in range(_SCRIPT_COUNT):
        if state[ly.SCRIPTS + k] > most:
            best, most = k, state[ly.SCRIPTS + k]
    if best == _HAN and state[ly.SCRIPTS + _JAPANESE] * 9 >= state[ly.SCRIPTS + _HAN]:
        return _JAPANESE
    return best


@compiled
def mask_mode(words: Int32s, n: int, state: Int64s, script: int) -> int:
    """Which optional masks a row gets.

    Capitals tell nothing where most words have one, and quotation marks around (nearly) the whole
    text are no quotation: those masks are then left out, so that neither hides a template.
    """
    mode = MASK_CASE | MASK_QUOTES
    if state[ly.CASED] >= FEWEST_CASED and state[ly.CAPITALS] * 5 > state[ly.CASED] * 3:
        mode = MASK_QUOTES
    outside = quoted = 0
    for i in range(n):
        flags = words[i, ly.FLAGS]
        quoted += flags & ly.QUOTED != 0
        outside += not flags & (_ALWAYS | ly.QUOTED)
        if outside >= FEWEST_OUTSIDE:
            break
    if quoted > 0 and outside < FEWEST_OUTSIDE:
        mode &= ~MASK_QUOTES
    if script >= _HAN:
        mode |= MASK_SPACED
    return mode


@compiled
def _is_masked(words: Int32s, i: int, n: int, mode: int) -> Int:
    flags = words[i, ly.FLAGS]
    if flags & _ALWAYS or (flags & ly.QUOTED and mode & MASK_QUOTES):
        return True
    if flags & ly.CHARACTER:
        return False
    if mode & MASK_SPACED:
        return True
    if not mode & MASK_CASE:
        return False
    if flags & _BY_CASE:
        return True
    if flags & _NAME != ly.FIRST_UPPER:
        return False
    if not flags & ly.SENTENCE_START:
        return True
    if i + 1 == n:
        return False
    after = words[i + 1, ly.FLAGS]  # 'Ada Lovelace' at the start of a sentence
    return after & ly.FOLLOWS != 0 and after & _NAME == ly.FIRST_UPPER


@compiled
def masked_tokens(
    hashes: UInt64s, words: Int32s, n: int, mode: int,
    tokens: UInt64s, kinds: Bytes, first_words: Int32s,
) -> int:  # fmt: skip
    """Words with runs of masked ones collapsed to one mask. Returns the number of tokens.

    `first_words` takes the word that a token begins at.
    """
    t = 0
    masking = False
    for i in range(n):
        masked = _is_masked(words, i, n, mode)
        if masked and masking:
            continue
        masking = masked
        first_words[t] = i
        if masked:
            tokens[t], kinds[t] = MASK, MASKED
        else:
            tokens[t] = hashes[i]
            kinds[t] = CHARACTER if words[i, ly.FLAGS] & ly.CHARACTER else WORD
        t += 1
    return t
