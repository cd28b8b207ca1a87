"""Candidate groups → verdict-ready evidence: which are campaigns, and which accounts are members.

Law 1: two independent families. Evidence that the group's shared template may explain does not
count as a second one; what speaks against a campaign is weighed with the same nats.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from stillwatch.campaigns.campaign import COUNTS
from stillwatch.campaigns.load_balance import judge_load_balance
from stillwatch.campaigns.release_pivot import judge_release_pivot
from stillwatch.campaigns.repetition import judge_repetition
from stillwatch.campaigns.testing import EValues
from stillwatch.detections import Detection, Evidence, Family, Group

__all__ = ["COUNTS", "THRESHOLD", "Judgement", "judge"]

Ints = npt.NDArray[np.int64]

#: nats, net of counter-evidence, from which on a group is worth a review
THRESHOLD = 6.0
#: wording, purpose and parameters go together in a trade (evaluators share all three); how work is
#: spread and what the accounts are run on do not, nor does what a test with a promise says
OF_NO_TRADE = {Family.TIME, Family.INFRASTRUCTURE, Family.OUTSIDE}


@dataclass(frozen=True)
class Judgement:
    """The evidence on one group; ``score`` is net nats, best evidence of each family only.

    ``e_values`` are what the promise stands on; ``accounts`` those that carry the group's marks.
    """

    evidence: tuple[Evidence, ...]
    counter_evidence: tuple[Evidence, ...]
    e_values: EValues = field(default_factory=EValues)
    accounts: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    @property
    def families(self) -> dict[Family, float]:
        """Nats by family, of evidence that no template explains."""
        best: dict[Family, float] = {}
        for each in self.evidence:
            if not each.explained:
                best[each.family] = max(best.get(each.family, 0.0), each.weight)
        return best

    @property
    def score(self) -> float:
        """Net nats. Counter-evidence of one family counts once too."""
        against: dict[Family, float] = {}
        for each in self.counter_evidence:
            against[each.family] = max(against.get(each.family, 0.0), each.weight)
        return sum(self.families.values()) - sum(against.values())

    @property
    def vetoed(self) -> bool:
        """Whether something speaks against it that no evidence outweighs."""
        return any(each.veto for each in self.counter_evidence)

    @property
    def stands(self) -> bool:
        """Law 1: two families that count, one of them of no trade or tested; and no veto.

        What others told of the group's own wording is no second family beside it, but says that
        the wording is no trade's.
        """
        counting = {family for family, nats in self.families.items() if nats >= COUNTS}
        tested = {family for family, nats in self.e_values.nats.items() if nats >= COUNTS}
        counting |= tested
        told = {e.family for e in self.evidence if e.weight >= COUNTS} & {Family.OUTSIDE}
        of_no_trade = not (counting | told).isdisjoint(OF_NO_TRADE | tested)
        return len(counting) >= 2 and of_no_trade and not self.vetoed

    @property
    def is_suspicious(self) -> bool:
        """Whether somebody should look at it, promise or not: it stands, with enough evidence."""
        return self.stands and self.score >= THRESHOLD


def judge(
    group: Group,
    detections: Sequence[Detection],
    models: Mapping[str, int],
    further: Sequence[Evidence] = (),
) -> Judgement:
    """Ask every detection, and the properties that only a group has; `further` joins in.

    `models` are those that were released while the log ran, and when.
    """
    evidence = [each for detection in detections for each in detection.judge(group)]
    evidence += [*judge_load_balance(group), *judge_release_pivot(group, models)]
    evidence += [*judge_repetition(group), *further]
    evidence.sort(key=lambda each: (-each.weight, each.detection))
    return Judgement(
        tuple(each for each in evidence if each.speaks_for),
        tuple(each for each in evidence if not each.speaks_for),
    )
