"""What speaks for or against: facts, which were observed, apart from inference, which was scored.

A fact says where it can be looked up. An inference says how often it is met among honest accounts
(its base rate): without that it says nothing. Counter-evidence is required before any decision.
"""

from __future__ import annotations

import math
from typing import Literal

import msgspec

from stillwatch.errors import CaseError

__all__ = ["LONGEST_TEXT", "Item", "ItemKind", "check_item", "check_text"]

#: `fact` was observed; `inference` was computed or concluded; `counter` speaks against the case
ItemKind = Literal["fact", "inference", "counter"]
LONGEST_TEXT = 10_000  # characters


class Item(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One piece of evidence. `value` is in the unit that `text` names.

    `base_rate` is the share of comparable honest accounts or groups with such a value; None where
    a detection did not measure it. `source` says where it comes from: a detection, a log, a letter.
    """

    kind: ItemKind
    text: str
    source: str = ""
    family: str | None = None
    detection: str | None = None
    value: float | None = None
    base_rate: float | None = None


def check_text(field: str, text: str) -> str:
    """`text` without blanks around it.

    Raises:
        CaseError: nothing is left, or too much.
    """
    text = text.strip()
    if "\0" in text:
        raise CaseError(f"{field}: the character NUL is no text")
    if not 0 < len(text) <= LONGEST_TEXT:
        raise CaseError(f"{field}: give 1 to {LONGEST_TEXT:,} characters, not {len(text):,}")
    return text


def check_item(item: Item) -> None:
    """Refuse what a person should not add to a case.

    Raises:
        CaseError: no text, no source of a fact, no base rate of an inference, or one that is none.
    """
    check_text("text", item.text)
    if item.kind == "fact" and not item.source.strip():
        raise CaseError("source: say where this fact can be looked up")
    if item.kind == "inference" and item.base_rate is None:
        raise CaseError(
            "base_rate: say how often this is met among honest accounts; "
            "without that an inference says nothing"
        )
    for field, value in (("base_rate", item.base_rate), ("value", item.value)):
        if value is not None and not math.isfinite(value):
            raise CaseError(f"{field}: {value} is no number")
    if item.base_rate is not None and not 0 <= item.base_rate <= 1:
        raise CaseError(f"base_rate: {item.base_rate} is no share between 0 and 1")
