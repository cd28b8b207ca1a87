"""A ring, and texts that a random 'model' wrote under marks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest

from stillwatch.watermark import History, KeyRing, LayeredMark, Mark, sample_rows

Int64s = npt.NDArray[np.int64]
VOCABULARY = 500


@pytest.fixture
def ring() -> KeyRing:
    return KeyRing(bytes(range(32)), "2026-11")


def write(
    marks: Sequence[Mark | LayeredMark | None], length: int, *, spread: float = 1.5, seed: int = 0
) -> Int64s:
    """One text a mark, int64 [marks, length], from logits that are normal with sd `spread`.

    As an engine does: all in one batch, a context that a text had before sampled unmarked.
    """
    rng = np.random.default_rng(seed)
    width = max((mark.context for mark in marks if mark is not None), default=1)
    text = np.full((len(marks), width + length), -1, np.int64)
    histories = [History() for _ in marks]
    for at in range(width, width + length):
        logits = rng.normal(0, spread, (len(marks), VOCABULARY)).astype(np.float32)
        text[:, at] = sample_rows(
            marks, logits, text[:, at - width : at], histories=histories, rng=rng
        )
    return text[:, width:]
