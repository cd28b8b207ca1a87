"""Texts that the tests of attacks share: they are written once."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from stillwatch.lab.attacks import Bigrams, Preferences
from stillwatch.watermark import Mark
from tests.lab.attacks.written import MARKS, Int64s, write


@dataclass(frozen=True, slots=True)
class Written:
    """Twelve texts of 200 tokens, each under a key of its own, and those marks."""

    texts: list[Int64s]
    marks: list[Mark]


@pytest.fixture(scope="session", params=MARKS)
def written(request: pytest.FixtureRequest) -> Written:
    marks = [MARKS[request.param](f"c-{i}") for i in range(12)]
    return Written(write(marks, 200), marks)


@pytest.fixture(scope="session")
def gumbel() -> Written:
    marks = [MARKS["gumbel, 1"](f"g-{i}") for i in range(12)]
    return Written(write(marks, 200, seed=2), marks)


@pytest.fixture(scope="session")
def clean() -> list[Int64s]:
    """Unmarked text of the same model."""
    return write([None] * 100, 300, seed=1)


@pytest.fixture(scope="session")
def bigrams(clean: list[Int64s]) -> Bigrams:
    return Bigrams(clean)


@pytest.fixture(scope="session")
def stolen(bigrams: Bigrams) -> tuple[Mark, Preferences]:
    """One key, and what somebody guesses who has 40,000 tokens under it."""
    mark = MARKS["gumbel, 1"]("victim")
    return mark, Preferences.counted(write([mark] * 200, 200, seed=3), bigrams)
