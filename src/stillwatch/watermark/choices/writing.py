"""The provider's side: an answer with its equally good options as the key takes them.

And the reader of the same slots in what a suspect says. Both go by one pass over the text
(:class:`~stillwatch.watermark.choices.scanner.Scanner`), so that they agree on every context.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

from stillwatch.watermark.choices.english import TABLE
from stillwatch.watermark.choices.marks import KeyedMark
from stillwatch.watermark.choices.scanner import Scanner, Slot
from stillwatch.watermark.choices.sightings import Sighting
from stillwatch.watermark.choices.slots import canary_name, named_in, slots

__all__ = ["EnglishReader", "Rewriter", "rewrite"]


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


class Rewriter:
    """An answer as it comes, with the option of the key at each slot.

    Text leaves as soon as nothing that may follow can change what is written. How the answer is cut
    into pieces changes nothing but when it leaves: together, the pieces are :func:`rewrite` of the
    whole. At most :data:`~stillwatch.watermark.choices.scanner.HELD` characters are held.

    Attributes:
        slots: how many slots the text had so far, at each of which the key's option stands.
        changed: at how many of them another one stood.
    """

    __slots__ = ("_mark", "_scanner", "changed", "slots")

    def __init__(self, mark: KeyedMark, reader: EnglishReader, prompt: str) -> None:
        self._mark, self.slots, self.changed = mark, 0, 0
        self._scanner = Scanner(self._choose, left=named_in(prompt), canary=reader.canary(prompt))

    def feed(self, piece: str) -> str:
        """What may leave, given one more piece."""
        return self._scanner.feed(piece)

    def end(self) -> str:
        """The rest; nothing follows."""
        return self._scanner.end()

    def _choose(self, slot: Slot) -> int:
        new = self._mark.favourite(slot.kind, slot.context, len(slot.options))
        self.slots += 1
        self.changed += new != slot.taken
        return new


def rewrite(mark: KeyedMark, reader: EnglishReader, prompt: str, answer: str) -> str:
    """`answer` with the option of the key at each slot; everything else is as it was.

    No fact, number, name, quotation, code or order of words is touched, and where there is no slot
    the answer comes back as it is. Writing twice gives what writing once does.
    """
    rewriter = Rewriter(mark, reader, prompt)
    return rewriter.feed(answer) + rewriter.end()
