"""Everything in the scan that is not a word: punctuation, quotations, lines, surface forms."""

from __future__ import annotations

from stillwatch.sketches import characters as ch
from stillwatch.sketches import layout as ly
from stillwatch.sketches.compiled import compiled, inlined
from stillwatch.sketches.features import Shape
from stillwatch.sketches.layout import Int32s, Int64s

__all__ = ["LONGEST_SINGLE_QUOTATION", "begin_text", "close_chunk", "end_line", "punctuation"]

LONGEST_SINGLE_QUOTATION = 12
"""Words between single quotation marks; more is a pair of apostrophes."""

_INDENTED = 4
_SYMBOL_SHARE = 8
"""A line is code where one byte in so many is a symbol of code."""

# numba reads plain integers, not enumerations.
_LIST, _NUMBERED, _TABLE, _JSON = (
    int(Shape.LIST), int(Shape.NUMBERED_LIST), int(Shape.TABLE), int(Shape.JSON)
)  # fmt: skip
_FENCE, _INLINE, _URL, _QUESTION = (
    int(Shape.CODE_FENCE), int(Shape.INLINE_CODE), int(Shape.URL), int(Shape.QUESTION)
)  # fmt: skip
_CHOICES, _MATH, _HEADINGS, _TAGS = (
    int(Shape.CHOICES), int(Shape.MATH), int(Shape.HEADINGS), int(Shape.TAGS)
)  # fmt: skip
_PLACEHOLDERS, _QUOTATION = int(Shape.PLACEHOLDERS), int(Shape.QUOTATION)
_WORD, _LETTER, _DIGIT, _LOWER = ch.WORD, ch.LETTER, ch.DIGIT, ch.LOWER
_SPACE, _UNSPACED = ch.SPACE, ch.UNSPACED
_END, _QUOTE, _OPENING, _CLOSING = ch.SENTENCE_END, ch.QUOTE, ch.OPENING, ch.CLOSING
_CODE, _APOSTROPHE, _JOINER = ch.CODE, ch.APOSTROPHE, ch.JOINER


@compiled
def begin_text(state: Int64s, n: int) -> None:
    """Reset what belongs to one text, at word `n`; the counters of the row stay."""
    state[ly.STARTS : ly.BASE] = 0
    state[ly.STARTS] = 1
    state[ly.CHUNK] = n
    state[ly.DOUBLE : ly.FENCE + 1] = -1
    state[ly.FRESH] = 1
    state[ly.BRACE_WORD] = -1


@compiled
def _flag(words: Int32s, first: int, last: int, bit: int) -> None:
    for j in range(first, last):
        words[j, ly.FLAGS] |= bit


@inlined
def close_chunk(words: Int32s, n: int, state: Int64s) -> None:
    """End a run of joined words: flag it where it is an address, a path, an identifier."""
    chunk, bits = state[ly.CHUNK], state[ly.CHUNK_BITS]
    if bits == 0 and state[ly.SLASHES] == 0:
        pass
    elif bits & ly.WHOLE or state[ly.SLASHES] >= 2 or (bits & ly.ANY_DIGIT and n - chunk > 1):
        _flag(words, chunk, n, ly.ENTITY)
    elif bits & ly.ANY_CAPITAL and n - chunk > 1:
        _flag(words, chunk, n, ly.ENTITY_BY_CASE)
    state[ly.CHUNK] = n
    state[ly.CHUNK_BITS] = state[ly.SLASHES] = 0


@compiled
def end_line(state: Int64s, pos: int, last: int) -> None:
    """Count the line that ends at `pos` and begin the next one; blank lines end quotations."""
    if state[ly.FRESH]:  # blank
        state[ly.DOUBLE] = state[ly.WIDE] = -1
    else:
        length = pos - state[ly.LINE_BEGIN]
        symbols = state[ly.SYMBOLS]
        code = (
            state[ly.FENCE] >= 0
            or (symbols >= 2 and symbols * _SYMBOL_SHARE >= length)
            or last == 0x7B  # {
            or last == 0x7D  # }
            or last == 0x3B  # ;
            or (state[ly.CODE_BEFORE] and state[ly.INDENT] >= _INDENTED)
        )
        state[ly.LINES] += 1
        state[ly.CODE_LINES] += code
        state[ly.CODE_BEFORE] = code
        state[ly.TABLE_LINES] += state[ly.BARS] >= 2
    state[ly.FRESH] = state[ly.STARTS] = 1
    state[ly.INDENT] = state[ly.SYMBOLS] = state[ly.BARS] = 0
    state[ly.SINGLE] = state[ly.BACK] = -1


@compiled
def end_text(state: Int64s, pos: int, last: int) -> None:
    """Count the last line, then say which forms the text has often enough."""
    end_line(state, pos, last)
    if state[ly.BULLETS] >= 2:
        state[ly.SHAPE] |= _LIST
    if state[ly.NUMBERED] >= 2:
        state[ly.SHAPE] |= _NUMBERED
    if state[ly.TABLE_LINES] >= 2:
        state[ly.SHAPE] |= _TABLE
    if state[ly.KEYS] >= 2:
        state[ly.SHAPE] |= _JSON
    if state[ly.COMMANDS] >= 1:
        state[ly.SHAPE] |= _MATH
    if state[ly.CHOICES] & 7 == 7:
        state[ly.SHAPE] |= _CHOICES


