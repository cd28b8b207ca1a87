"""A group put to tests with a promise: e-values of families whose nulls honest groups meet.

Wording, purpose and parameters form and describe a group, and every tool's users have them in
common: there is no null that a tool's users meet and a campaign does not. How evenly work is
spread, and whether cards and devices stay within the group, say nothing of what formed it, and
independent customers of one tool meet the nulls of both.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from stillwatch.campaigns.gathering import carriers
from stillwatch.campaigns.linkage import linkage_e_value
from stillwatch.campaigns.load_balance import load_balance_e_value
from stillwatch.detections import Family, Group, Infrastructure

__all__ = ["EValues", "GroupTests"]


@dataclass(frozen=True)
class EValues:
    """The e-values of a group.

    Attributes:
        nats: logs of e-values by family; independent of each other under the null.
    """

    nats: Mapping[Family, float] = field(default_factory=dict)

    @property
    def log_e(self) -> float:
        """Log of one e-value for the group, -inf where nothing was tested.

        The mean of the families' e-values and of their product: the product is what independent
        evidence is worth, the others keep a family without evidence from undoing one that has it.
        Null: the accounts are independent customers. Assumption: families are independent then.
        """
        if not self.nats:
            return -math.inf
        each = list(self.nats.values())
        every = [*each, sum(each)] if len(each) > 1 else each
        return float(np.logaddexp.reduce(every) - math.log(len(every)))


class GroupTests:
    """Tests groups of one log; made after the detections ran."""

    def __init__(self, infrastructure: Infrastructure | None, population: int) -> None:
        self._infrastructure = infrastructure
        self._population = population

    def test(self, group: Group) -> EValues:
        """The e-values of `group`, of whose accounts links of some kind are all that is known."""
        if self._infrastructure is None:
            return EValues(
                {Family.TIME: load_balance_e_value(group, np.arange(len(group.accounts)))}
            )
        customer = self._infrastructure.customers_of(group.accounts)
        nats = {Family.TIME: load_balance_e_value(group, customer)}
        if group.styled.any():
            # whoever is a member for a shared card as well would be counted for it
            nobody = np.zeros(0, dtype=np.int64)
            worded = group.accounts[carriers(group.rows, group.styled, nobody)]
            holders = self._infrastructure.holders
            nats[Family.INFRASTRUCTURE] = linkage_e_value(worded, holders, self._population)
        return EValues(nats)
