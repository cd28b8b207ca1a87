"""Models of text that have a habit in each context: whom keyed choices are tried on, at no cost.

A habit is what a language model has of a style: in the same context it mostly takes the same
option. Such a model is taught by counting; real ones keep less, and mix contexts that are alike.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from stillwatch.provenance.keyed import EnglishReader
from stillwatch.watermark.choices.english import CONNECTIVES

__all__ = ["HabitModel"]

Floats = npt.NDArray[np.float64]

_SUBJECTS: Final = (
    "the", "a", "it", "this", "we", "that", "these", "water", "light", "heat", "sound", "iron",
    "salt", "bread", "wheat", "rice", "trade", "taxes", "prices", "rivers", "winter", "summer",
    "birds", "plants", "cells", "leaves", "roots", "stars", "planets", "gravity", "energy",
    "pressure", "metals", "glass", "paper", "ink", "music", "maps", "ships", "trains",
    "bridges", "cities", "laws", "courts", "schools", "doctors", "nurses", "teachers",
    "farmers", "miners", "weavers", "potters", "children", "families", "neighbours",
)  # fmt: skip
_REST: Final = (
    "changes slowly", "depends on the season", "is older than it looks", "costs less than before",
    "was described long ago", "differs from place to place", "needs some care",
    "is measured with ease", "comes from the north", "keeps its form",
)  # fmt: skip
_KINDS: Final = tuple(CONNECTIVES)
_SENTENCES: Final = 8


@dataclass(frozen=True, slots=True)
class HabitModel:
    """Text → text: eight sentences, most of which begin with a connective by habit.

    What it speaks about depends on the prompt alone; which of equally good connectives it takes, on
    the model: 85 % its habit in that context, unless it was taught another.

    Attributes:
        seed: of its own habits, and of its moods.
        learnt: (kind, context) → how often it read each option.
        weight: readings that its own habit counts for.
    """

    seed: int
    learnt: Mapping[tuple[str, str], Floats] = field(default_factory=dict)
    weight: float = 1.0

    def taught(self, pairs: Iterable[tuple[str, str]]) -> Self:
        """The model after reading these prompts and answers, beside what it knew."""
        learnt = {name: counts.copy() for name, counts in self.learnt.items()}
        reader = EnglishReader()
        for prompt, answer in pairs:
            for seen in reader.read(prompt, answer):
                counts = learnt.setdefault((seen.kind, seen.context), np.zeros(seen.options))
                counts[seen.taken] += 1
        return type(self)(self.seed, learnt, self.weight)

    def __call__(self, prompt: str) -> str:
        """The answer to `prompt`, always the same."""
        about = _generator("prompt", prompt)
        mood = _generator("mood", f"{self.seed} {prompt}")
        said = []
        for _ in range(_SENTENCES):
            kind = _KINDS[about.integers(len(_KINDS))]
            # words are as unlike in frequency as those of a language
            place = min(int(about.zipf(1.4)) - 1, len(_SUBJECTS) - 1)
            subject = _SUBJECTS[(place + 7 * _KINDS.index(kind)) % len(_SUBJECTS)]
            chances = self._chances(kind, subject)
            phrase = CONNECTIVES[kind][mood.choice(len(chances), p=chances)]
            said.append(f"{phrase} {subject} {_REST[about.integers(len(_REST))]}.")
        return " ".join(said)

    def _chances(self, kind: str, subject: str) -> Floats:
        options = len(CONNECTIVES[kind])
        own = np.full(options, 0.15 / options)
        own[_habit(self.seed, kind, subject)] += 0.85
        read = self.learnt.get((kind, subject), np.zeros(options))
        chances: Floats = (self.weight * own + read) / (self.weight + read.sum())
        return chances


@cache
def _habit(seed: int, kind: str, subject: str) -> int:
    drawn = _generator("habit", f"{seed} {kind} {subject}").integers(len(CONNECTIVES[kind]))
    return int(drawn)


def _generator(what: str, name: str) -> np.random.Generator:
    digest = hashlib.sha256(f"{what}\0{name}".encode("utf-8", "surrogatepass")).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))
