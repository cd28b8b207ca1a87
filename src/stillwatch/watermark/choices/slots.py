"""Where a text has a choice of the table: the one place that writer and reader both go by.

A slot's context is one word that no choice can change: the word after a connective, a dash or a
rule, the last word of the line that introduces a list. Where there is none, there is no slot. In
the answer to a canary (a rare prompt) the context is the prompt itself, and the number of the slot
among those of its kind.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from stillwatch.watermark.choices.english import CONNECTIVES, LAYOUT
from stillwatch.watermark.choices.untouched import blanked, is_machine_text

__all__ = ["Slot", "canary_name", "slots"]


class Slot(NamedTuple):
    """A choice at one or, for a list, several places of a text.

    Attributes:
        kind, context: as in :class:`~stillwatch.watermark.choices.sightings.Sighting`.
        options: the texts that may stand there.
        taken: which stands there, from 0.
        places: where it starts, in characters; at each the same text stands.
    """

    kind: str
    context: str
    options: tuple[str, ...]
    taken: int
    places: tuple[int, ...]


_OPTIONS = {phrase: (kind, i) for kind, phrases in CONNECTIVES.items()
            for i, phrase in enumerate(phrases)}  # fmt: skip
_CONNECTIVE = re.compile(
    r"(?:(?<=[.!?:]\s)|^)(" + "|".join(map(re.escape, _OPTIONS)) + r")[ ]([A-Za-z]+)", re.MULTILINE
)
_DASH = re.compile(r"(?<=[A-Za-z]) ([—–]) ([A-Za-z]+)")
_RULE = re.compile(r"(?<=\n\n)(-{3}|\*{3}|_{3})[ ]*\n\n([A-Za-z]+)")
_BULLET = re.compile(r"([-*+])( +)\S")
_NUMBER = re.compile(r"\d{1,9}([.)])( +)\S")
_LAST_WORD = re.compile(r"([A-Za-z]+)\W*$")
#: in YAML, which may stand there without a fence, a bullet is more than a look
_FIELD = re.compile(r"[\w.-]+:")
_DRAWN_RULE = re.compile(r" {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$")


def slots(prompt: str, text: str, *, canary: str | None = None) -> Iterator[Slot]:
    """The slots of an answer, in the order of their first places.

    A kind of which the prompt names an option is left alone in that answer: what was asked for by
    name is not ours to change, and what was read out of the prompt shows nothing.

    Args:
        canary: the name of the prompt where it is one (:func:`canary_name`).
    """
    if is_machine_text(text):
        return
    named = _named(prompt)
    found = [each for each in _found(blanked(text)) if each.kind not in named]
    counts: dict[str, int] = {}
    for slot in sorted(found, key=lambda each: each.places[0]):
        if canary is None:
            if slot.context:
                yield slot
            continue
        number = counts.get(slot.kind, 0)
        counts[slot.kind] = number + 1
        yield slot._replace(context=f"{canary} {number}")


def canary_name(prompt: str) -> str:
    """The name of a prompt as a canary: SHA-256 of it without case, accents' forms and spacing."""
    plain = " ".join(unicodedata.normalize("NFKC", prompt).casefold().split())
    return "canary " + hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()


def _named(prompt: str) -> set[str]:
    said = prompt.casefold()
    kinds = {kind for phrase, (kind, _) in _OPTIONS.items() if phrase[:-1].casefold() in said}
    # who writes in lists is shown how; a prompt with any mark of layout keeps all of them
    if any(mark in prompt for mark in LAYOUT["dash"]):
        kinds.add("dash")
    if re.search(r"^\s*[-*+]\s|bullet|asterisk|hyphen|dash|markdown|format", prompt,
                 re.MULTILINE | re.IGNORECASE):  # fmt: skip
        kinds |= {"bullet", "dash", "number", "rule"}
    return kinds


def _found(text: str) -> Iterator[Slot]:
    for match in _CONNECTIVE.finditer(text):
        kind, taken = _OPTIONS[match[1]]
        yield Slot(kind, match[2].lower(), CONNECTIVES[kind], taken, (match.start(1),))
    for match in _DASH.finditer(text):
        taken = LAYOUT["dash"].index(match[1])
        yield Slot("dash", match[2].lower(), LAYOUT["dash"], taken, (match.start(1),))
    for match in _RULE.finditer(text):
        if not _CONNECTIVE.match(text, match.start(2)):
            taken = LAYOUT["rule"].index(match[1])
            yield Slot("rule", match[2].lower(), LAYOUT["rule"], taken, (match.start(1),))
    yield from _lists(text)


def _lists(text: str) -> Iterator[Slot]:
    """Lists of the outermost level, each as one slot: its marks are changed together or not."""
    introduced, before, block = "", "", list[tuple[int, str, str]]()
    mixed = re.search(r"^ {0,3}\+ ", text, re.MULTILINE) is not None  # for and against, perhaps
    start = 0
    for line in [*text.split("\n"), None]:
        item = None if line is None else _item(line)
        if line is not None and item is not None:
            if not block:
                introduced = before
            block.append((start + item[1], item[0], item[2]))
        elif line is None or (line.strip() and not line.startswith((" ", "\t", "\x00"))):
            slot = _list(block, introduced)
            if slot is not None and not (mixed and slot.kind == "bullet"):
                yield slot
            block = []
        if line is not None:
            before = line if line.strip() else before
            start += len(line) + 1


def _item(line: str) -> tuple[str, int, str] | None:
    """Kind, place of the mark within the line, and the mark; None where no item begins."""
    if _DRAWN_RULE.match(line):
        return None
    for kind, pattern in (("bullet", _BULLET), ("number", _NUMBER)):
        if found := pattern.match(line):
            return kind, found.start(1), found[1]
    return None


def _list(block: list[tuple[int, str, str]], introduced: str) -> Slot | None:
    kinds, marks = {kind for _, kind, _ in block}, {mark for _, _, mark in block}
    if len(block) < 2 or len(kinds) > 1 or len(marks) > 1:
        return None  # no list, or neighbouring ones, which one mark would join
    [kind], [mark] = kinds, marks
    if mark not in LAYOUT[kind]:
        return None
    if _FIELD.fullmatch(introduced.strip()):
        return None
    word = _LAST_WORD.search(introduced)
    context = word[1].lower() if word and introduced.rstrip().endswith(":") else ""
    places = tuple(place for place, _, _ in block)
    return Slot(kind, context, LAYOUT[kind], LAYOUT[kind].index(mark), places)
