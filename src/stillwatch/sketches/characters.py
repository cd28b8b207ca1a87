"""What each character is, and what it is folded to: the tables that the kernel reads.

Built from Python's ``unicodedata`` (categories, case folding) and from two short tables of our
own: the ranges of the scripts, and the letters of other scripts that look like Latin ones. The
second was written by comparing glyphs, in the spirit of UTS #39 skeletons, not copied from them.

Every look-alike is folded, in every word: a Russian word then always has the same skeleton, and
a Latin word with Cyrillic letters slipped in has the skeleton of the Latin word.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

import numpy as np
from numpy.typing import NDArray

from stillwatch.sketches.features import Script

__all__ = [
    "CAPITAL_LOOKALIKES", "DROPPED", "LOOKALIKES", "SCRIPT_RANGES", "TABLE_END", "changeable",
    "character_table", "fold_word", "prepare",
]  # fmt: skip

LETTER, DIGIT, UPPER, LOWER = 1, 2, 4, 8
SPACE, UNSPACED, MARK, NEWLINE = 16, 32, 64, 128
SENTENCE_END, QUOTE, OPENING, CLOSING = 256, 512, 1024, 2048
CODE, LATIN, CAPITAL_LOOKALIKE, APOSTROPHE, JOINER = 4096, 8192, 16384, 32768, 65536
WORD = LETTER | DIGIT | MARK

FOLDED, MIXED, SCRIPT = 17, 38, 59
"""Where the fields of a table entry begin; a code point takes 21 bits."""

TABLE_END = 0x20000
"""Code points from here on are Han up to 0x40000, and symbols above."""

SCRIPT_RANGES: tuple[tuple[int, int, Script], ...] = (
    (0x0041, 0x02AF, Script.LATIN), (0x0370, 0x03FF, Script.GREEK),
    (0x0400, 0x052F, Script.CYRILLIC), (0x0531, 0x058F, Script.ARMENIAN),
    (0x0590, 0x05FF, Script.HEBREW), (0x0600, 0x06FF, Script.ARABIC),
    (0x0750, 0x077F, Script.ARABIC), (0x08A0, 0x08FF, Script.ARABIC),
    (0x0900, 0x097F, Script.DEVANAGARI), (0x0980, 0x09FF, Script.BENGALI),
    (0x0B80, 0x0BFF, Script.TAMIL), (0x0C00, 0x0C7F, Script.TELUGU),
    (0x0E00, 0x0E7F, Script.THAI), (0x0E80, 0x0EFF, Script.LAO),
    (0x1000, 0x109F, Script.MYANMAR), (0x10A0, 0x10FF, Script.GEORGIAN),
    (0x1100, 0x11FF, Script.HANGUL), (0x1200, 0x139F, Script.ETHIOPIC),
    (0x1780, 0x17FF, Script.KHMER), (0x1C80, 0x1C8F, Script.CYRILLIC),
    (0x1C90, 0x1CBF, Script.GEORGIAN), (0x1D00, 0x1D7F, Script.LATIN),
    (0x1E00, 0x1EFF, Script.LATIN), (0x1F00, 0x1FFF, Script.GREEK),
    (0x2C60, 0x2C7F, Script.LATIN), (0x2D00, 0x2D2F, Script.GEORGIAN),
    (0x2D80, 0x2DDF, Script.ETHIOPIC), (0x2DE0, 0x2DFF, Script.CYRILLIC),
    (0x2E80, 0x3007, Script.HAN), (0x3021, 0x3029, Script.HAN),
    (0x3031, 0x3035, Script.JAPANESE), (0x3041, 0x30FF, Script.JAPANESE),
    (0x3105, 0x312F, Script.HAN), (0x3131, 0x318E, Script.HANGUL),
    (0x31A0, 0x31BF, Script.HAN), (0x31F0, 0x31FF, Script.JAPANESE),
    (0x3400, 0x9FFF, Script.HAN), (0xA640, 0xA69F, Script.CYRILLIC),
    (0xA720, 0xA7FF, Script.LATIN), (0xA960, 0xA97F, Script.HANGUL),
    (0xA9E0, 0xA9FF, Script.MYANMAR), (0xAA60, 0xAA7F, Script.MYANMAR),
    (0xAB30, 0xAB6F, Script.LATIN), (0xAC00, 0xD7FB, Script.HANGUL),
    (0xF900, 0xFAFF, Script.HAN), (0xFB50, 0xFEFC, Script.ARABIC),
    (0x1B000, 0x1B16F, Script.JAPANESE),
)  # fmt: skip

LOOKALIKES = {
    "a": "аαɑ", "b": "ƅ", "c": "сϲᴄ", "d": "ԁ", "e": "еҽє", "g": "ɡց", "h": "һհ", "i": "іιıɩ",
    "j": "јϳ", "k": "κᴋ", "l": "ӏ", "n": "ոռ", "o": "оοօσᴏ", "p": "рρ", "q": "ԛգ", "r": "гᴦ",
    "s": "ѕꜱ", "u": "υսᴜ", "v": "ѵνᴠ", "w": "ԝաɯѡᴡ", "x": "хχ", "y": "уγүყ", "z": "ᴢ",
}  # fmt: skip
"""Small letters that pass for a Latin one."""

CAPITAL_LOOKALIKES = {
    "b": "ВΒ", "h": "НΗ", "k": "К", "m": "МΜ", "n": "Ν", "t": "ТΤ", "z": "Ζ", "y": "Υ", "l": "Լ",
}  # fmt: skip
"""Capitals that pass for a Latin one though their small letter does not; in mixed words only."""

_SINGLE_QUOTES = "'‘’‚‛′"
_DOUBLE_QUOTES = '"“”„‟″'
_DASHES = "‐‑‒–—―−"
_OPENING, _CLOSING = "«「『《〈", "»」』》〉"
_SENTENCE_ENDS = ".!?。؟।…｡።"
_JOINERS = "-_.=+:/\\@&#%~*^$'"
_NEWLINES = "\n\r\v\f\x85\u2028\u2029"
_CODE = "{}()[];=<>_+*/\\|&%$#@^~"

DROPPED = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Zero-width characters, bidirectional controls, variation selectors and tags."""


