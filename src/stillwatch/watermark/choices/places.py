"""What stands at one place of a text: a connective, a dash, a rule; and whether it is a choice."""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple

from stillwatch.watermark.choices.english import CONNECTIVES, LAYOUT
from stillwatch.watermark.choices.languages import in_another_language

__all__ = ["FIRST_LETTERS", "Place", "connective_at", "dash_at", "rule_at"]

_LONGEST_WORD: Final = 40
_OPTIONS: Final = {phrase: (kind, i) for kind, phrases in CONNECTIVES.items()
                   for i, phrase in enumerate(phrases)}  # fmt: skip
_BEGINNINGS: Final = frozenset(
    f"{phrase} "[:size] for phrase in _OPTIONS for size in range(len(phrase) + 2)
)
_LONGEST_BEGINNING: Final = max(map(len, _BEGINNINGS))
#: that connectives begin with
FIRST_LETTERS: Final = "".join(sorted({phrase[0] for phrase in _OPTIONS}))
_WORD: Final = rf"([A-Za-z]{{1,{_LONGEST_WORD}}})"
_PHRASE: Final = re.compile(rf"({'|'.join(map(re.escape, _OPTIONS))}) {_WORD}")
_DASH: Final = re.compile(rf"([—–]) {_WORD}")
_RULE: Final = re.compile(rf"(-{{3}}|\*{{3}}|_{{3}}) {{0,8}}\n\n{_WORD}")
_RULE_BEGUN: Final = re.compile(r"(?:-{3}|\*{3}|_{3}) {0,8}(?:\n\n?)?")


class Place(NamedTuple):
    """An option of the table where it is a choice.

    Attributes:
        kind, options, taken: which of which options of the table stands there, from 0.
        context: the word after it, in lower case.
        after: where that word begins.
        foreign: words of another language follow, so that it is left alone.
    """

    kind: str
    options: tuple[str, ...]
    taken: int
    context: str
    after: int
    foreign: bool = False


#: False: it is none; ``None``: more text must come first
Looked = Place | Literal[False] | None


def connective_at(text: str, at: int, *, final: bool) -> Looked:
    """The connective that begins a sentence at `at`."""
    found = _PHRASE.match(text, at)
    if found is None:
        rest = text[at : at + _LONGEST_BEGINNING]
        undecided = not final and at + len(rest) == len(text) and rest in _BEGINNINGS
        return None if undecided else False
    kind, taken = _OPTIONS[found[1]]
    return _before_words(text, found, kind, CONNECTIVES[kind], taken, final)


def dash_at(text: str, at: int, *, final: bool) -> Looked:
    """The dash at `at`, between two words."""
    before = text[at - 2 : at] if at > 1 else ""
    if not (before.endswith(" ") and before[0].isascii() and before[0].isalpha()):
        return False
    found = _DASH.match(text, at)
    if found is None:
        return None if not final and text[at + 1 : at + 3] in ("", " ") else False
    options = LAYOUT["dash"]
    return _before_words(text, found, "dash", options, options.index(found[1]), final)


def rule_at(text: str, at: int, *, final: bool) -> Looked:
    """The rule that begins the line at `at`, between two paragraphs."""
    if at < 2 or not text.startswith("\n\n", at - 2):
        return False
    found = _RULE.match(text, at)
    if found is None:
        return None if not final and _RULE_BEGUN.fullmatch(text, at) else False
    if _goes_on(text, found, final):
        return None
    follows = connective_at(text, found.start(2), final=final)
    if follows is not False:  # the word may be another one once the key has chosen it
        return None if follows is None else False
    options = LAYOUT["rule"]
    return Place("rule", options, options.index(found[1]), found[2].lower(), found.start(2))


def _before_words(
    text: str, found: re.Match[str], kind: str, options: tuple[str, ...], taken: int, final: bool
) -> Looked:
    foreign = in_another_language(text, found.start(2), final=final)
    if foreign is None or _goes_on(text, found, final):
        return None
    return Place(kind, options, taken, found[2].lower(), found.start(2), foreign)


def _goes_on(text: str, found: re.Match[str], final: bool) -> bool:
    """Whether the word at the end of what was found may go on in text that has not come."""
    return found.end() == len(text) and len(found[2]) < _LONGEST_WORD and not final
