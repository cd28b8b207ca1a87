"""Which spans of a long text carry a mark.

Every run of windows whose length is a power of two, at each quarter of its length, is tested by the
exact law, and its p-value multiplied by how many such runs there are (Bonferroni): with probability
of at least 1 - α no run is taken from a text that was written without the key. Where a mark begins
and ends is an estimate: within a significant run, the stretch that scores highest above half of its
excess.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stillwatch.watermark.detecting import LEAST_SCORED
from stillwatch.watermark.mark import Floats, Int64s, Mark
from stillwatch.watermark.refusing import Vocabulary, reason_to_abstain
from stillwatch.watermark.windows import Once, contexts_of, counted

__all__ = ["Span", "spans"]


@dataclass(frozen=True, slots=True)
class Span:
    """Tokens ``start`` to ``stop - 1`` of a text, estimated to be where the mark is.

    Attributes:
        scored: windows of the significant run that the span was found in.
        log10_p: of that run, corrected for all runs of the text.
    """

    start: int
    stop: int
    scored: int
    log10_p: float


def spans(
    tokens: Int64s,
    mark: Mark,
    *,
    alpha: float = 0.01,
    once: Once = "context",
    prefix: bool = True,
    least: int = LEAST_SCORED,
    vocabulary: Vocabulary | None = None,
) -> list[Span]:
    """Spans that carry `mark`, in the order of the text; none where :func:`detect` would abstain.

    Args:
        tokens: int64 [length].
        alpha: the probability that any span at all is named in a text without the mark, at most.
        once, prefix: see :func:`.windows.counted`.
        least: windows of the shortest run.

    Raises:
        ValueError: tokens that are no integers [length]; an alpha that is no probability.
    """
    if not 0 < alpha < 1:
        raise ValueError("alpha lies between 0 and 1")
    tokens = np.asarray(tokens)
    if reason_to_abstain(tokens, vocabulary, None) is not None:
        return []
    positions = counted(tokens, mark.context, once=once, prefix=prefix)
    contexts = contexts_of(tokens, mark.context, positions)
    carried = mark.carries(contexts)
    positions, contexts = positions[carried], contexts[carried]
    if len(positions) < least:
        return []
    scores = mark.scores(contexts, tokens[positions])
    starts, lengths = _runs(len(scores), least)
    sums = np.concatenate([[0.0], np.cumsum(scores)])
    log10_p = mark.law.log10_p(sums[starts + lengths] - sums[starts], lengths)
    log10_p = log10_p + np.log10(len(starts))
    found: list[Span] = []
    free = np.ones(len(scores), np.bool_)
    for run in np.argsort(log10_p, kind="stable"):
        if log10_p[run] > np.log10(alpha):
            break
        start, length = int(starts[run]), int(lengths[run])
        if free[start : start + length].all():
            free[start : start + length] = False
            first, last = _core(scores[start : start + length], mark.law.mean)
            found.append(
                Span(
                    int(positions[start + first]), int(positions[start + last]) + 1, length,
                    float(log10_p[run]),
                )
            )  # fmt: skip
    return sorted(found, key=lambda span: span.start)


def _runs(count: int, least: int) -> tuple[Int64s, Int64s]:
    """Starts and lengths of all runs, and of the whole."""
    starts, lengths = [np.zeros(1, np.int64)], [np.full(1, count)]
    length = least
    while length < count:
        begin = np.arange(0, count - length + 1, max(1, length // 4))
        starts.append(begin)
        lengths.append(np.full(len(begin), length))
        length *= 2
    return np.concatenate(starts), np.concatenate(lengths)


def _core(scores: Floats, mean: float) -> tuple[int, int]:
    """First and last of the stretch whose scores lie above halfway between nothing and the run."""
    above = np.cumsum(scores - (mean + scores.mean()) / 2)
    before = np.minimum.accumulate(np.concatenate([[0.0], above[:-1]]))
    last = int(np.argmax(above - before))
    first = int(np.argmin(np.concatenate([[0.0], above[:last]])))
    return first, last
