"""Who takes which public passage, and how often two customers should have met over one.

Passages that the same customers send belong to one set: a benchmark, a part of it, an assignment.
Who takes from a set meets others who do, as often as passages of the set are popular.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

from stillwatch.detections.communities import nested_communities
from stillwatch.detections.contents import senders_contents
from stillwatch.detections.group import Ints
from stillwatch.statistics import count_pairs

__all__ = ["Passages"]

Floats = npt.NDArray[np.float64]


class Passages:
    """Passages that several customers send, and the sets that they form.

    Args:
        account, content, passage: one entry a passage that an account sends in that content;
            accounts by digest, passages numbered from 0.
        customer: for each entry the number of the account's customer, from 0.
    """

    def __init__(self, account: Ints, content: Ints, passage: Ints, customer: Ints) -> None:
        taken, taker, _ = count_pairs(passage, customer)
        self._takers = np.bincount(taken, minlength=int(passage.max(initial=-1)) + 1)
        met = self._takers[taken] > 1
        self._taken, self._taker = taken[met], taker[met]
        held = self._takers[passage] > 1
        self._sent = senders_contents(account[held], content[held])
        self._passage, self._customer = passage[held], customer[held]

    @cached_property
    def sets(self) -> Ints:
        """For each passage the number of its set, from 0: communities of who sends what."""
        passages, customers = len(self._takers), int(self._taker.max(initial=-1)) + 1
        rarity = np.log(max(customers, 2) / np.maximum(self._takers, 1))
        found = nested_communities(
            customers + passages,
            self._taker,
            self._taken + customers,
            np.maximum(rarity, 0.01)[self._taken],
        )
        sets: Ints = np.unique(found[customers:], return_inverse=True)[1]
        return sets

    @cached_property
    def _all_taken(self) -> Ints:
        """By set how many passages are taken from it, by all customers together."""
        return np.bincount(self.sets[self._taken], minlength=int(self.sets.max(initial=0)) + 1)

    def takers(self, account: Ints, content: Ints) -> Ints:
        """Which accounts take a passage in one of these contents, ascending."""
        return np.unique(account[np.isin(senders_contents(account, content), self._sent)])

    def meetings(self, account: Ints, content: Ints) -> tuple[Floats, Floats]:
        """How often each customer should have met those before it, and how often it did.

        Of the others who take a passage such a share is among those before as these take of its
        set: the first number. The second counts those who are.

        Args:
            account, content: what the group sends, an entry a content; only that is looked at.

        Returns:
            One entry a customer of the group that takes anything, in the order of their numbers.
        """
        chosen = np.isin(self._sent, senders_contents(account, content))
        taker, taken, _ = count_pairs(self._customer[chosen], self._passage[chosen])
        customers, first = np.unique(taker, return_index=True)
        expected, met = np.zeros(len(customers)), np.zeros(len(customers))
        if not len(customers):
            return expected, met
        before = np.zeros(len(self._takers), dtype=np.int64)
        theirs = np.zeros(len(self._all_taken), dtype=np.int64)
        for i, own in enumerate(np.split(taken, first[1:])):
            which = self.sets[own]
            ours = np.bincount(which, minlength=len(theirs))
            share = theirs / np.maximum(self._all_taken - ours, 1)
            expected[i] = ((self._takers[own] - 1) * share[which]).sum()
            met[i] = before[own].sum()
            before[own] += 1
            theirs += ours
        return expected, met
