"""How many bits a value has at least in the eyes of somebody who tries to guess it.

An estimate on the safe side, from the value alone: what looks like words, counters, dates or card
numbers counts for little however long it is, also where it is written in base64, base32 or as
hexadecimal digits. What it cannot see is that a value which looks random
was made of a guessable one without a secret (a plain hash of a card number): who exports such a
field must know what it holds.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

__all__ = ["LEAST_BITS", "TOOLSET_CHARACTERS", "TOOLSET_NAMES", "WORDS", "why_guessable"]

#: bits that a value needs; 2^64 trials of HMAC-SHA-256 cost more than a campaign earns
LEAST_BITS: Final = 64
#: a system prompt needs this many words …
WORDS: Final = 12
#: … and a tool set this many names, and characters in them
TOOLSET_NAMES: Final = 3
TOOLSET_CHARACTERS: Final = 24
#: bits of a word of prose, and of a character in a name that a programmer gives to a function
_WORD_BITS = 6.0
_NAME_BITS = 2.7
#: bits of a run of letters that may be a word, however long
_RUN_BITS = 8.0
#: bits of a letter in a run that is no word, and of a character where upper case, lower case and
#: digits alternate faster than in words put together
_ODD_BITS, _MIXED_BITS = 3.5, 4.5
_MIXED: Final = 0.45
_LETTER_BITS, _DIGIT_BITS, _HEX_BITS = math.log2(26), math.log2(10), 4.0
#: without the number of bits, which would say something of the value
_FEW: Final = f"it may have fewer than {LEAST_BITS} bits to whoever guesses"
_NO_RANDOM: Final = "this is no random UUID (version 4): it is made of a time, a name or an address"
#: characters of a text that was written in another way, at least
_TEXT: Final = 8
_UUID = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-([0-9a-f])[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE
)
#: one of a time (version 1, of 2010 to 2037) without its hyphens
_TIMED = re.compile(r"[0-9a-f]{12}11[d-f][0-9a-f][89ab][0-9a-f]{15}", re.IGNORECASE)
_ALNUM = re.compile(r"[A-Za-z0-9]+")
_HEX = re.compile(r"[0-9a-f]+|[0-9A-F]+")
_RUNS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_KINDS = re.compile(r"[a-z]+|[A-Z]+|[0-9]+")
#: what words of European languages do not hold, in any case
_ODD = re.compile(
    r"[^aeiouy]{4}|^[^aeiouy]+$|q[^u]|[^aeiouyrst]x|j[^aeiouy]|[^aeiouytn]z|[vjqwx][bcdfgjkmpqvwxz]",
    re.IGNORECASE,
)
_ADDRESS = re.compile(
    r"\d{1,3}(\.\d{1,3}){3}|[^@\s]+@[^@\s]+\.[a-z]{2,}|([0-9a-f]{2}[:-]){5}[0-9a-f]{2}"
    r"|[0-9a-f]{0,4}(:[0-9a-f]{0,4}){2,7}",
    re.IGNORECASE,
)
_GROUPED = re.compile(r"(?<!\d)\d(?:[ -]?\d){11,18}(?!\d)")
_CARD = re.compile(r"3[47]|3[068]|4|5[0-8]|6|2[2-7]|35")


def why_guessable(field: str, value: str) -> str | None:
    """Why `value`, normalised, could be guessed by trying; None where it could not."""
    if field == "toolset":
        return _toolset(value)
    if field == "system":
        return _system(value)
    return _token(value)


def _toolset(value: str) -> str | None:
    names = set(value.split("\n")) - {""}
    characters = sum(map(len, names))
    if len(names) < TOOLSET_NAMES or characters < TOOLSET_CHARACTERS:
        return (
            f"fewer than {TOOLSET_NAMES} tools, or than {TOOLSET_CHARACTERS} characters in their "
            "names, can be guessed"
        )
    bits = _NAME_BITS * sum(min(len(name), 3 * len(set(name))) for name in names)
    return None if bits >= LEAST_BITS else _FEW


def _system(value: str) -> str | None:
    words = value.split(" ")
    if len(words) < WORDS:
        return f"fewer than {WORDS} words can be guessed"
    bits = _WORD_BITS * len(set(words))
    return None if bits >= LEAST_BITS else _FEW


def _token(value: str) -> str | None:
    if _ADDRESS.fullmatch(value):
        return "this looks like an address, of which there are few enough to try them all"
    for found in _GROUPED.finditer(value):
        digits = found[0].replace(" ", "").replace("-", "")
        if _CARD.match(digits) and _luhn(digits):
            return "this looks like the number of a card: there are few enough to try them all"
    if (uuid := _UUID.fullmatch(value)) is not None:
        if uuid[1] == "4" and _is_varied(value.replace("-", "")):
            return None
        return _NO_RANDOM
    if _TIMED.fullmatch(value):
        return _NO_RANDOM
    for text in _decoded(value):
        if (why := _token(text)) is not None:
            return why
    runs = _ALNUM.findall(value)
    if not runs:
        return _FEW
    # a random value may hold a sign or two; a list of features has one between any two of them
    joined = "".join(runs)
    bits = _bits(joined) if len(runs) * 8 <= len(joined) else max(map(_bits, runs))
    return None if bits >= LEAST_BITS else _FEW


def _decoded(value: str) -> Iterator[str]:
    """The texts that `value`, or what follows its prefix, only writes in another way."""
    for part in {value, *(value.rpartition(sign)[2] for sign in "_:")}:
        for decode in (bytes.fromhex, _base64, _base32):
            try:
                text = decode(part).decode("ascii")
            except ValueError:
                continue
            if len(text) >= _TEXT and text.isprintable():
                yield text


def _base64(text: str) -> bytes:
    text = text.rstrip("=").replace("-", "+").replace("_", "/")
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)


def _base32(text: str) -> bytes:
    text = text.rstrip("=")
    return base64.b32decode(text + "=" * (-len(text) % 8))


def _bits(run: str) -> float:
    """Of a stretch without punctuation: a list of features, put together, is not random."""
    run = run[: _period(run)]
    followed = sum(abs(ord(a) - ord(b)) <= 1 for a, b in pairwise(run))
    if followed * 2 > len(run) or len(set(run)) * 3 < min(len(run), 30):
        return min(20.0, float(len(run)))  # a sequence, or one that repeats few characters
    if _HEX.fullmatch(run) and len(run) >= 16:
        digits = sum(map(str.isdigit, run))
        if digits >= len(run) / 4 and len(run) - digits >= len(run) / 8:
            return _HEX_BITS * len(run)
    if len(run) >= 16 and len(_KINDS.findall(run)) >= _MIXED * len(run):
        return _MIXED_BITS * len(run)
    return sum(map(_of_run, _RUNS.findall(run)))


def _of_run(part: str) -> float:
    if part.isdigit():
        # given out in sequence, or a date: half of what random digits would have
        return _DIGIT_BITS * (len(part) if len(part) < 4 else len(part) / 2)
    if _ODD.search(part):
        return max(_ODD_BITS * len(part), min(_LETTER_BITS * len(part), _RUN_BITS))
    return min(_LETTER_BITS * len(part), _RUN_BITS)


def _is_varied(run: str) -> bool:
    return _bits(run) >= LEAST_BITS


def _period(run: str) -> int:
    """The length of the shortest part that `run` repeats, or all of it."""
    found = (run + run).find(run, 1)
    return found if found > 0 else len(run)


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