def prepare(text: str) -> str:
    """What is done before the kernel: CRLF to LF, ignorable characters dropped, then NFKC."""
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    if text.isascii():
        return text
    return unicodedata.normalize("NFKC", DROPPED.sub("", text))


@cache
def changeable() -> NDArray[np.bool_]:
    """Which code points :func:`prepare` may change, alone or beside others. Read-only.

    A text without any of them is prepared as it is. Marks and jamo count, since they may combine.
    """
    table = np.zeros(TABLE_END, np.bool_)
    for first, end in ((0x80, 0x3400), (0xA000, 0xAC00), (0xD7A4, 0xD800), (0xE000, TABLE_END)):
        for code in range(first, end):
            character = chr(code)
            table[code] = not unicodedata.is_normalized("NFKC", character) or (
                unicodedata.category(character)[0] == "M"
            )
    table[0x1100:0x1200] = table[ord("\r")] = True
    for match in DROPPED.finditer("".join(map(chr, range(0x80, TABLE_END)))):
        table[ord(match.group())] = True
    table.setflags(write=False)
    return table


def fold_word(word: str) -> str:
    """The folding of one word: case, look-alikes, quotes. What its hash is taken of."""
    entries = [_entry(ord(c)) for c in word]
    seen = 0
    for entry in entries:
        seen |= entry
    shift = MIXED if seen & LATIN and seen & CAPITAL_LOOKALIKE else FOLDED
    return "".join(chr((entry >> shift) & 0x1FFFFF) for entry in entries)


