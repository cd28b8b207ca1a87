"""What every removal of a mark can do: the two protocols, and what one may spend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

__all__ = ["Attack", "Budget", "Floats", "Int64s", "TextAttack", "TokenAttack", "attacked"]

Int64s = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Text = TypeVar("Text")


@dataclass(frozen=True, slots=True)
class Budget:
    """The most that an attack does to a text; what it does in fact may be less.

    Attributes:
        changed: of the text's tokens, the share that is replaced or lost.
        added: tokens that are not the text's, for each of its tokens.
        asked: passes of a language model, for each token of the text.
    """

    changed: float = 0.0
    added: float = 0.0
    asked: float = 0.0


class Attack(Protocol[Text]):
    """One removal with its settings. It holds no state: equal generators give equal texts."""

    @property
    def budget(self) -> Budget: ...

    def __call__(self, text: Text, rng: np.random.Generator) -> Text:
        """The changed text; the given one is left as it is."""
        ...


TokenAttack = Attack[Int64s]
"""On token ids, int64 [length]; what comes out has another length, and known tokens only: those of
the text, or of the texts and models that the attack was given."""

TextAttack = Attack[str]
"""On plain text."""


def attacked(texts: Sequence[Text], attack: Attack[Text], *, seed: int = 0) -> list[Text]:
    """Each text after the attack. A text's draws depend on its place and the seed alone."""
    return [attack(text, np.random.default_rng([seed, i])) for i, text in enumerate(texts)]


def share_of(value: float, what: str) -> float:
    """The value, if it is a share.

    Raises:
        ValueError: it does not lie between 0 and 1, both included.
    """
    if not 0 <= value <= 1:
        raise ValueError(f"{what} lies between 0 and 1")
    return value
