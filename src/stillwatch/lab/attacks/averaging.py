"""Several students answering as one, each of text under another key: marks wash out.

WASH (Linear ensembles wash away watermarks, arXiv:2605.30501) averages three to five models of
different providers; here they may be students of one teacher that were fed by different accounts,
where accounts have different keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from stillwatch.lab.attacks.attack import Int64s
from stillwatch.lab.attacks.preferences import Student

__all__ = ["Averaged"]


class Averaged:
    """The mean of the probabilities of some students; open itself.

    Raises:
        ValueError: no students, or of different vocabularies.
    """

    def __init__(self, students: Sequence[Student]) -> None:
        if len({student.vocabulary for student in students}) != 1:
            raise ValueError("students of one vocabulary are averaged, one at least")
        self._students = tuple(students)

    @property
    def vocabulary(self) -> int:
        return self._students[0].vocabulary

    def probabilities(self, texts: Sequence[Int64s]) -> Iterator[npt.NDArray[np.float32]]:
        """See :meth:`.preferences.Student.probabilities`."""
        each = [student.probabilities(texts) for student in self._students]
        for rows in zip(*each, strict=True):
            mean: npt.NDArray[np.float64] = np.stack(rows).mean(axis=0, dtype=np.float64)
            yield mean.astype(np.float32)
