"""The first half of the kernel: one pass over the UTF-8 of a text, which finds its words.

It writes the folded text and one row a word (:mod:`.layout`), and counts surface features.
"""

from __future__ import annotations

import numpy as np

from stillwatch.sketches import characters as ch
from stillwatch.sketches import layout as ly
from stillwatch.sketches.compiled import compiled, inlined
from stillwatch.sketches.features import Script
from stillwatch.sketches.layout import Bytes, Int, Int32s, Int64s, UInt64, UInt64s
from stillwatch.sketches.surface import (
    begin_text,
    close_chunk,
    end_line,
    end_text,
    punctuation,
)
from stillwatch.sketches.utf8 import decode, encode

__all__ = ["LONGEST_WORD", "room_for_folded", "room_for_words", "scan"]

LONGEST_WORD = 24
"""Bytes of the longest word that is not taken for a blob."""

_WORD, _LETTER, _DIGIT, _UPPER, _LOWER = ch.WORD, ch.LETTER, ch.DIGIT, ch.UPPER, ch.LOWER
_SPACE, _UNSPACED, _MARK, _NEWLINE = ch.SPACE, ch.UNSPACED, ch.MARK, ch.NEWLINE
_LATIN, _LOOKALIKE, _APOSTROPHE = ch.LATIN, ch.CAPITAL_LOOKALIKE, ch.APOSTROPHE
_TABLE_END, _HAN_END = ch.TABLE_END, 0x40000
_FOLDED, _MIXED, _SCRIPT = np.uint64(ch.FOLDED), np.uint64(ch.MIXED), np.uint64(ch.SCRIPT)
_CODE_POINT, _PROPERTIES = np.uint64(0x1FFFFF), np.uint64(0x1FFFF)
_HAN = (np.uint64(int(Script.HAN)) << _SCRIPT) | np.uint64(ch.LETTER | ch.UNSPACED)


@compiled
def room_for_folded(length: int) -> int:
    """Bytes that the folding of `length` bytes may take: at worst two become three."""
    return length * 3 // 2 + 16


@compiled
def room_for_words(length: int) -> int:
    """At least the words that `length` bytes may hold: what is not a word parts them, or they
    are characters of three bytes."""
    return length // 2 + 2


@inlined
def entry_of(code: Int, table: UInt64s) -> UInt64:
    """The table entry of a code point, those past the end of the table included."""
    if code < _TABLE_END:
        return table[np.uint64(code)]
    c = np.uint64(code)
    return (c << _FOLDED) | (c << _MIXED) | (_HAN if code < _HAN_END else np.uint64(0))


@compiled
def _properties_at(buf: Bytes, pos: Int, end: int, table: UInt64s) -> Int:
    """The properties of the character at `pos`; 0 past the end."""
    properties = np.int64(0)
    if pos < end:
        code = np.int64(buf[np.uint64(pos)])
        if code >= 128:
            code, _ = decode(buf, pos, end)
        properties = np.int64(entry_of(code, table) & _PROPERTIES)
    return properties


@compiled
def _characters(
    buf: Bytes, pos: Int, end: int, table: UInt64s,
    out: Bytes, o: Int, words: Int32s, n: int, state: Int64s,
) -> tuple[Int, Int]:  # fmt: skip
    """One character of a script without spaces, with its marks, is a word."""
    close_chunk(words, n, state)
    words[n, ly.BEGIN], words[n, ly.SOURCE_BEGIN] = o, pos - state[ly.BASE]
    words[n, ly.FLAGS] = ly.CHARACTER | (ly.SENTENCE_START if state[ly.STARTS] else 0)
    code, width = decode(buf, pos, end)
    entry = entry_of(code, table)
    while True:
        if entry & np.uint64(_LETTER):
            state[ly.SCRIPTS + np.int64(entry >> _SCRIPT)] += 1
        o = encode(np.int64((entry >> _FOLDED) & _CODE_POINT), out, o)
        pos += width
        if pos >= end or buf[np.uint64(pos)] < 128:
            break
        code, width = decode(buf, pos, end)
        entry = entry_of(code, table)
        if not entry & np.uint64(_MARK):
            break
    words[n, ly.END], words[n, ly.SOURCE_END] = o, pos - state[ly.BASE]
    state[ly.CHUNK] = n + 1
    state[ly.STARTS] = state[ly.FRESH] = 0
    return pos, o


@compiled
def _fold_mixed(buf: Bytes, pos: Int, end: int, table: UInt64s, out: Bytes, o: int) -> int:
    """Fold a word again, with the look-alikes that only count beside Latin letters."""
    while pos < end:
        code: Int = np.int64(buf[np.uint64(pos)])
        width: Int = 1
        if code >= 128:
            code, width = decode(buf, pos, end)
        o = encode(np.int64((entry_of(code, table) >> _MIXED) & _CODE_POINT), out, o)
        pos += width
    return o