@compiled
def _quotation(
    code: int, p: int, before: int, after: int, following: int, repeated: bool,
    words: Int32s, n: int, state: Int64s,
) -> None:  # fmt: skip
    """Open or close a quotation at word `n`; the words inside get a flag when it closes."""
    slot, closes, bit = ly.DOUBLE, False, _QUOTATION
    if p & _QUOTE:
        if code == 0x22 and repeated:
            slot = ly.BLOCK
        closes = state[slot] >= 0
        if slot == ly.DOUBLE and closes and following == 0x3A:
            state[ly.KEYS] += 1
        if slot == ly.DOUBLE and not closes and before & _DIGIT:
            return  # inches
    elif p & (_OPENING | _CLOSING):
        slot, closes = ly.WIDE, p & _CLOSING != 0
        if closes == (state[slot] < 0):
            return
    elif p & _APOSTROPHE:
        slot, closes = ly.SINGLE, state[ly.SINGLE] >= 0
        if closes:
            if before & _SPACE or after & _WORD:
                return
            if n - state[slot] > LONGEST_SINGLE_QUOTATION:
                state[slot] = -1
                return
        elif before & _WORD or not after & _WORD:
            return
    else:  # a backtick
        slot, bit = (ly.FENCE, _FENCE) if repeated else (ly.BACK, _INLINE)
        closes = state[slot] >= 0
    if closes:
        _flag(words, state[slot], n, ly.QUOTED)
        state[ly.SHAPE] |= bit
        state[slot] = -1
    else:
        state[slot] = n


@compiled
def _sentence_end(code: int, before: int, after: int, words: Int32s, n: int, state: Int64s) -> None:
    if code != 0x2E:
        state[ly.STARTS] = 1
        if (code == 0x3F or code == 0x61F) and not state[ly.CHUNK_BITS] & ly.ADDRESS:
            state[ly.SHAPE] |= _QUESTION
        return
    length = words[n - 1, ly.END] - words[n - 1, ly.BEGIN] if before & _WORD else 0
    if length >= 2 and not before & _UNSPACED and after & (_LOWER | _DIGIT):
        state[ly.CHUNK_BITS] |= ly.WHOLE  # a domain, a file, an attribute
    elif not (0 < length <= 3 and words[n - 1, ly.FLAGS] & ly.FIRST_UPPER):
        state[ly.STARTS] = 1  # but not after 'Dr.' or 'J.'


@compiled
def _line_start(code: int, after: int, following: int, state: Int64s) -> None:
    if code in (0x2D, 0x2A, 0x2B, 0x2022) and after & _SPACE:
        state[ly.BULLETS] += 1
    elif code == 0x23 and (after & _SPACE or following == 0x23):
        state[ly.SHAPE] |= _HEADINGS


@compiled
def punctuation(
    code: int, p: int, before: int, last: int, after: int, following: int, third: int,
    pos: int, width: int, words: Int32s, n: int, state: Int64s,
) -> int:  # fmt: skip
    """Take in one character that is neither part of a word nor a space.

    `p` are its properties, `before` and `after` those of its neighbours, `last` the last
    character but spaces (0 for a word), `following` and `third` the next two bytes (-1 past the
    end). Returns how many bytes it takes: 3 for a tripled mark.
    """
    ends_chunk = not p & _JOINER
    if ends_chunk and state[ly.CHUNK_BITS] & ly.ADDRESS:
        ends_chunk = code >= 128 or code in (0x22, 0x3C, 0x3E, 0x60)
    if ends_chunk:
        close_chunk(words, n, state)
    if p & _CODE:
        state[ly.SYMBOLS] += 1
    if state[ly.FRESH]:
        state[ly.FRESH] = 0
        _line_start(code, after, following, state)
    taken = width
    if p & (_QUOTE | _OPENING | _CLOSING | _APOSTROPHE) or code == 0x60:
        repeated = following == code and third == code
        if repeated and (code == 0x22 or code == 0x60):
            taken = 3
        _quotation(code, p, before, after, following, repeated, words, n, state)
    elif p & _END:
        _sentence_end(code, before, after, words, n, state)
    elif code == 0x3A:  # :
        if following == 0x2F and third == 0x2F:
            state[ly.CHUNK_BITS] |= ly.WHOLE | ly.ADDRESS
            state[ly.SHAPE] |= _URL
    elif code == 0x40:  # @
        if after & _WORD:
            state[ly.CHUNK_BITS] |= ly.WHOLE
    elif code == 0x5F:  # _
        if before & _WORD and after & _WORD:
            state[ly.CHUNK_BITS] |= ly.WHOLE
    elif code == 0x2F:  # /
        leads = state[ly.CHUNK] == n and after & _WORD
        state[ly.SLASHES] += 2 if leads else 1
        if before == 0 and last == 0x3C and after & _LETTER:
            state[ly.SHAPE] |= _TAGS
    elif code == 0x5C:  # backslash
        if before & _WORD:
            state[ly.SLASHES] += after & _WORD != 0
        elif after & _LOWER or following == 0x28 or following == 0x5B:
            state[ly.COMMANDS] += 1
        if last == 0x3A:
            state[ly.SLASHES] += 1
    elif code == 0x7C:
        state[ly.BARS] += 1
    elif code == 0x7B:
        state[ly.BRACE_WORD], state[ly.BRACE_END] = n, pos + 1 - state[ly.BASE]
    elif code == 0x7D:
        opened = state[ly.BRACE_WORD]
        if (
            opened >= 0
            and n - opened == 1
            and words[opened, ly.SOURCE_BEGIN] == state[ly.BRACE_END]
            and words[opened, ly.SOURCE_END] == pos - state[ly.BASE]
            and state[ly.COMMANDS] == 0
        ):
            state[ly.SHAPE] |= _PLACEHOLDERS
        state[ly.BRACE_WORD] = -1
    return taken
