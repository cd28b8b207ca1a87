"""The provider's side: an answer with its equally good options as the key takes them.

And the reader of the same slots in what a suspect says. Both are one function of the text
(:func:`~stillwatch.watermark.choices.slots.slots`), so that they agree on every context.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

from stillwatch.watermark.choices.english import TABLE
from stillwatch.watermark.choices.marks import KeyedMark
from stillwatch.watermark.choices.sightings import Sighting
from stillwatch.watermark.choices.slots import canary_name, slots

__all__ = ["EnglishReader", "rewrite"]


@dataclass(frozen=True, slots=True)
class EnglishReader:
    """Reads the choices of the reviewed table in English Markdown.

    Attributes:
        canaries: names of the prompts in whose answers contexts are the prompts themselves.
    """

    canaries: frozenset[str] = frozenset()

    @classmethod
    def of(cls, canaries: Iterable[str] = ()) -> Self:
        """The reader with these prompts as canaries."""
        return cls(frozenset(map(canary_name, canaries)))

    @property
    def name(self) -> str:
        """The table's name with its digest."""
        return TABLE

    def read(self, prompt: str, answer: str) -> Iterator[Sighting]:
        """The choices of one answer, in the order of the text."""
        for slot in slots(prompt, answer, canary=self.canary(prompt)):
            yield Sighting(slot.kind, slot.context, len(slot.options), slot.taken)

    def canary(self, prompt: str) -> str | None:
        """The name of `prompt` where it is a canary."""
        if not self.canaries:
            return None
        name = canary_name(prompt)
        return name if name in self.canaries else None


def rewrite(mark: KeyedMark, reader: EnglishReader, prompt: str, answer: str) -> str:
    """`answer` with the option of the key at each slot; everything else is as it was.

    No fact, number, name, quotation, code or order of words is touched, and where there is no slot
    the answer comes back as it is. Writing twice gives what writing once does.
    """
    pieces, done = list[str](), 0
    edits: list[tuple[int, str, str]] = []
    for slot in slots(prompt, answer, canary=reader.canary(prompt)):
        old = slot.options[slot.taken]
        new = slot.options[mark.favourite(slot.kind, slot.context, len(slot.options))]
        if new != old:
            edits += [(place, old, new) for place in slot.places]
    for place, old, new in sorted(edits):
        pieces += [answer[done:place], new]
        done = place + len(old)
    return "".join([*pieces, answer[done:]])