def _entry(code: int) -> int:
    if code < TABLE_END:
        return int(character_table()[code])
    return code << FOLDED | code << MIXED


@cache
def character_table() -> NDArray[np.uint64]:
    """One number a code point below :data:`TABLE_END`, built once a process (some 50 ms).

    Bits 0-16 are the properties, from 17 on the folded character, from 38 on the folded
    character inside a word that has Latin letters, from 59 on the script. Read-only.
    """
    properties = np.zeros(TABLE_END, np.uint32)
    script = np.zeros(TABLE_END, np.uint8)
    folded = np.arange(TABLE_END, dtype=np.uint32)
    for first, last, kind in SCRIPT_RANGES:
        script[first : last + 1] = kind
    properties[0x3400:0xA000] = LETTER | UNSPACED  # uniform: no need to ask one by one
    properties[0xAC00:0xD7A4] = LETTER
    for first, end in ((0, 0x3400), (0xA000, 0xAC00), (0xD7A4, 0xD800), (0xE000, TABLE_END)):
        for code in range(first, end):
            category = unicodedata.category(chr(code))
            if category[0] in "LMN":
                properties[code] = _word_bits(category, int(script[code]))
                if category[0] == "L":
                    folded[code] = _simple_fold(chr(code))
            elif category[0] == "Z" or category == "Cc":
                properties[code] = SPACE
    letters = (properties & LETTER) != 0
    script[letters & (script == 0)] = Script.OTHER
    script[~letters] = Script.NONE
    properties[script == Script.LATIN] |= LATIN
    folded, mixed = _fold_lookalikes(properties, folded)
    _set_punctuation(properties, folded, mixed)
    table = properties.astype(np.uint64)
    for bits, shift in ((folded, FOLDED), (mixed, MIXED), (script, SCRIPT)):
        table |= bits.astype(np.uint64) << np.uint64(shift)
    table.setflags(write=False)
    return table


def _word_bits(category: str, script: int) -> int:
    bits = {"L": LETTER, "M": MARK, "N": DIGIT}[category[0]]
    if category in ("Lu", "Lt"):
        bits |= UPPER
    elif category == "Ll":
        bits |= LOWER
    if script >= Script.HAN and category[0] in "LM":
        bits |= UNSPACED
    return bits


def _simple_fold(character: str) -> int:
    """Simple case folding: the one character that it folds to, else its small letter."""
    for candidate in (character.casefold(), character.lower()):
        if len(candidate) == 1:
            return ord(candidate)
    return ord(character)


def _fold_lookalikes(
    properties: NDArray[np.uint32], folded: NDArray[np.uint32]
) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """The folding everywhere, and that inside words with Latin letters."""
    skeleton = np.arange(TABLE_END, dtype=np.uint32)
    for latin, others in LOOKALIKES.items():
        for c in others:
            skeleton[ord(c)] = ord(latin)
    folded = skeleton[folded]
    mixed = folded.copy()
    for latin, others in CAPITAL_LOOKALIKES.items():
        for c in others:
            mixed[ord(c)] = ord(latin)
            properties[ord(c)] |= CAPITAL_LOOKALIKE
    return folded, mixed


def _set_punctuation(
    properties: NDArray[np.uint32], folded: NDArray[np.uint32], mixed: NDArray[np.uint32]
) -> None:
    for characters, target, bits in (
        (_SINGLE_QUOTES, "'", APOSTROPHE),
        (_DOUBLE_QUOTES, '"', QUOTE),
        (_DASHES, "-", 0),
        (_OPENING, "", OPENING),
        (_CLOSING, "", CLOSING),
        (_SENTENCE_ENDS, "", SENTENCE_END),
        (_NEWLINES, "", SPACE | NEWLINE),
        (_CODE, "", CODE),
        (_JOINERS, "", JOINER),
    ):
        for c in characters:
            properties[ord(c)] |= bits
            folded[ord(c)] = mixed[ord(c)] = ord(target or c)
