"""The promise: of the campaigns that are reported, the expected share of false ones is at most α.

A campaign is false when fewer than half of its members belong to one attack. Each group has an
e-value (:mod:`.testing`) and a share of α, by what it asks for: groups that ask for what distillers
need get more, which is allowed because it is settled before the tests. The shares of all tested
groups add up to 1. Any set of R groups each of which has e · share ≥ 1 / (α R) keeps the promise
under any dependence (weighted e-BH: Wang and Ramdas 2022; Ignatiadis, Wang and Ramdas, arXiv
2204.12447), so that groups seen twice may be left out before R is counted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stillwatch.campaigns.campaign import Bound
from stillwatch.campaigns.judging import Judgement
from stillwatch.detections import Family
from stillwatch.statistics import e_value_discoveries

__all__ = ["ALPHA", "Promise", "bounds", "levels", "promise"]

Floats = npt.NDArray[np.float64]

#: expected share of false campaigns among those reported
ALPHA = 0.05
#: of the bounds that hold wherever one stops
CONFIDENCE = 0.95
#: nats of purpose that count for a share of α: honest tools ask for reasoning and grades too, and
#: what they take others lack
MOST = 2.0


@dataclass(frozen=True)
class Promise:
    """What is promised of a report.

    Attributes:
        alpha: the expected share of false campaigns, at most.
        tested: groups that were tested (K).
        shares: by judged group the log of its share of α; -inf for groups that were not tested.
        nats: log e + log share.
    """

    alpha: float
    tested: int
    shares: Floats
    nats: Floats


def promise(judged: Sequence[Judgement], alpha: float) -> Promise:
    """Weigh the e-values of all judged groups; what a veto speaks against is not tested."""
    tested = np.array([not judgement.vetoed for judgement in judged], dtype=bool)
    log_e = np.array([judgement.e_values.log_e for judgement in judged])
    asks = np.array([_purpose(judgement) for judgement in judged])
    shares = np.full(len(judged), -np.inf)
    if tested.any():
        shares[tested] = asks[tested] - np.logaddexp.reduce(asks[tested])
    return Promise(alpha, int(tested.sum()), shares, log_e + shares)


def levels(nats: Floats) -> Floats:
    """For each group the smallest α at which it is reported, at most 1.

    Where R groups are reported, each has at most α = exp(-nats) / R; the groups before it go with
    it. So the report at any other α can be read off one table.

    Args:
        nats: of distinct groups (:attr:`Promise.nats`), descending.
    """
    together = np.minimum(-nats - np.log(np.arange(1, len(nats) + 1)), 0.0)
    least: Floats = np.exp(np.minimum.accumulate(together[::-1])[::-1])
    return least


def bounds(log_e: Floats, others: Floats) -> list[Bound]:
    """What holds of the first one, two, … groups, the strongest first, wherever one stops.

    By closed testing (:func:`stillwatch.statistics.e_value_discoveries`), so that an operator may
    choose after looking. As far as anything can be said at all.

    Args:
        log_e: of distinct groups.
        others: of the other groups that were tested; those of 20 and more are the same campaigns
            seen through other objects, and stand in ``log_e``.
    """
    enough = -math.log(1 - CONFIDENCE)
    own = log_e[log_e >= enough]
    found = e_value_discoveries(
        np.concatenate([own, log_e[log_e < enough], others[others < enough]]), confidence=CONFIDENCE
    )
    return [
        Bound(place + 1, float(own[at]), int(found.false[place]))
        for place, at in enumerate(found.order[: len(own)].tolist())
    ]


def _purpose(judgement: Judgement) -> float:
    """Nats of purpose, explained by a template or not: for a share of α that does not matter."""
    found = [each.weight for each in judgement.evidence if each.family is Family.PURPOSE]
    return min(MOST, max(found, default=0.0))