@inlined
def _end_word(
    buf: Bytes, pos: Int, end: int, seen: int, first: int, inner: int, follows: bool,
    out: Bytes, words: Int32s, n: int, state: Int64s,
) -> None:  # fmt: skip
    """Flag the word in row `n`, which ends at `pos`."""
    begin = words[n, ly.BEGIN]
    length = words[n, ly.END] - begin
    flags = ly.FOLLOWS if follows else 0
    if seen & _DIGIT:
        flags |= ly.HAS_DIGIT
        state[ly.CHUNK_BITS] |= ly.ANY_DIGIT
    if inner & _UPPER:
        flags |= ly.INNER_UPPER
        state[ly.CHUNK_BITS] |= ly.ANY_CAPITAL
    if first & _UPPER:
        flags |= ly.FIRST_UPPER
        if out[begin] == 0x69 and (length == 1 or out[begin + 1] == 0x27):
            flags |= ly.PRONOUN
    if state[ly.STARTS]:
        flags |= ly.SENTENCE_START
    elif seen & (_UPPER | _LOWER):
        state[ly.CASED] += 1
        if flags & (ly.FIRST_UPPER | ly.INNER_UPPER) and not flags & ly.PRONOUN:
            state[ly.CAPITALS] += 1
    if length > LONGEST_WORD:
        flags |= ly.LONG
    words[n, ly.FLAGS] = flags
    following = np.int64(buf[np.uint64(pos)]) if pos < end else -1
    if following == 0x29 or following == 0x2E or following == 0x3A:  # ) . :
        if length == 1 and flags & ly.FIRST_UPPER:
            choice = np.int64(out[begin]) - 0x61
            if 0 <= choice < 3:
                state[ly.CHOICES] |= 1 << choice
        if state[ly.FRESH] and flags & ly.HAS_DIGIT and following != 0x3A and pos + 1 < end:
            state[ly.NUMBERED] += buf[np.uint64(pos + 1)] == 0x20
    state[ly.STARTS] = state[ly.FRESH] = 0


@compiled
def scan(
    buf: Bytes, start: Int, end: Int, table: UInt64s,
    out: Bytes, o: Int, words: Int32s, n: int, state: Int64s,
) -> tuple[Int, Int]:  # fmt: skip
    """Scan ``buf[start:end]``, appending to `out` at `o` and to `words` at row `n`.

    `table` is the character table. Adds to the counters in `state`. Returns the new `o` and `n`.
    """
    begin_text(state, n)
    base = state[ly.BASE]
    text_o = o
    pos = start
    state[ly.LINE_BEGIN] = pos
    follows = False  # only spaces since the last word
    before: Int = np.int64(0)  # properties of the character before this one
    last: Int = before  # the last character that is no space; 0 for one of a word
    latin: Int = np.int64(0)
    while pos < end:
        code: Int = np.int64(buf[np.uint64(pos)])
        width: Int = 1
        if code >= 128:
            code, width = decode(buf, pos, end)
        entry = entry_of(code, table)
        p = np.int64(entry & _PROPERTIES)

        if p & _WORD:
            if p & _UNSPACED:
                pos, o = _characters(buf, pos, end, table, out, o, words, n, state)
                n += 1
                follows, before, last = False, _LETTER | _UNSPACED, 0
                continue
            seen: Int = np.int64(0)
            first, inner = p, seen
            words[n, ly.BEGIN], words[n, ly.SOURCE_BEGIN] = o, pos - base
            while True:
                seen |= p
                if code < 128:
                    out[np.uint64(o)] = (entry >> _FOLDED) & np.uint64(0x7F)
                    o += 1
                    latin += p & _LETTER
                else:
                    o = encode(np.int64((entry >> _FOLDED) & _CODE_POINT), out, o)
                    if p & _LETTER:
                        state[ly.SCRIPTS + np.int64(entry >> _SCRIPT)] += 1
                pos += width
                if pos >= end:
                    break
                code, width = np.int64(buf[np.uint64(pos)]), 1
                if code >= 128:
                    code, width = decode(buf, pos, end)
                entry = entry_of(code, table)
                p = np.int64(entry & _PROPERTIES)
                if p & _WORD:
                    if p & _UNSPACED:
                        break
                    inner |= p
                elif p & _APOSTROPHE and seen & _LETTER:
                    after = _properties_at(buf, pos + width, end, table)
                    if not after & _LETTER or after & _UNSPACED:
                        break
                else:
                    break
            if seen & _LATIN and seen & _LOOKALIKE:
                o = np.int64(words[n, ly.BEGIN])
                o = _fold_mixed(buf, base + words[n, ly.SOURCE_BEGIN], pos, table, out, o)
            words[n, ly.END], words[n, ly.SOURCE_END] = o, pos - base
            _end_word(buf, pos, end, seen, first, inner, follows, out, words, n, state)
            n += 1
            follows, before, last = True, seen, 0
        elif p & _SPACE:
            close_chunk(words, n, state)
            if p & _NEWLINE:
                end_line(state, pos, last)
                state[ly.LINE_BEGIN] = pos + width
                follows = False
            elif state[ly.FRESH]:
                state[ly.INDENT] += 4 if code == 0x09 else 1
                state[ly.LINE_BEGIN] = pos + width
            if before != _SPACE and o > text_o:
                out[np.uint64(o)] = 0x20
                o += 1
            before = _SPACE
            pos += width
        else:
            after = _properties_at(buf, pos + width, end, table)
            following = np.int64(buf[np.uint64(pos + width)]) if pos + width < end else -1
            third = np.int64(buf[np.uint64(pos + width + 1)]) if pos + width + 1 < end else -1
            taken = punctuation(
                code, p, before, last, after, following, third, pos, width, words, n, state
            )
            for _ in range(3 if taken != width else 1):
                o = encode(np.int64((entry >> _FOLDED) & _CODE_POINT), out, o)
            pos += taken
            follows, before, last = False, np.int64(0), code
    close_chunk(words, n, state)
    end_text(state, pos, last)
    state[ly.SCRIPTS + 1] += latin
    if before == _SPACE and o > text_o:
        o -= 1
    return o, n
