"""Text by a table of probabilities under many keys, thousands of texts side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from stillwatch.watermark import LayeredMark, Mark, MarkKey, sample_unmarked

__all__ = ["write"]

Int64s = npt.NDArray[np.int64]
UInt64s = npt.NDArray[np.uint64]
Table = npt.NDArray[np.float32]

_ANY_KEY = MarkKey(0, "", "")
_ODD = np.uint64(0x9E3779B97F4A7C15)


class _Lane(NamedTuple):
    """Texts whose marks differ in the key alone: one mark, which texts, and the key of each."""

    mark: Mark
    rows: Int64s
    keys: UInt64s
    #: a number for each context that a text had before, uint64 [rows, length]
    met: UInt64s


def write(
    table: Table,
    start: Table,
    marks: Sequence[Mark | LayeredMark | None],
    length: int,
    *,
    rng: np.random.Generator,
    prompts: Int64s | None = None,
    temperature: float = 1.0,
    top_k: int | None = 64,
) -> Int64s:
    """One text for each mark (None is unmarked), int64 [marks, length].

    As an engine does it: a context that a text had before is sampled unmarked.

    Args:
        table: float32 [vocabulary, vocabulary], row c the distribution of what follows token c.
        start: float32 [vocabulary], the distribution of a first token.
        marks: of any schemes and keys.
        prompts: int64 [marks, tokens] that the texts go on from; they are not returned.
        temperature, top_k: as for :meth:`stillwatch.watermark.Mark.sample`.
    """
    lanes = _lanes(marks, length)
    before = np.empty((len(marks), 0), np.int64) if prompts is None else prompts
    width = max((lane.mark.context for lane in lanes), default=1)
    first = width + before.shape[1]
    text = np.full((len(marks), first + length), -1, np.int64)
    text[:, width:first] = before
    with np.errstate(divide="ignore"):
        # the last row is the one that -1, before the first token, stands for
        logits = np.log(np.vstack([table, start]))
    for at in range(first, first + length):
        rows = logits[text[:, at - 1]]
        free = np.ones(len(marks), np.bool_)
        for mark, members, keys, met in lanes:
            contexts = text[members, at - mark.context : at]
            codes = _coded(contexts)
            marked = mark.carries(contexts) & ~(met[:, : at - first] == codes[:, None]).any(axis=1)
            met[:, at - first] = codes
            if marked.any():
                here = members[marked]
                text[here, at] = mark.sample(
                    rows[here], contexts[marked], temperature=temperature, top_k=top_k, rng=rng,
                    keys=keys[marked],
                )  # fmt: skip
                free[here] = False
        if free.any():
            text[free, at] = sample_unmarked(
                rows[free], temperature=temperature, top_k=top_k, rng=rng
            )
    return text[:, first:]


def _lanes(marks: Sequence[Mark | LayeredMark | None], length: int) -> list[_Lane]:
    members: dict[Mark, list[tuple[int, int]]] = {}
    for row, mark in enumerate(marks):
        layers: Sequence[Mark] = ()
        if mark is not None:
            layers = mark.layers if isinstance(mark, LayeredMark) else (mark,)
        for layer in layers:
            members.setdefault(layer.with_key(_ANY_KEY), []).append((row, layer.key.value))
    return [
        _Lane(
            mark,
            np.array([row for row, _ in found], np.int64),
            np.array([key for _, key in found], np.uint64),
            np.zeros((len(found), length), np.uint64),
        )
        for mark, found in members.items()
    ]


def _coded(contexts: Int64s) -> UInt64s:
    """A number for each context; two share one with odds of 2^-64."""
    code = np.zeros(len(contexts), np.uint64)
    for column in contexts.T:
        code = (code ^ column.view(np.uint64)) * _ODD
        code ^= code >> np.uint64(29)
        code *= _ODD
    return code
