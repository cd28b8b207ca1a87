"""Random edits: tokens replaced, put in before others, and deleted, without a look at the text.

The removal that every scheme is measured with first (Kuditipudi et al., arXiv:2307.15593). An edit
spoils every window that it touches: `context` + 1 of them for a token that is replaced.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np

from stillwatch.lab.attacks.attack import Budget, Int64s, share_of
from stillwatch.lab.attacks.unigrams import Unigrams

__all__ = ["EDITS", "Edit", "RandomEdits"]

Edit = Literal["replace", "insert", "delete"]
EDITS: Final[tuple[Edit, ...]] = get_args(Edit)


@dataclass(frozen=True, slots=True)
class RandomEdits:
    """Edits at randomly chosen tokens.

    Args:
        rate: the share of tokens at which there is one edit; their number is exact, rounded.
        law: where foreign tokens are drawn from; a token is never replaced by itself.
        kinds: what is done there, each as likely; `insert` puts a token before it.

    Raises:
        ValueError: a rate that is no share, no kinds.
    """

    rate: float
    law: Unigrams
    kinds: tuple[Edit, ...] = EDITS

    def __post_init__(self) -> None:
        share_of(self.rate, "the rate of edits")
        if not self.kinds:
            raise ValueError("there is no kind of edits")

    @property
    def budget(self) -> Budget:
        changes = self.rate if set(self.kinds) != {"insert"} else 0.0
        return Budget(changes, self.rate if set(self.kinds) != {"delete"} else 0.0)

    def __call__(self, text: Int64s, rng: np.random.Generator) -> Int64s:
        n = len(text)
        chosen = rng.permutation(n)[: round(self.rate * n)]
        kinds = rng.integers(0, len(self.kinds), len(chosen))
        places = {kind: np.sort(chosen[kinds == i]) for i, kind in enumerate(self.kinds)}
        out = text.copy()
        replaced = places.get("replace", np.empty(0, np.int64))
        out[replaced] = self.law.other_than(text[replaced], rng)
        inserted = places.get("insert", np.empty(0, np.int64))
        # what is inserted before a place is not the token that stood there before it
        foreign = self.law.other_than(text[np.maximum(inserted - 1, 0)], rng)
        gone = np.zeros(n, np.bool_)
        gone[places.get("delete", np.empty(0, np.int64))] = True
        kept_before: Int64s = np.cumsum(~gone) - ~gone
        return np.insert(out[~gone], kept_before[inserted], foreign)
