"""A teacher, clean models beside it, and plans: what tests of radioactivity start from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pytest

from stillwatch.lab.students import CountModel
from stillwatch.watermark import KeyRing

Int64s = npt.NDArray[np.int64]
VOCABULARY = 120
SALT = bytes(range(32))


@pytest.fixture(scope="session")
def teacher() -> CountModel:
    return CountModel.synthetic(VOCABULARY, nats=2.0, seed=1)


@pytest.fixture(scope="session")
def base(teacher: CountModel) -> CountModel:
    """What students start from: half of it is the teacher's language, half another."""
    return teacher.mixed(CountModel.synthetic(VOCABULARY, nats=2.0, seed=2), 0.5)


@pytest.fixture
def ring() -> KeyRing:
    return KeyRing(bytes(range(32)), "2026-11")


class Copying:
    """A clean model that repeats what it was shown: half of its mind is counts of the prefix.

    What followed a token earlier in the text is likely to follow it again, as in any real model.
    """

    def __init__(self, model: CountModel) -> None:
        self._model = model

    @property
    def vocabulary(self) -> int:
        return self._model.vocabulary

    def probabilities(self, texts: Sequence[Int64s]) -> Iterator[npt.NDArray[np.float32]]:
        for text, rows in zip(texts, self._model.probabilities(texts), strict=True):
            seen = np.zeros((self.vocabulary, self.vocabulary), np.float32)
            for place, token in enumerate(text.tolist()):
                if place:
                    seen[text[place - 1], token] += 1
                total = seen[token].sum()
                # what came up at all is likelier everywhere, which ties rows to earlier choices
                own = np.bincount(text[: place + 1], minlength=self.vocabulary) / (place + 1)
                rows[place] = 0.7 * rows[place] + 0.3 * own
                if total:
                    rows[place] = 0.5 * rows[place] + 0.5 * seen[token] / total
            yield rows
