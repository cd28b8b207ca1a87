"""What a baseline's scores were worth, beside the labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from stillwatch.lab.baselines.baseline import Judged
from stillwatch.lab.baselines.labels import Labels

__all__ = ["Outcome", "auc", "outcome"]


@dataclass(frozen=True)
class Outcome:
    """One baseline on one log. Shares are of accounts, 0 to 1.

    Attributes:
        recall: attackers that were flagged at the method's own threshold.
        flagged: innocent accounts that were flagged, by kind.
        innocents: all innocent accounts, by kind.
        recall_at: attackers above the score that at most `rate` of the innocents exceed: what a
            threshold chosen with the labels in hand would have given.
        rate: that share of innocents, 0.01 unless asked otherwise.
    """

    recall: float
    flagged: Mapping[str, int]
    innocents: Mapping[str, int]
    recall_at: float
    rate: float

    @property
    def accused(self) -> float:
        """Share of all innocent accounts that were flagged."""
        return sum(self.flagged.values()) / max(1, sum(self.innocents.values()))


def outcome(judged: Judged, labels: Labels, rate: float = 0.01) -> Outcome:
    """Hold `judged` against `labels`. An account without a score counts as never flagged."""
    guilty = _scores(judged, labels.guilty)
    innocent = np.sort(_scores(judged, labels.innocent))[::-1]
    allowed = int(rate * innocent.size)
    limit = innocent[allowed] if innocent.size else -np.inf
    flagged = judged.flagged
    return Outcome(
        recall=len(flagged & labels.guilty) / max(1, len(labels.guilty)),
        flagged=Counter(kind for name, kind in labels.innocent.items() if name in flagged),
        innocents=Counter(labels.innocent.values()),
        recall_at=float(np.mean(guilty > limit)) if guilty.size else 0.0,
        rate=rate,
    )


def _scores(judged: Judged, names: Mapping[str, str] | frozenset[str]) -> NDArray[np.float64]:
    return np.array([judged.scores.get(name, -np.inf) for name in names], np.float64)


def auc(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
    """Area under the ROC curve: how often a positive scores above a negative, ties half.

    By ranks (Hanley and McNeil, Radiology 143, 1982). NaN where either class is empty.
    """
    ones = int(positive.sum())
    zeros = positive.size - ones
    if not ones or not zeros:
        return float("nan")
    ranks = rankdata(scores)
    return float((ranks[positive].sum() - ones * (ones + 1) / 2) / (ones * zeros))
