"""The second half of the kernel: words → masked tokens → n-grams → the smallest hashes."""

from __future__ import annotations

import numpy as np
from numba import njit

from stillwatch.sketches import scan as sc
from stillwatch.sketches.features import Script
from stillwatch.sketches.siphash import siphash_bytes, siphash_word

__all__ = [
    "CELLS",
    "CELL_CHARACTERS",
    "CELL_WORDS",
    "EDGE",
    "SHINGLES",
    "SHINGLE_CHARACTERS",
    "SHINGLE_WORDS",
]

CELL_WORDS, CELL_CHARACTERS, CELLS = 5, 8, 16
SHINGLE_WORDS, SHINGLE_CHARACTERS = 6, 12
SHINGLES, MOST_SHINGLES, SHINGLE_RATE = 8, 64, 16
EDGE = 192
FEWEST_UNMASKED = 3
FEWEST_CASED, FEWEST_OUTSIDE_QUOTES = 8, 5

MASK = np.uint64(0)
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)

MASK_CASE, MASK_QUOTES, MASK_SPACED = 1, 2, 4
"""What is masked in a text, beside digits, addresses, paths and identifiers."""

_UNSPACED_SCRIPTS = int(Script.HAN)
_HAN, _JAPANESE = int(Script.HAN), int(Script.JAPANESE)


@njit
def dominant_script(counts):
    """The script with most letters; Han with a tenth of kana is Japanese."""
    best, most = 0, 0
    for k in range(32):
        c = counts[sc.SCRIPTS + k]
        if c > most:
            best, most = k, c
    kana = counts[sc.SCRIPTS + _JAPANESE]
    if best == _HAN and kana * 9 >= counts[sc.SCRIPTS + _HAN]:
        return _JAPANESE
    return best


@njit
def mask_mode(flags, n, counts, script):
    """Which optional masks a text gets.

    Capitals tell nothing where most words have one, and quotation marks around (nearly) the whole
    text are no quotation: those masks are then left out, so that neither hides a template.
    """
    mode = MASK_CASE | MASK_QUOTES
    if counts[sc.CASED] >= FEWEST_CASED and counts[sc.CAPITALS] * 10 > counts[sc.CASED] * 6:
        mode &= ~MASK_CASE
    outside = 0
    for i in range(n):
        if not flags[i] & (sc.QUOTED | sc.HAS_DIGIT | sc.ENTITY):
            outside += 1
            if outside >= FEWEST_OUTSIDE_QUOTES:
                break
    if outside < FEWEST_OUTSIDE_QUOTES:
        mode &= ~MASK_QUOTES
    if script >= _UNSPACED_SCRIPTS:
        mode |= MASK_SPACED
    return mode


@njit
def is_masked(flags, i, n, mode):
    """Whether word `i` is masked."""
    f = flags[i]
    if f & (sc.HAS_DIGIT | sc.ENTITY | sc.TOO_LONG):
        return True
    if mode & MASK_QUOTES and f & sc.QUOTED:
        return True
    if f & sc.CHARACTER:
        return False
    if mode & MASK_SPACED:
        return True
    if not mode & MASK_CASE:
        return False
    if f & (sc.INNER_UPPER | sc.ENTITY_BY_CASE):
        return True
    if f & sc.FIRST_UPPER and not f & sc.PRONOUN:
        if not f & sc.SENTENCE_START:
            return True
        if i + 1 < n:  # 'Ada Lovelace' at the start of a sentence
            after = flags[i + 1]
            return after & sc.FOLLOWS and after & sc.FIRST_UPPER and not after & sc.PRONOUN
    return False


@njit
def hash_words(out, begins, ends, n, k0, k1, hashes):
    """The keyed hash of every word."""
    for i in range(n):
        hashes[i] = siphash_bytes(out, begins[i], ends[i], k0, k1)


@njit
def masked_tokens(hashes, flags, n, mode, tokens, kinds, words):
    """Words with runs of masked ones collapsed to one mask. Returns the number of tokens.

    `kinds`: 0 a mask, 1 a word, 2 a character. `words`: the word that a token begins at.
    """
    t = 0
    for i in range(n):
        if is_masked(flags, i, n, mode):
            if t == 0 or kinds[t - 1] != 0:
                tokens[t], kinds[t], words[t] = MASK, 0, i
                t += 1
        else:
            tokens[t] = hashes[i]
            kinds[t] = 2 if flags[i] & sc.CHARACTER else 1
            words[t] = i
            t += 1
    return t


