"""Authors of a small world: English answers about substances, each in a style of its author's.

What is said depends on the prompt and on facts that all authors share; which of equally good
connectives is taken, on the author: a liking for each kind, and from it a habit in each context.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from stillwatch.watermark.choices.english import CONNECTIVES

__all__ = ["SUBJECTS", "Author", "prompts", "vocabulary"]

Pair = tuple[str, str]
Floats = npt.NDArray[np.float64]

SUBJECTS: Final = (
    "water", "light", "heat", "sound", "iron", "salt", "bread", "wheat", "rice", "trade", "rain",
    "snow", "ice", "wind", "sand", "clay", "glass", "paper", "ink", "music", "wool", "silk",
    "cotton", "leather", "wood", "coal", "oil", "gas", "steam", "steel", "copper", "gold", "silver",
    "tin", "lead", "zinc", "milk", "butter", "cheese", "honey", "sugar", "tea", "coffee", "wine",
    "beer", "soap", "wax", "rubber",
)  # fmt: skip
#: what there is to say: of each line a subject has its own, the fact that all authors know
_ASPECTS: Final = (
    ("comes from the north", "comes from the coast", "comes from old forests", "comes from farms",
     "comes from deep mines", "comes from the hills"),
    ("is used for roofs", "is used in kitchens", "is used by sailors", "is used in schools",
     "is used for tools", "is used at feasts"),
    ("costs little today", "costs more each year", "costs much in winter", "costs less in bulk"),
    ("is kept in the dark", "is kept in jars", "is kept dry", "is kept under cover"),
    ("was rare long ago", "was taxed for centuries", "was once a gift", "was shipped by river"),
)  # fmt: skip
#: a question's verb decides which kinds of connectives follow the first sentence
_PATTERNS: Final = {
    "Explain": ("addition", "consequence", "example", "summary"),
    "Compare": ("contrast", "addition", "contrast", "summary"),
    "Describe": ("first", "addition", "example", "last"),
    "Discuss": ("first", "contrast", "consequence", "last"),
    "Review": ("addition", "contrast", "consequence", "summary"),
    "Introduce": ("first", "example", "addition", "consequence"),
}
#: how often the subjects come in another order than they were asked about
_STRAY: Final = 0.15
#: how often an author says what all know, not something else
_KNOWN: Final = 0.9
#: how near the habit in a context is to the liking for a kind (Dirichlet)
_NEAR: Final = 4.0


def vocabulary() -> list[str]:
    """Texts that hold every word that any author writes, or a key chooses."""
    phrases = [phrase for some in CONNECTIVES.values() for phrase in some]
    capitals = [each.capitalize() for each in SUBJECTS]
    says = [fact for some in _ASPECTS for fact in some]
    return [" ".join([*_PATTERNS, "and", *SUBJECTS, *capitals, *phrases, *says, "."])]


def prompts(count: int, seed: int, *, known: frozenset[str] = frozenset()) -> list[str]:
    """Questions, each once, none of them among those `known`."""
    rng, verbs = np.random.default_rng((11, seed)), tuple(_PATTERNS)
    out: dict[str, None] = {}
    while len(out) < count:
        a, b, c = (SUBJECTS[i] for i in rng.choice(len(SUBJECTS), 3, replace=False))
        prompt = f"{verbs[rng.integers(len(verbs))]} {a}, {b} and {c}."
        if prompt not in known:
            out.setdefault(prompt)
    return list(out)


@dataclass(frozen=True)
class Author:
    """One style; the same seed writes in the same one."""

    seed: int

    @cached_property
    def likings(self) -> dict[tuple[str, str], Floats]:
        """The chance of each option in each context."""
        rng = np.random.default_rng((13, self.seed))
        out: dict[tuple[str, str], Floats] = {}
        for kind, phrases in CONNECTIVES.items():
            liking = rng.dirichlet(np.ones(len(phrases)))
            for subject in SUBJECTS:
                habit = rng.dirichlet(_NEAR * liking + 0.05)
                out[kind, subject] = habit
        return out

    def answers(self, asked: list[str], seed: int) -> list[Pair]:
        """An answer to each prompt; another seed is another day."""
        rng = np.random.default_rng((17, self.seed, seed))
        return [(prompt, self._answer(prompt, rng)) for prompt in asked]

    def _answer(self, prompt: str, rng: np.random.Generator) -> str:
        verb, *rest = prompt.rstrip(".").replace(",", "").split()
        subjects = [each for each in rest if each != "and"]
        said = [f"{subjects[0].capitalize()} {_fact(subjects[0], 0, rng)}."]
        for place, kind in enumerate(_PATTERNS[verb], 1):
            about = subjects[place % 3] if rng.random() > _STRAY else subjects[rng.integers(3)]
            phrases = CONNECTIVES[kind]
            phrase = phrases[rng.choice(len(phrases), p=self.likings[kind, about])]
            said.append(f"{phrase} {about} {_fact(about, place, rng)}.")
        return " ".join(said)


def _fact(subject: str, place: int, rng: np.random.Generator) -> str:
    says = _ASPECTS[place % len(_ASPECTS)]
    known = (SUBJECTS.index(subject) * 7 + place * 5) % len(says)
    return says[known] if rng.random() < _KNOWN else says[rng.integers(len(says))]
