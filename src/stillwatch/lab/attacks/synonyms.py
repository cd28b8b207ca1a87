"""Synonyms: some words of a plain text replaced by others from a thesaurus.

The standard edit of a reader without a model; textGrain's authors report what 10 % and 25 % leave.
The word before and after is not looked at: senses are confused, and the text reads worse for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from stillwatch.lab.attacks.attack import Budget, share_of

__all__ = ["Synonyms"]

_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Synonyms:
    """Words replaced by a synonym, drawn evenly, in the same case.

    Args:
        rate: of all words, how many are replaced; where fewer have a synonym, all those.
        thesaurus: word in lower case → synonyms.

    Raises:
        ValueError: a rate that is no share.
    """

    rate: float
    thesaurus: Mapping[str, tuple[str, ...]]

    def __post_init__(self) -> None:
        share_of(self.rate, "the rate of words")

    @property
    def budget(self) -> Budget:
        return Budget(changed=self.rate)

    def __call__(self, text: str, rng: np.random.Generator) -> str:
        words = list(_WORD.finditer(text))
        known = [word for word in words if word[0].lower() in self.thesaurus]
        many = min(round(self.rate * len(words)), len(known))
        out, last = [], 0
        for i in np.sort(rng.permutation(len(known))[:many]):
            word = known[i]
            others = self.thesaurus[word[0].lower()]
            said = _cased(others[int(rng.integers(len(others)))], word[0])
            out += [text[last : word.start()], said]
            last = word.end()
        return "".join([*out, text[last:]])


def _cased(word: str, like: str) -> str:
    if like.isupper() and len(like) > 1:
        return word.upper()
    return word[0].upper() + word[1:] if like[0].isupper() else word