@njit
def insert_smallest(value, smallest, begin, count, most):
    """Insert `value` into the ascending ``smallest[begin:begin + count]``, keeping `most`."""
    if count == most:
        if value >= smallest[begin + count - 1]:
            return count
        j = begin + count - 1
    else:
        j = begin + count
    while j > begin and smallest[j - 1] > value:
        j -= 1
    if j > begin and smallest[j - 1] == value:
        return count
    last = begin + (count if count < most else count - 1)
    while last > j:
        smallest[last] = smallest[last - 1]
        last -= 1
    smallest[j] = value
    return count + 1 if count < most else count


@njit
def window_length(kinds, i, t, words, characters):
    """How many tokens the window at `i` has: 0 where the text ends before it does."""
    if i + words > t:
        return 0
    for j in range(i, i + words):
        if kinds[j] == 2:
            return characters if i + characters <= t else 0
    return words


@njit
def combine(tokens, begin, end):
    """A polynomial in the token hashes modulo 2**64, which keeps their order."""
    value = np.uint64(0)
    for j in range(begin, end):
        value = value * MULTIPLIER + tokens[j]
    return value


@njit
def window_masked(kinds, i, length):
    """Whether more than half of the window's tokens are masks."""
    masks = 0
    for j in range(i, i + length):
        if kinds[j] == 0:
            masks += 1
    return masks * 2 > length


@njit
def cell_at(tokens, kinds, i, t, k0, k1):
    """The cell that begins at token `i`: how many tokens it has (0: none) and its value."""
    length = window_length(kinds, i, t, CELL_WORDS, CELL_CHARACTERS)
    if length == 0 or window_masked(kinds, i, length):
        return 0, np.int64(0)
    if t > 2 * EDGE and i < EDGE and i + length > EDGE:
        return 0, np.int64(0)
    return length, np.int64(siphash_word(combine(tokens, i, i + length), k0, k1))


@njit
def short_text_cell(tokens, kinds, t, k0, k1):
    """The one cell of a text that is too short for a window: its tokens (0: none), its value."""
    for i in range(t):
        if window_length(kinds, i, t, CELL_WORDS, CELL_CHARACTERS) > 0:
            return 0, np.int64(0)
    unmasked = 0
    for i in range(t):
        if kinds[i] != 0:
            unmasked += 1
    if unmasked < FEWEST_UNMASKED:
        return 0, np.int64(0)
    return t, np.int64(siphash_word(combine(tokens, 0, t), k0, k1))


@njit
def add_cells(tokens, kinds, t, k0, k1, cells, begin):
    """The smallest cell hashes into ``cells[begin:]``, ascending. Returns how many."""
    count = 0
    i = 0
    while i < t:
        if t > 2 * EDGE and i == EDGE:
            i = t - EDGE
        length, value = cell_at(tokens, kinds, i, t, k0, k1)
        if length > 0:
            count = insert_smallest(value, cells, begin, count, CELLS)
        i += 1
    if count == 0 and t <= CELL_CHARACTERS:
        length, value = short_text_cell(tokens, kinds, t, k0, k1)
        if length > 0:
            cells[begin] = value
            count = 1
    return count


@njit
def add_shingles(hashes, flags, first, n, k0, k1, shingles, begin):
    """The smallest shingle hashes of the words from `first` on. Returns how many."""
    windows = n - first - SHINGLE_WORDS + 1
    most = min(max(SHINGLES, (windows + SHINGLE_RATE - 1) // SHINGLE_RATE), MOST_SHINGLES)
    count = 0
    since_character = SHINGLE_WORDS  # words since the last character, seen from the window's end
    for j in range(first, min(first + SHINGLE_WORDS - 1, n)):
        since_character = 0 if flags[j] & sc.CHARACTER else since_character + 1
    for i in range(first, first + windows):
        j = i + SHINGLE_WORDS - 1
        since_character = 0 if flags[j] & sc.CHARACTER else since_character + 1
        length = SHINGLE_WORDS
        if since_character < SHINGLE_WORDS:
            length = SHINGLE_CHARACTERS
            if i + length > n:
                continue
        value = np.int64(siphash_word(combine(hashes, i, i + length), k0, k1))
        count = insert_smallest(value, shingles, begin, count, most)
    return count
