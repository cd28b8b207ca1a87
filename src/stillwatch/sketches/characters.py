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
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stillwatch.sketches.features import Script

__all__ = ["CharacterTables", "character_tables", "prepare"]

LETTER, DIGIT, UPPER, LOWER = 1, 2, 4, 8
SPACE, UNSPACED, MARK, NEWLINE = 16, 32, 64, 128
SENTENCE_END, QUOTE, OPENING, CLOSING = 256, 512, 1024, 2048
CODE, LATIN, CAPITAL_LOOKALIKE, APOSTROPHE = 4096, 8192, 16384, 32768
WORD = LETTER | DIGIT | MARK

TABLE_END = 0x20000
"""Code points from here on are Han up to 0x40000, and symbols above."""

_SCRIPTS: tuple[tuple[int, int, Script], ...] = (
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

_LOOKALIKES = {
    "a": "аαɑ", "b": "ƅ", "c": "сϲᴄ", "d": "ԁ", "e": "еҽє", "g": "ɡց", "h": "һհ", "i": "іιıɩ",
    "j": "јϳ", "k": "κᴋ", "l": "ӏ", "n": "ոռ", "o": "оοօσᴏ", "p": "рρ", "q": "ԛգ", "r": "гᴦ",
    "s": "ѕꜱ", "u": "υսᴜ", "v": "ѵνᴠ", "w": "ԝաɯѡᴡ", "x": "хχ", "y": "уγүყ", "z": "ᴢ",
}  # fmt: skip
"""Small letters that pass for a Latin one."""

_CAPITAL_LOOKALIKES = {
    "b": "ВΒ", "h": "НΗ", "k": "К", "m": "МΜ", "n": "Ν", "t": "ТΤ", "z": "Ζ", "y": "Υ", "l": "Լ",
}  # fmt: skip
"""Capitals that pass for a Latin one though their small letter does not; in mixed words only."""

_SINGLE_QUOTES = "'‘’‚‛′ʼ"
_DOUBLE_QUOTES = '"“”„‟″'
_DASHES = "‐‑‒–—―−"
_OPENING, _CLOSING = "«「『《〈", "»」』》〉"
_SENTENCE_ENDS = ".!?。؟।…｡።"
_NEWLINES = "\n\r\v\f\x85\u2028\u2029"
_CODE = "{}()[];=<>_+*/\\|&%$#@^~"

_DROPPED = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Zero-width characters, bidirectional controls, variation selectors and tags."""


def prepare(text: str) -> str:
    """What is done before the kernel: ignorable characters dropped, then NFKC."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFKC", _DROPPED.sub("", text))


class CharacterTables(NamedTuple):
    """One row a code point below :data:`TABLE_END`. All arrays are read-only."""

    properties: NDArray[np.uint16]
    folded: NDArray[np.uint32]
    folded_mixed: NDArray[np.uint32]
    """The folding inside a word that has Latin letters."""
    script: NDArray[np.uint8]


@cache
def character_tables() -> CharacterTables:
    """Build the tables, once a process (some 50 ms)."""
    properties = np.zeros(TABLE_END, np.uint16)
    script = np.zeros(TABLE_END, np.uint8)
    folded = np.arange(TABLE_END, dtype=np.uint32)
    for first, last, kind in _SCRIPTS:
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
    tables = CharacterTables(properties, folded, mixed, script)
    for table in tables:
        table.setflags(write=False)
    return tables


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
    properties: NDArray[np.uint16], folded: NDArray[np.uint32]
) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """The folding everywhere, and that inside words with Latin letters."""
    skeleton = np.arange(TABLE_END, dtype=np.uint32)
    for latin, others in _LOOKALIKES.items():
        for c in others:
            skeleton[ord(c)] = ord(latin)
    folded = skeleton[folded]
    mixed = folded.copy()
    for latin, others in _CAPITAL_LOOKALIKES.items():
        for c in others:
            mixed[ord(c)] = ord(latin)
            properties[ord(c)] |= CAPITAL_LOOKALIKE
    return folded, mixed


def _set_punctuation(
    properties: NDArray[np.uint16], folded: NDArray[np.uint32], mixed: NDArray[np.uint32]
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
    ):
        for c in characters:
            properties[ord(c)] = bits
            folded[ord(c)] = mixed[ord(c)] = ord(target or c)
