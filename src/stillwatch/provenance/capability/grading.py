"""Reads the answer out of an answer: the last number, letter or words that it settles on.

No model judges, so that the same record gives the same grades to everybody. What it misreads it
misreads of all models alike, as long as they write alike; docs/capability.md has its error.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Literal, TypeAlias, TypeVar

__all__ = ["Grade", "Kind", "can_be_right", "grade"]

#: how the right answer is written: a number, a letter of a choice, or words
Kind: TypeAlias = Literal["number", "choice", "words"]
#: whether the answer is right; ``none`` where it gives none, as a refusal does
Grade: TypeAlias = Literal["right", "wrong", "none"]

Value = TypeVar("Value")

#: what stands before a final answer
_FINAL = re.compile(r"####|\\boxed\{|\banswer\b(?:\s+is\b)?\s*[:=]?|\bis\s*:|=", re.IGNORECASE)
_NUMBER = re.compile(
    r"(?<![\w.])(-?)\s?[$€£]?\s?(\d{1,3}(?:,\d{3}){1,9}|\d{1,30})?(\.\d{1,30})?(?:\s?/\s?(\d{1,30}))?(?!\d)"
)
_CHOICE = re.compile(r"\(([A-Ha-h])\)|(?<![\w'])([A-H])(?![\w'])")
_DASHES = str.maketrans({"−": "-", "–": "-", "\u202f": " ", "\u00a0": " ", "\u2009": " "})
#: longer answers are read at their end only, characters
_MOST = 20_000


def grade(kind: Kind, expected: str, answer: str) -> Grade:
    """Whether `answer` settles on what is expected.

    Where an answer marks its final one (``####``, ``\\boxed{``, “answer is”, the last ``=``), the
    first value behind the last mark is read; else the last value of the last line; else the last
    of all. Numbers are equal as fractions (``0.5`` and ``1/2``, ``1,200`` and ``1200``), and signs
    of currency do not count. Choices are letters from A to H, small ones in brackets only. Words
    are compared without case, accents and punctuation, and stand alone behind the mark or on the
    last line.
    """
    wanted, said = _read(kind, expected), _read(kind, answer)
    return "none" if not said else "right" if said[0] == wanted[0] else "wrong"


def can_be_right(kind: Kind, expected: str) -> bool:
    """Whether any answer could be `expected`: a number that is one, a letter, some word."""
    return bool(_read(kind, expected))


def _read(kind: Kind, answer: str) -> Sequence[object]:
    """What an answer settles on, surest first."""
    text = unicodedata.normalize("NFKC", answer[-_MOST:]).translate(_DASHES)
    marked, rest = _parts(text)
    match kind:
        case "number":
            return _settled(_numbers, marked, rest)
        case "choice":
            return _settled(_choices, marked, rest)
        case "words":
            return [words for part in (*marked, *rest[:1]) if (words := _words(part))]


def _settled(
    read: Callable[[str], Sequence[Value]], marked: list[str], rest: list[str]
) -> list[Value]:
    """The first value behind the mark, the last of the last line, the last of all."""
    first = [each[0] for part in marked if (each := read(part))]
    return first + [each[-1] for part in rest if (each := read(part))]


def _parts(text: str) -> tuple[list[str], list[str]]:
    """What stands behind the last mark on its line, or on the next; the last line, and all."""
    lines = [line for line in text.splitlines() if line.strip(" *_`.$")]
    marks = list(_FINAL.finditer(text))
    behind = text[marks[-1].end() :].strip(" *_`:\n") if marks else ""
    return behind.splitlines()[:1], [*lines[-1:], text]


def _numbers(text: str) -> list[Fraction]:
    found = []
    for sign, whole, part, under in _NUMBER.findall(text):
        if (whole or part) and not (under and int(under) == 0):
            value = Fraction(f"{whole.replace(',', '') or 0}{part}") / int(under or 1)
            found.append(-value if sign else value)
    return found


def _choices(text: str) -> list[str]:
    return [(bracketed or alone).upper() for bracketed, alone in _CHOICE.findall(text)]


def _words(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold())
    return " ".join(re.findall(r"\w+", "".join(c for c in plain if not unicodedata.combining(c))))
