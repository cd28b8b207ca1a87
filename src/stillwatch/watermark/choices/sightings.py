"""What a reader sees in an answer: which of a few equally good options was taken in a context.

The test knows nothing of language. Whoever has other choices that their model makes and that change
nothing (the order of independent steps, one of two derivations) writes a reader of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

__all__ = ["Reader", "Sighting"]


class Sighting(NamedTuple):
    """One choice that was seen in a text.

    Attributes:
        kind: of choice, such as ``contrast``; the options of a kind are always the same.
        context: what the choice stood in. The key decides anew for each distinct (kind, context),
            and it must be the same whichever option was taken.
        options: how many there were, at least 2.
        taken: which, from 0.
    """

    kind: str
    context: str
    options: int
    taken: int


class Reader(Protocol):
    """Finds choices in answers. It must know nothing of any key."""

    @property
    def name(self) -> str:
        """What a plan calls it, with a digest of all that it decides by."""
        ...

    def read(self, prompt: str, answer: str) -> Iterator[Sighting]:
        """The choices of one answer, in the order of the text."""
        ...
