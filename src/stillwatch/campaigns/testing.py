"""A group put to tests with a promise: e-values of families whose nulls honest groups meet.

Wording, purpose and parameters form and describe a group, and every tool's users have them in
common: there is no null that a tool's users meet and a campaign does not. How evenly work is
spread, how public problems are divided, and whether cards and devices stay within the group, say
nothing of what formed it, and independent customers of one tool meet the nulls of all three.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from stillwatch.campaigns.division import division_e_value
from stillwatch.campaigns.gathering import carriers
from stillwatch.campaigns.linkage import linkage_e_value
from stillwatch.campaigns.load_balance import load_balance_e_value
from stillwatch.detections import Accounts, Family, Group, Infrastructure, Problems

__all__ = ["EValues", "GroupTests"]

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class EValues:
    """The e-values of a group.

    Attributes:
        nats: logs of e-values by family; independent of each other under the null.
        takers: accounts that take part in the work whose division was tested.
    """

    nats: Mapping[Family, float] = field(default_factory=dict)
    takers: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    @property
    def log_e(self) -> float:
        """Log of one e-value for the group, -inf where nothing was tested.

        The mean over all sets of families of the product of their e-values: a product is what
        independent evidence is worth, the smaller ones keep a family without evidence from undoing
        one that has it. Null: the accounts are independent customers. Assumption: families are
        independent then.
        """
        if not self.nats:
            return -math.inf
        each = np.array(list(self.nats.values()))
        every = float(np.logaddexp(0.0, each).sum())  # of the empty set too, which is left out
        if every == 0:
            return -math.inf
        return every + math.log(-math.expm1(-every)) - math.log(2 ** len(each) - 1)


class GroupTests:
    """Tests groups of one log; made after the detections ran.

    Args:
        accounts: all accounts of the log.
        infrastructure, problems: what those detections know of it; None where one did not run.
    """

    def __init__(
        self,
        accounts: Accounts,
        infrastructure: Infrastructure | None,
        problems: Problems | None,
    ) -> None:
        self._accounts = accounts
        self._customer = accounts.owner if infrastructure is None else infrastructure.customers
        self._holders = None if infrastructure is None else infrastructure.holders
        self._passages = None if problems is None else problems.passages(self._customer)

    def test(self, group: Group) -> EValues:
        """The e-values of `group`, of whose accounts links of some kind are all that is known."""
        customer = self._customer[self._accounts.at(group.accounts)]
        nats = {Family.TIME: load_balance_e_value(group, customer)}
        takers = np.zeros(0, dtype=np.int64)
        if self._passages is not None:
            nats[Family.PURPOSE] = division_e_value(group, self._passages)
            takers = self._passages.takers(
                group.shared.ints("account"), group.shared.ints("content")
            )
        if self._holders is not None and group.styled.any():
            # whoever is a member for a shared card as well would be counted for it
            nobody = np.zeros(0, dtype=np.int64)
            worded = group.accounts[carriers(group.rows, group.styled, nobody)]
            nats[Family.INFRASTRUCTURE] = linkage_e_value(
                worded, self._holders, len(self._accounts)
            )
        return EValues(nats, takers)
