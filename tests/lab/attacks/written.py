"""Marked text of a small 'model' whose next token depends on the last, and what it knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from stillwatch.watermark import (
    GreenListMark,
    GumbelMark,
    History,
    KeyRing,
    Mark,
    detect_many,
    sample_rows,
)

Int64s = npt.NDArray[np.int64]
VOCABULARY, TOP_K = 300, 32
RING = KeyRing(bytes(range(32)), "2026-11")
MARKS: dict[str, Callable[[str], Mark]] = {
    "gumbel, 1": lambda cluster: GumbelMark(RING.key(cluster)),
    "gumbel, 4": lambda cluster: GumbelMark(RING.key(cluster), 4),
    "green list, 1": lambda cluster: GreenListMark(RING.key(cluster, "green-list"), delta=4.0),
}
LOGITS = np.random.default_rng(0).normal(0, 5, (VOCABULARY, VOCABULARY)).astype(np.float32)


def write(marks: Sequence[Mark | None], length: int, *, seed: int = 0) -> list[Int64s]:
    """One text a mark, as an engine writes it."""
    rng = np.random.default_rng(seed)
    width = max((mark.context for mark in marks if mark is not None), default=1)
    text = np.full((len(marks), width + length), -1, np.int64)
    text[:, width - 1] = rng.integers(0, VOCABULARY, len(marks))
    histories = [History() for _ in marks]
    for at in range(width, width + length):
        text[:, at] = sample_rows(
            marks, LOGITS[text[:, at - 1]], text[:, at - width : at], histories=histories,
            top_k=TOP_K, rng=rng,
        )  # fmt: skip
    return list(text[:, width:])


def evidence(texts: Sequence[Int64s], marks: Sequence[Mark]) -> float:
    """The mean log10 p of each text under its mark; 0 where nothing can be said."""
    said = []
    for text, mark in zip(texts, marks, strict=True):
        [[found]] = detect_many([text], [mark], decoys=0)
        said.append(0.0 if found.log10_p is None else found.log10_p)
    return float(np.mean(said))
