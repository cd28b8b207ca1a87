"""Where a text has a choice of the table, and what is left alone for the prompt's sake.

A slot's context is one word that no choice can change: the word after a connective, a dash or a
rule, the last word of the line that introduces a list. Where there is none, there is no slot. In
the answer to a canary (a rare prompt) the context is the prompt itself, and the number of the slot
among those of its kind.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Final

from stillwatch.watermark.choices.english import CONNECTIVES, LAYOUT
from stillwatch.watermark.choices.scanner import Scanner, Slot

__all__ = ["canary_name", "named_in", "slots"]

_NAMES: Final = tuple(
    (phrase[:-1].casefold(), kind) for kind, phrases in CONNECTIVES.items() for phrase in phrases
)
_LAYOUT_ASKED: Final = re.compile(
    r"^[ \t]{0,16}[-*+]\s|bullet|asterisk|hyphen|dash|markdown|format", re.MULTILINE | re.IGNORECASE
)


def slots(prompt: str, text: str, *, canary: str | None = None) -> list[Slot]:
    """The slots of an answer, in the order of the text.

    Args:
        canary: the name of the prompt where it is one (:func:`canary_name`).
    """
    found: list[Slot] = []

    def seen(slot: Slot) -> int:
        found.append(slot)
        return slot.taken

    scanner = Scanner(seen, left=named_in(prompt), canary=canary)
    scanner.feed(text)
    scanner.end()
    return found


def canary_name(prompt: str) -> str:
    """The name of a prompt as a canary: SHA-256 of it without case, accents' forms and spacing."""
    plain = " ".join(unicodedata.normalize("NFKC", prompt).casefold().split())
    return "canary " + hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()


def named_in(prompt: str) -> frozenset[str]:
    """The kinds of which a prompt names an option. They are left alone in its answer: what was
    asked for by name is not ours to change, and what was read out of the prompt shows nothing."""
    said = prompt.casefold()
    kinds = {kind for name, kind in _NAMES if name in said}
    # who writes in lists is shown how; a prompt with any mark of layout keeps all of them
    if any(mark in prompt for mark in LAYOUT["dash"]):
        kinds.add("dash")
    if _LAYOUT_ASKED.search(prompt):
        kinds |= {"bullet", "dash", "number", "rule"}
    return frozenset(kinds)
