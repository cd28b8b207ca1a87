"""A share that was counted by a judge who errs, with the errors of both in its interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from stillwatch.statistics.proportions import share_interval

__all__ = ["JudgeErrors", "judged_interval"]


class JudgeErrors(NamedTuple):
    """How a judge did on units whose truth people know: of so many, so many were judged right."""

    hits: int
    hits_right: int
    others: int
    others_right: int


def judged_interval(
    hits: int,
    of: int,
    judges: Sequence[JudgeErrors],
    *,
    unjudged: int = 0,
    least: int = 0,
    confidence: float = 0.95,
) -> tuple[float, float]:
    """Two-sided confidence interval of the true share of hits; (0, 1) where nothing can be said.

    Rogan and Gladen (American Journal of Epidemiology 107, 1978) solve judged = true · r + (1 -
    true) · f for the true share, where r is the share of hits that are judged hits, f that of
    others. Here all three are known by intervals only, each exact (Clopper and Pearson) at a third
    of the error, and the result is the range of the solution over all of them. Conservative.

    Null: the true share lies outside. Assumptions: units are independent and alike, the judge errs
    on them as it did on the units of `judges`, or, where these are several, no worse than on the
    worst and no better than on the best of them; and hits are likelier judged hits than others are.

    Args:
        hits, of: judged hits, and all units that were judged or could not be.
        judges: the judge's errors in one or more measurements.
        least: of hits, and of others, measurements on fewer units are left aside; their intervals
            would be wide for want of units and not for the judge's sake. Without any left, that
            error may be anything.
        unjudged: units among `of` of which the judge says nothing; they may be either.

    Raises:
        ValueError: no measurement, counts that are none.
    """
    if not judges or not 0 <= hits <= hits + unjudged <= of:
        raise ValueError("a judge has measured errors, and judges no more units than there are")
    third = 1 - (1 - confidence) / 3
    low = share_interval(hits, of, confidence=third)[0]
    high = share_interval(hits + unjudged, of, confidence=third)[1]
    right = [
        share_interval(each.hits_right, each.hits, confidence=third)
        for each in judges
        if each.hits >= least
    ] or [(0.0, 1.0)]
    wrong = [
        share_interval(each.others - each.others_right, each.others, confidence=third)
        for each in judges
        if each.others >= least
    ] or [(0.0, 1.0)]
    least_right, most_right = min(r for r, _ in right), max(r for _, r in right)
    least_wrong, most_wrong = min(w for w, _ in wrong), max(w for _, w in wrong)
    # the solution falls in r and in f, and grows with what was judged
    below = (low - most_wrong) / (most_right - most_wrong) if most_right > most_wrong else 0.0
    above = (high - least_wrong) / (least_right - least_wrong) if least_right > least_wrong else 1.0
    return max(0.0, min(1.0, below)), max(0.0, min(1.0, above))
