"""The drift governor: do the nulls still hold on those whom nothing is said about?

Whatever the promise rests on may stop being true: a class signs up, a new tool hands out quotas.
Two looks at the unflagged. The accounts of a segment (what the provider's registry says of them)
are put to the load-balance test as if they were one group: independent customers fail it. And of
all tested groups that are not reported at most one in twenty should have an e-value of 20. Where
either fails, the verdicts that lean on it are withheld, and the report says where and why.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stillwatch.campaigns.campaign import Calibration
from stillwatch.detections import LEAST_MARKED, Accounts
from stillwatch.statistics import balance, balance_e_value, binomial_tail

__all__ = ["EVERYWHERE", "Governor", "Segment", "Withheld", "failing_groups", "failing_segments"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

#: what a governor may be wrong about when the nulls hold, over all segments together
WRONG = 0.01
#: customers that a segment must have for its volumes to say something
FEWEST = 30
#: an e-value of so much has a probability of at most its inverse
LARGE = 20.0
#: the segment that is every account, and that of those of whom the registry says nothing
EVERYWHERE, UNNAMED = "all accounts", "accounts without a registered kind"


@dataclass(frozen=True)
class Segment:
    """Unflagged customers that the registry calls alike, and how much each sent."""

    name: str
    exchanges: Ints


@dataclass(frozen=True)
class Withheld:
    """A segment in which no verdict is given, and why."""

    segment: str
    reason: str


def failing_segments(segments: Sequence[Segment]) -> list[Withheld]:
    """Segments whose volumes independent customers do not have.

    Null: volumes are as :func:`stillwatch.statistics.balance_e_value` has them. Each segment may
    fail with a probability of :data:`WRONG` over their number (Markov's inequality, Bonferroni).
    """
    large = [each for each in segments if (each.exchanges >= LEAST_MARKED).sum() >= FEWEST]
    found = []
    for each in large:
        counts = each.exchanges[each.exchanges >= LEAST_MARKED]
        if balance(counts, least=LEAST_MARKED) <= 0:
            continue
        nats = balance_e_value(counts, least=LEAST_MARKED)
        if nats >= math.log(len(large) / WRONG):
            found.append(
                Withheld(
                    each.name,
                    f"its {len(counts):,} customers send more evenly than independent customers "
                    f"do ({math.exp(min(nats, 50)):.3g} to 1): load balance proves nothing there",
                )
            )
    return found


def failing_groups(log_e: Floats) -> Withheld | None:
    """Whether too many groups that are not reported have a large e-value.

    Null: each reaches :data:`LARGE` with a probability of at most its inverse. Assumption: groups
    are independent; where they are not the governor is the stricter for it.
    """
    large = int((log_e >= math.log(LARGE)).sum())
    if not large or binomial_tail(large, len(log_e), 1 / LARGE) > math.log10(WRONG):
        return None
    return Withheld(
        EVERYWHERE,
        f"{large} of {len(log_e)} groups that are not reported have an e-value of {LARGE:.0f}; one "
        "in twenty is expected at most: the nulls do not hold in this log",
    )


class Governor:
    """Looks at the unflagged accounts of one log, and holds back what leans on a failing null."""

    def __init__(self, accounts: Accounts, flagged: Ints, log_e: Floats) -> None:
        """Look.

        Args:
            accounts: everybody.
            flagged: members of what is to be reported.
            log_e: of the tested groups that are not to be reported.
        """
        self._accounts = accounts
        self._kinds = np.array([kind or UNNAMED for kind in accounts.tenant_kind], dtype=object)
        outside = ~accounts.within(flagged)
        segments = [_segment(accounts, outside & (self._kinds == kind), kind) for kind in
                    np.unique(self._kinds[outside]).tolist()]  # fmt: skip
        self.calibration = Calibration(len(log_e), int((log_e >= math.log(LARGE)).sum()))
        everywhere = failing_groups(log_e)
        self.withheld = [*([everywhere] if everywhere else []), *failing_segments(segments)]

    def holds_back(self, members: Ints) -> Withheld | None:
        """What speaks against a verdict on `members`: a failing null where half of them are."""
        kinds = self._kinds[self._accounts.at(members)]
        for each in self.withheld:
            if each.segment == EVERYWHERE or 2 * (kinds == each.segment).sum() >= len(members):
                return each
        return None


def _segment(accounts: Accounts, chosen: Mask, name: str) -> Segment:
    _, which = np.unique(accounts.owner[chosen], return_inverse=True)
    return Segment(name, np.bincount(which, accounts.exchanges[chosen]).astype(np.int64))
