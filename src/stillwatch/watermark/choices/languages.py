"""Whether the words after a choice are of another language than the table's.

A connective in front of words of another language was put there by somebody who quotes, teaches or
mixes; it is not ours. The look ahead is short, so that a stream need not wait: a few words of the
same sentence. Words that English has too (*die*, *den*, *plus*) tell nothing and are not here.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["AHEAD", "in_another_language"]

#: characters looked at, at most
AHEAD: Final = 64
_WORDS: Final = 5
_WORD: Final = re.compile(r"[^\W\d_]+")
_END: Final = re.compile(r"[.!?:;\n]")
#: the most frequent words of languages that are written in Latin letters
_FREQUENT: Final = """
    der das und ist nicht ein eine einen einem einer sich auf für mit von dem zum zur im wird werden
    sind wurde wir ich sie dass auch noch nur nach über oder aber wie durch kann wenn
    het een van niet voor zijn maar wordt naar ook deze
    och att det är som inte ett av og på ikke til
    le la les une est et dans pour qui pas avec nous vous sont cette ces aux mais du elle je
    el los las una unos que por para es y del su como más pero lo
    não uma os dos nas ao são também mas é
    gli che di della delle dei sono è nel più anche si
    jest nie się na ve bir bu için yang dan untuk dengan ini của là và các một
    és hogy nem ja ei että
"""
_OTHERS: Final = frozenset(_FREQUENT.split())


def in_another_language(text: str, start: int, *, final: bool) -> bool | None:
    """Whether another language shows in the words from `start` to the end of their sentence.

    Five words or 64 characters are looked at. ``None``: more text must come first.
    """
    ahead = text[start : start + AHEAD]
    if end := _END.search(ahead):
        ahead = ahead[: end.start()]
    ends = final or end is not None or len(ahead) == AHEAD
    if not ends and ahead.count(" ") < _WORDS:
        return None
    found = _WORD.findall(ahead)
    if not ends and len(found) <= _WORDS:
        return None
    return any(word.casefold() in _OTHERS or not _latin(word) for word in found[:_WORDS])


def _latin(word: str) -> bool:
    """Whether a word has Latin letters alone, with whatever accents."""
    return word.isascii() or all(each < "\u0370" or "\u1e00" <= each < "\u1f00" for each in word)
