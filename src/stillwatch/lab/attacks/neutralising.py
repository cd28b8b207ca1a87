"""A student whose inherited preferences are taken out while it answers.

Watermark neutralisation (WN) of Pan et al. (arXiv:2502.11598): training stays as it was, and at
inference the logits are moved back by what the training moved after short, frequent prefixes. That
takes what the student learned there with it, mark or not: what it costs has to be measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from stillwatch.lab.attacks.attack import Floats, Int64s
from stillwatch.lab.attacks.preferences import Preferences, Student

__all__ = ["Neutralised", "cross_entropy"]


class Neutralised:
    """An open student in front of which preferences are taken off; open itself.

    p' is proportional to p · e^(-strength · value), with values added over the prefixes that a
    place has. With uncapped ones of one width that is p · (p_before / p_after)^strength.

    Args:
        student: read through `probabilities`.
        preferences: see :meth:`.preferences.Preferences.compared`.
        strength: 0 changes nothing.

    Raises:
        ValueError: a strength below 0.
    """

    def __init__(self, student: Student, preferences: Preferences, strength: float = 1.0) -> None:
        if strength < 0:
            raise ValueError("the strength is 0 at least")
        self._student, self._preferences, self._strength = student, preferences, strength

    @property
    def vocabulary(self) -> int:
        return self._student.vocabulary

    def probabilities(self, texts: Sequence[Int64s]) -> Iterator[npt.NDArray[np.float32]]:
        """See :meth:`.preferences.Student.probabilities`; rows sum to 1 as before."""
        for text, rows in zip(texts, self._student.probabilities(texts), strict=True):
            out, said = rows.astype(np.float64), text.tolist()
            for j in range(len(said)):
                for width in self._preferences.widths:
                    if width <= j + 1:
                        known, values = self._preferences.after(tuple(said[j + 1 - width : j + 1]))
                        out[j, known] *= np.exp(-self._strength * values)
            yield (out / out.sum(axis=1, keepdims=True)).astype(np.float32)


def cross_entropy(student: Student, texts: Sequence[Int64s]) -> float:
    """What the texts cost the student, nats a token; the first of each is not counted.

    Raises:
        ValueError: no text has two tokens.
    """
    losses: list[Floats] = []
    for text, rows in zip(texts, student.probabilities(texts), strict=True):
        said = rows[np.arange(len(text) - 1), text[1:]].astype(np.float64)
        losses.append(-np.log(np.maximum(said, 1e-12)))
    if not sum(map(len, losses)):
        raise ValueError("there is nothing to predict")
    return float(np.concatenate(losses).mean())
