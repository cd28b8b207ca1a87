"""One key, one sketcher and one reference for all tests of the room: tables take a second."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stillwatch.exchange import RawExchange
from stillwatch.sketches import Sketcher, SketchKey
from stillwatch.sketches.batch import split_each
from stillwatch.sketches.phrases import patterns
from stillwatch.sketches.topics import load_topics

from .reference import Reference

SECRET = b"a secret of the tests, 32 bytes or more"

Cells = Callable[[str], set[int]]


@pytest.fixture(scope="session")
def key() -> SketchKey:
    return SketchKey(SECRET)


@pytest.fixture(scope="session")
def sketcher(key: SketchKey) -> Sketcher:
    return Sketcher(key)


@pytest.fixture(scope="session")
def reference() -> Reference:
    return Reference(SECRET, load_topics(), patterns(split_each))


@pytest.fixture(scope="session")
def cells(sketcher: Sketcher) -> Cells:
    """The cells of a prompt."""

    def of(prompt: str) -> set[int]:
        row = RawExchange(at=0, account="a", prompt=prompt)
        return set(sketcher.sketch([row])["cells"][0].as_py())

    return of
