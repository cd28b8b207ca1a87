"""The first half of the kernel: one pass over the UTF-8 of a text, which finds its words.

It writes the folded text, one row a word (where it stands, what it looks like, whether it is part
of an address, a path, an identifier or a quotation), and counts of surface features.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from stillwatch.sketches import characters as ch

__all__ = ["COUNTS", "scan"]

# Flags of a word.
FIRST_UPPER, INNER_UPPER, HAS_DIGIT, SENTENCE_START = 1, 2, 4, 8
FOLLOWS, CHARACTER, ENTITY, ENTITY_BY_CASE = 16, 32, 64, 128
QUOTED, PRONOUN, TOO_LONG = 256, 512, 1024

# Counters of a text.
SHAPE, LINES, CODE_LINES, CHARACTERS = 0, 1, 2, 3
CAPITALS, CASED = 4, 5
SCRIPTS = 8
COUNTS = SCRIPTS + 32

LONGEST_WORD = 24
LONGEST_SINGLE_QUOTATION = 12

_LIST, _NUMBERED, _TABLE, _JSON, _FENCE, _INLINE = 1, 2, 4, 8, 16, 32
_URL, _QUESTION, _CHOICES, _MATH = 64, 128, 256, 512
_HEADINGS, _TAGS, _PLACEHOLDERS, _QUOTATION = 1024, 2048, 4096, 8192
_HAN, _REPLACEMENT = 16, 0xFFFD
_WORD, _LETTER, _DIGIT, _UPPER, _LOWER = ch.WORD, ch.LETTER, ch.DIGIT, ch.UPPER, ch.LOWER
_SPACE, _UNSPACED, _MARK, _NEWLINE = ch.SPACE, ch.UNSPACED, ch.MARK, ch.NEWLINE
_END, _QUOTE, _OPENING, _CLOSING = ch.SENTENCE_END, ch.QUOTE, ch.OPENING, ch.CLOSING
_CODE, _LATIN, _LOOKALIKE, _APOSTROPHE = ch.CODE, ch.LATIN, ch.CAPITAL_LOOKALIKE, ch.APOSTROPHE
_TABLE_END = ch.TABLE_END


@njit
def _decode(buf, pos, end):
    """The code point at `pos` (a byte >= 128) and its width; U+FFFD, 1 where it is invalid."""
    b = np.int64(buf[pos])
    if 0xC2 <= b < 0xE0 and pos + 1 < end and (buf[pos + 1] & 0xC0) == 0x80:
        return ((b & 0x1F) << 6) | (np.int64(buf[pos + 1]) & 0x3F), 2
    if 0xE0 <= b < 0xF0 and pos + 2 < end:
        c, d = np.int64(buf[pos + 1]), np.int64(buf[pos + 2])
        if (c & 0xC0) == 0x80 and (d & 0xC0) == 0x80:
            return ((b & 0x0F) << 12) | ((c & 0x3F) << 6) | (d & 0x3F), 3
    if 0xF0 <= b < 0xF5 and pos + 3 < end:
        c, d, e = np.int64(buf[pos + 1]), np.int64(buf[pos + 2]), np.int64(buf[pos + 3])
        if (c & 0xC0) == 0x80 and (d & 0xC0) == 0x80 and (e & 0xC0) == 0x80:
            return ((b & 7) << 18) | ((c & 0x3F) << 12) | ((d & 0x3F) << 6) | (e & 0x3F), 4
    return _REPLACEMENT, 1


@njit
def _encode(code, out, o):
    """Write `code` at ``out[o:]`` as UTF-8; where the next byte goes."""
    if code < 0x80:
        out[o] = code
        return o + 1
    if code < 0x800:
        out[o] = 0xC0 | (code >> 6)
        out[o + 1] = 0x80 | (code & 0x3F)
        return o + 2
    if code < 0x10000:
        out[o] = 0xE0 | (code >> 12)
        out[o + 1] = 0x80 | ((code >> 6) & 0x3F)
        out[o + 2] = 0x80 | (code & 0x3F)
        return o + 3
    out[o] = 0xF0 | (code >> 18)
    out[o + 1] = 0x80 | ((code >> 12) & 0x3F)
    out[o + 2] = 0x80 | ((code >> 6) & 0x3F)
    out[o + 3] = 0x80 | (code & 0x3F)
    return o + 4


@njit
def _properties(code, properties):
    if code < _TABLE_END:
        return np.int64(properties[code])
    if code < 0x40000:
        return _LETTER | _UNSPACED
    return 0


@njit
def _peek(buf, pos, end, properties):
    """The properties of the character at `pos`; 0 past the end."""
    if pos >= end:
        return 0
    if buf[pos] < 128:
        return np.int64(properties[buf[pos]])
    code, _ = _decode(buf, pos, end)
    return _properties(code, properties)


@njit
def _flag(flags, first, last, bit):
    for j in range(first, last):
        flags[j] |= bit


@njit
def _count_line(counts, length, symbols, bars, last, indent, in_fence, previous_code):
    """Count one line that is not blank; whether it looks like source code."""
    code = (
        in_fence
        or (symbols >= 2 and symbols * 8 >= length)
        or last == 123  # {
        or last == 125  # }
        or last == 59  # ;
        or (previous_code and indent >= 4)
    )
    counts[LINES] += 1
    if code:
        counts[CODE_LINES] += 1
    return code


@njit
def scan(
    buf,
    start,
    end,
    properties,
    folded,
    mixed,
    script,
    out,
    o,
    begins,
    ends,
    source,
    flags,
    n,
    counts,
):
    """Scan ``buf[start:end]``, appending to `out` at `o` and to the word rows at `n`.

    Word rows: `begins`, `ends` are byte offsets in `out`, `source` in `buf` (begin and end),
    `flags` what was seen. Returns the new `o` and `n`; adds to `counts`.
    """
    text_o = o
    pos = start
    sentence_start = True
    follows = False  # only spaces since the last word
    before = 0  # properties of the character before this one
    chunk, chunk_whole, chunk_digit, chunk_case, chunk_url = n, False, False, False, False
    slashes = 0
    double_quote = wide_quote = block_quote = single_quote = back_quote = fence = -1
    line_o, line_fresh, line_symbols, line_bars, indent, last = o, True, 0, 0, 0, 0
    previous_code = False
    blank = True
    bullets = numbered = tables = quoted_keys = latex = choices = 0
    brace_word = brace_pos = -1
    while pos < end:
        if buf[pos] < 128:
            code, width = np.int64(buf[pos]), 1
            p = np.int64(properties[code])
        else:
            code, width = _decode(buf, pos, end)
            p = _properties(code, properties)

        if p & _WORD:
            blank = False
            if p & _UNSPACED:  # one character, with the marks on it, is a word
                if chunk < n:
                    if chunk_whole or slashes >= 2 or (chunk_digit and n - chunk > 1):
                        _flag(flags, chunk, n, ENTITY)
                    elif chunk_case and n - chunk > 1:
                        _flag(flags, chunk, n, ENTITY_BY_CASE)
                begins[n] = o
                source[n, 0] = pos
                flag = CHARACTER
                if sentence_start:
                    flag |= SENTENCE_START
                while True:
                    if p & _LETTER:
                        counts[
                            SCRIPTS + (np.int64(script[code]) if code < _TABLE_END else _HAN)
                        ] += 1
                    o = _encode(np.int64(folded[code]) if code < _TABLE_END else code, out, o)
                    pos += width
                    if pos >= end or buf[pos] < 128:
                        break
                    code, width = _decode(buf, pos, end)
                    p = _properties(code, properties)
                    if not p & _MARK:
                        break
                ends[n] = o
                source[n, 1] = pos
                flags[n] = flag
                n += 1
                chunk, chunk_whole, chunk_digit, chunk_case, chunk_url = (
                    n,
                    False,
                    False,
                    False,
                    False,
                )
                slashes = 0
                follows, sentence_start, line_fresh = False, False, False
                before, last = _LETTER | _UNSPACED, 0
                continue

            begin_o, begin_pos = o, pos
            first = p
            inner = seen = 0
            latin_letters = 0
            while True:
                seen |= p
                if code < 128:
                    out[o] = folded[code]
                    o += 1
                    latin_letters += p & _LETTER
                else:
                    o = _encode(np.int64(folded[code]) if code < _TABLE_END else code, out, o)
                    if p & _LETTER and code < _TABLE_END:
                        counts[SCRIPTS + np.int64(script[code])] += 1
                pos += width
                if pos >= end:
                    break
                if buf[pos] < 128:
                    code, width = np.int64(buf[pos]), 1
                    p = np.int64(properties[code])
                else:
                    code, width = _decode(buf, pos, end)
                    p = _properties(code, properties)
                if p & _WORD:
                    if p & _UNSPACED:
                        break
                    inner |= p
                elif p & _APOSTROPHE and seen & _LETTER:
                    after = _peek(buf, pos + width, end, properties)
                    if not after & _LETTER or after & _UNSPACED:
                        break
                else:
                    break
            counts[SCRIPTS + 1] += latin_letters
            if seen & _LATIN and seen & _LOOKALIKE:
                o = begin_o
                at = begin_pos
                while at < pos:
                    if buf[at] < 128:
                        c, w = np.int64(buf[at]), 1
                    else:
                        c, w = _decode(buf, at, pos)
                    o = _encode(np.int64(mixed[c]) if c < _TABLE_END else c, out, o)
                    at += w
            flag = 0
            if seen & _DIGIT:
                flag |= HAS_DIGIT
                chunk_digit = True
            if inner & _UPPER:
                flag |= INNER_UPPER
                chunk_case = True
            if first & _UPPER:
                flag |= FIRST_UPPER
                if out[begin_o] == 105 and (o - begin_o == 1 or out[begin_o + 1] == 39):
                    flag |= PRONOUN
            if sentence_start:
                flag |= SENTENCE_START
            elif seen & (_UPPER | _LOWER):
                counts[CASED] += 1
                if flag & (FIRST_UPPER | INNER_UPPER) and not flag & PRONOUN:
                    counts[CAPITALS] += 1
            if follows:
                flag |= FOLLOWS
            if o - begin_o > LONGEST_WORD:
                flag |= TOO_LONG
            if line_fresh:
                line_fresh = False
                if (
                    flag & HAS_DIGIT
                    and pos + 1 < end
                    and (buf[pos] == 46 or buf[pos] == 41)
                    and buf[pos + 1] == 32
                ):
                    numbered += 1
            if (
                o - begin_o == 1
                and flag & FIRST_UPPER
                and pos < end
                and (buf[pos] == 41 or buf[pos] == 46 or buf[pos] == 58)
            ):
                choice = np.int64(out[begin_o]) - 97
                if choice < 8:
                    choices |= 1 << choice
            begins[n] = begin_o
            ends[n] = o
            source[n, 0] = begin_pos
            source[n, 1] = pos
            flags[n] = flag
            n += 1
            sentence_start = False
            follows = True
            before, last = seen, 0
            continue

        if p & _SPACE:
            if chunk < n:
                if chunk_whole or slashes >= 2 or (chunk_digit and n - chunk > 1):
                    _flag(flags, chunk, n, ENTITY)
                elif chunk_case and n - chunk > 1:
                    _flag(flags, chunk, n, ENTITY_BY_CASE)
            chunk, chunk_whole, chunk_digit, chunk_case, chunk_url = n, False, False, False, False
            slashes = 0
            if p & _NEWLINE and not (code == 13 and pos + 1 < end and buf[pos + 1] == 10):
                if blank:
                    double_quote = wide_quote = -1
                else:
                    previous_code = _count_line(
                        counts,
                        o - line_o,
                        line_symbols,
                        line_bars,
                        last,
                        indent,
                        fence >= 0,
                        previous_code,
                    )
                    if line_bars >= 2:
                        tables += 1
                line_o, line_fresh, line_symbols, line_bars, indent = o, True, 0, 0, 0
                blank = True
                single_quote = back_quote = -1
                sentence_start, follows = True, False
            elif line_fresh:
                indent += 4 if code == 9 else 1
            if o > text_o and out[o - 1] != 32:
                out[o] = 32
                o += 1
            before = _SPACE
            pos += width
            continue

        # Punctuation and symbols.
        blank = False
        after = _peek(buf, pos + width, end, properties)
        breaks = code >= 128 or not (
            code == 45
            or code == 95
            or code == 46
            or code == 61
            or code == 43
            or code == 58
            or code == 47
            or code == 92
            or code == 64
            or code == 38
            or code == 35
            or code == 37
            or code == 126
            or code == 42
            or code == 94
            or code == 36
            or p & _APOSTROPHE
        )
        if (
            chunk_url
            and breaks
            and code != 34
            and code != 60
            and code != 62
            and code < 128
            and code != 96
        ):
            breaks = False
        if breaks:
            if chunk < n:
                if chunk_whole or slashes >= 2 or (chunk_digit and n - chunk > 1):
                    _flag(flags, chunk, n, ENTITY)
                elif chunk_case and n - chunk > 1:
                    _flag(flags, chunk, n, ENTITY_BY_CASE)
            chunk_whole, chunk_digit, chunk_case, chunk_url = False, False, False, False
            slashes = 0
        if p & _CODE:
            line_symbols += 1
        if line_fresh:
            line_fresh = False
            if (code == 45 or code == 42 or code == 43 or code == 0x2022) and after & _SPACE:
                bullets += 1
            elif code == 35 and (after & _SPACE or (pos + 1 < end and buf[pos + 1] == 35)):
                counts[SHAPE] |= _HEADINGS
        repeated = pos + 2 < end and buf[pos] == buf[pos + 1] and buf[pos] == buf[pos + 2]
        run = width
        if p & _QUOTE:
            if code == 34 and repeated:
                run = 3
                if block_quote < 0:
                    block_quote = n
                else:
                    _flag(flags, block_quote, n, QUOTED)
                    block_quote = -1
                    counts[SHAPE] |= _QUOTATION
            elif double_quote >= 0:
                _flag(flags, double_quote, n, QUOTED)
                double_quote = -1
                counts[SHAPE] |= _QUOTATION
                if after & 0 == 0 and pos + 1 < end and buf[pos + 1] == 58:
                    quoted_keys += 1
            elif not before & _DIGIT:
                double_quote = n
        elif p & _OPENING:
            if wide_quote < 0:
                wide_quote = n
        elif p & _CLOSING:
            if wide_quote >= 0:
                _flag(flags, wide_quote, n, QUOTED)
                wide_quote = -1
                counts[SHAPE] |= _QUOTATION
        elif p & _APOSTROPHE:
            if single_quote < 0:
                if not before & _WORD and after & _WORD:
                    single_quote = n
            elif not before & _SPACE and not after & _WORD:
                if n - single_quote <= LONGEST_SINGLE_QUOTATION:
                    _flag(flags, single_quote, n, QUOTED)
                    counts[SHAPE] |= _QUOTATION
                single_quote = -1
        elif code == 96:
            if repeated:
                run = 3
                if fence < 0:
                    fence = n
                else:
                    _flag(flags, fence, n, QUOTED)
                    fence = -1
                    counts[SHAPE] |= _FENCE
            elif back_quote < 0:
                back_quote = n
            else:
                _flag(flags, back_quote, n, QUOTED)
                back_quote = -1
                counts[SHAPE] |= _INLINE
        elif p & _END:
            if code == 46:
                if (
                    before & _WORD
                    and not before & _UNSPACED
                    and n > 0
                    and ends[n - 1] - begins[n - 1] >= 2
                    and after & (_LOWER | _DIGIT)
                ):
                    chunk_whole = True
                elif not (
                    n > 0
                    and before & _WORD
                    and flags[n - 1] & FIRST_UPPER
                    and ends[n - 1] - begins[n - 1] <= 3
                ):
                    sentence_start = True
            else:
                sentence_start = True
                if code == 63 or code == 0x61F:
                    if not chunk_url:
                        counts[SHAPE] |= _QUESTION
        elif code == 58:  # :
            if pos + 2 < end and buf[pos + 1] == 47 and buf[pos + 2] == 47:
                chunk_whole = chunk_url = True
                counts[SHAPE] |= _URL
        elif code == 64:  # @
            if after & _WORD:
                chunk_whole = True
        elif code == 95:  # _
            if before & _WORD and after & _WORD:
                chunk_whole = True
        elif code == 47:  # /
            slashes += 1
            if chunk == n and after & _WORD and not before & _WORD:
                slashes = 2
            if before == 0 and last == 60 and after & _LETTER:
                counts[SHAPE] |= _TAGS
        elif code == 92:  # backslash
            if last == 58 or (before & _WORD and after & _WORD):
                slashes += 1
            if after & _LOWER and not before & _WORD:
                latex += 1
            elif (
                not before & _WORD and pos + 1 < end and (buf[pos + 1] == 40 or buf[pos + 1] == 91)
            ):
                latex += 1
        elif code == 124:
            line_bars += 1
        elif code == 123:
            brace_word, brace_pos = n, pos
        elif code == 125:
            if (
                brace_word >= 0
                and n - brace_word == 1
                and source[n - 1, 0] == brace_pos + 1
                and source[n - 1, 1] == pos
                and latex == 0
            ):
                counts[SHAPE] |= _PLACEHOLDERS
            brace_word = -1
        if run == 3:
            out[o] = out[o + 1] = out[o + 2] = code
            o += 3
        else:
            o = _encode(np.int64(folded[code]) if code < _TABLE_END else code, out, o)
        pos += run
        if breaks:
            chunk = n
        follows = False
        before, last = 0, code

    if chunk < n:
        if chunk_whole or slashes >= 2 or (chunk_digit and n - chunk > 1):
            _flag(flags, chunk, n, ENTITY)
        elif chunk_case and n - chunk > 1:
            _flag(flags, chunk, n, ENTITY_BY_CASE)
    if not blank:
        _count_line(
            counts, o - line_o, line_symbols, line_bars, last, indent, fence >= 0, previous_code
        )
        if line_bars >= 2:
            tables += 1
    if o > text_o and out[o - 1] == 32:
        o -= 1
    if bullets >= 2:
        counts[SHAPE] |= _LIST
    if numbered >= 2:
        counts[SHAPE] |= _NUMBERED
    if tables >= 2:
        counts[SHAPE] |= _TABLE
    if quoted_keys >= 2:
        counts[SHAPE] |= _JSON
    if latex >= 1:
        counts[SHAPE] |= _MATH
    if choices & 7 == 7:
        counts[SHAPE] |= _CHOICES
    return o, n
