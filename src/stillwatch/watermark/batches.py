"""A batch whose rows have different marks: each row meets its own key alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stillwatch.watermark.gumbel import GumbelMark
from stillwatch.watermark.layers import LayeredMark
from stillwatch.watermark.mark import Floats, Int64s, Logits, Mark
from stillwatch.watermark.rows import NO_KEY, sample_unmarked, settings_of
from stillwatch.watermark.windows import History

__all__ = ["sample_rows"]


def sample_rows(
    marks: Sequence[Mark | LayeredMark | None],
    logits: Logits,
    contexts: Int64s,
    *,
    histories: Sequence[History | None] | None = None,
    temperature: float | Floats = 1.0,
    top_k: int | Int64s | None = 64,
    rng: np.random.Generator,
) -> Int64s:
    """The next token of each row under the mark of that row, int64 [batch]; None is unmarked.

    Args:
        marks: one for each row.
        logits: float32 [batch, vocabulary].
        contexts: int64 [batch, width], as wide as the widest mark needs; each takes the last.
        histories: of the request of each row: where the mark met this context before, the row is
            sampled unmarked. What a row met is noted in its history.
        temperature, top_k, rng: as for :meth:`.mark.Mark.sample`; rows whose mark is None may be
            greedy.

    Raises:
        ValueError: as :meth:`.mark.Mark.sample`; not one mark, context and history a row; contexts
            too narrow for a mark.
    """
    logits, contexts = np.asarray(logits), np.ascontiguousarray(contexts, np.int64)
    batch = len(logits)
    if len(marks) != batch or contexts.ndim != 2 or len(contexts) != batch:
        raise ValueError("there is one mark and one context for each row of the logits")
    if histories is not None and len(histories) != batch:
        raise ValueError("there is one history for each row of the logits")
    widest = max((mark.context for mark in marks if mark is not None), default=0)
    if contexts.shape[1] < widest:
        raise ValueError(f"contexts of {contexts.shape[1]} tokens, and a mark needs {widest}")
    warm, many = settings_of(batch, temperature, top_k)
    greedy = (warm == 0) | (many == 1)
    for row, mark in enumerate(marks):
        if greedy[row] and mark is not None:
            raise ValueError(
                f"row {row} decodes greedily (temperature 0 or top_k 1), which takes no mark"
            )
    rows = _fresh(_layers(marks, contexts), contexts, histories)
    keys = rng.integers(0, 1 << 64, batch, np.uint64)
    families: dict[Mark | None, list[int]] = {}
    for row, met in enumerate(rows):
        if met is not None:
            families.setdefault(met.with_key(NO_KEY), []).append(row)
            keys[row] = met.key.value
    # under a key that nobody keeps, Gumbel-max is plain sampling: no second pass over the batch
    free = next((family for family in families if isinstance(family, GumbelMark)), None)
    for row, met in enumerate(rows):
        if met is None:
            families.setdefault(None if greedy[row] else free, []).append(row)
    out = np.empty(batch, np.int64)
    for family, members in families.items():
        # one family needs no copy of its logits
        at = slice(None) if len(families) == 1 else np.sort(members)
        if family is None:
            out[at] = sample_unmarked(logits[at], temperature=warm[at], top_k=many[at], rng=rng)
        else:
            out[at] = family.sample(
                logits[at], contexts[at][:, contexts.shape[1] - family.context :],
                temperature=warm[at], top_k=many[at], rng=rng, keys=keys[at],
            )  # fmt: skip
    return out


def _layers(marks: Sequence[Mark | LayeredMark | None], contexts: Int64s) -> list[Mark | None]:
    """The marks, a layered one replaced by the layer of its context."""
    return [
        mark.layer_of(contexts[row : row + 1])[0] if isinstance(mark, LayeredMark) else mark
        for row, mark in enumerate(marks)
    ]


def _fresh(
    marks: list[Mark | None], contexts: Int64s, histories: Sequence[History | None] | None
) -> list[Mark | None]:
    """The marks of rows whose context is new to their request, as wide as the mark sees it."""
    if histories is None:
        return marks
    return [
        mark if mark is None or history is None
        or history.first(contexts[row, contexts.shape[1] - mark.context :]) else None
        for row, (mark, history) in enumerate(zip(marks, histories, strict=True))
    ]  # fmt: skip
