"""The tests that only a group can be put to: what they are, and which of them could be applied.

Detections link accounts and judge groups; these link nobody. A report names them all the same.
"""

from __future__ import annotations

from collections.abc import Mapping

from stillwatch.campaigns.campaign import Ran
from stillwatch.campaigns.load_balance import LOAD_BALANCE
from stillwatch.campaigns.novelty import NOVELTY, Reference
from stillwatch.campaigns.release_pivot import RELEASE_PIVOT
from stillwatch.campaigns.repetition import REPETITION

__all__ = ["GROUP_TESTS", "group_tests"]

GROUP_TESTS = (LOAD_BALANCE, NOVELTY, RELEASE_PIVOT, REPETITION)
"""By name. Each has a page in ``docs/detections``."""


def group_tests(first: Mapping[str | None, int], reference: Reference | None) -> list[Ran]:
    """Every group test, with the reason where it had nothing to go by.

    `first` says when each model of the log was first used.
    """
    missing = {}
    if reference is None:
        missing[NOVELTY.name] = "no reference period was given"
    if not first.keys() - {None}:
        missing[RELEASE_PIVOT.name] = "the log names no model"
    return [Ran(each, missing.get(each.name), 0.0) for each in GROUP_TESTS]
