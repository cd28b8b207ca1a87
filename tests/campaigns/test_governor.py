"""Verdicts are withheld where the unflagged do not behave as the nulls have it."""

from __future__ import annotations

import numpy as np
import pytest

from stillwatch.campaigns.governor import (
    EVERYWHERE,
    UNNAMED,
    Governor,
    failing_groups,
    failing_segments,
)
from stillwatch.campaigns.governor import Segment as Part
from stillwatch.detections import UNKNOWN, Accounts

NOBODY = np.zeros(0, dtype=np.int64)
NO_GROUPS = np.zeros(0)


def volumes(rng: np.random.Generator, count: int, sigma: float) -> np.ndarray:
    return 2 + rng.poisson(12 * rng.lognormal(0, sigma, count))


def part(rng: np.random.Generator, sigma: float, name: str = "education", count: int = 80) -> Part:
    return Part(name, volumes(rng, count, sigma))


def accounts(exchanges: np.ndarray, kinds: list[str | None]) -> Accounts:
    count = len(exchanges)
    unknown = np.full(count, UNKNOWN)
    return Accounts(
        account=np.arange(count),
        owner=np.arange(count),
        exchanges=exchanges,
        first_at=unknown,
        last_at=unknown,
        blocked_at=unknown,
        tenant_kind=np.array(kinds, dtype=object),
    )


def test_independent_customers_hardly_ever_fail() -> None:
    rng = np.random.default_rng(1)
    weeks = [
        failing_segments([part(rng, sigma, str(sigma)) for sigma in (0.95, 1.2, 1.6)])
        for _ in range(60)
    ]
    assert sum(map(bool, weeks)) <= 1


def test_a_segment_whose_customers_are_told_how_much_to_do_is_named_with_the_reason() -> None:
    rng = np.random.default_rng(2)
    (found,) = failing_segments([part(rng, 1.4, "business"), part(rng, 0.2)])
    assert found.segment == "education"
    assert "80 customers send more evenly" in found.reason


def test_a_few_customers_are_no_segment() -> None:
    assert failing_segments([part(np.random.default_rng(3), 0.1, count=20)]) == []


def test_one_large_e_value_in_twenty_is_no_drift_and_one_in_five_is() -> None:
    log_e = np.full(100, -1.0)
    log_e[:5] = 4.0
    assert failing_groups(log_e) is None
    log_e[:20] = 4.0
    found = failing_groups(log_e)
    assert found is not None
    assert found.segment == EVERYWHERE
    assert "20 of 100" in found.reason
    assert failing_groups(NO_GROUPS) is None


def test_it_counts_the_large_e_values_of_what_is_not_reported() -> None:
    everybody = accounts(np.full(3, 2), [None] * 3)
    seen = Governor(everybody, NOBODY, np.array([3.1, 2.9, -np.inf])).calibration
    assert (seen.groups, seen.large) == (3, 1)


@pytest.mark.parametrize(("pupils", "held"), [(12, True), (3, False)])
def test_a_verdict_is_held_back_where_half_of_the_members_are_in_a_failing_segment(
    pupils: int, held: bool
) -> None:
    rng = np.random.default_rng(4)
    sent = np.concatenate([volumes(rng, 100, 0.1), volumes(rng, 300, 1.4)])
    governor = Governor(accounts(sent, ["education"] * 100 + [None] * 300), NOBODY, NO_GROUPS)
    assert [each.segment for each in governor.withheld] == ["education"]
    members = np.concatenate([np.arange(pupils), np.arange(200, 208)])
    assert (governor.holds_back(members) is not None) == held


def test_members_of_what_is_reported_are_not_asked() -> None:
    """A campaign is more even than customers are: that is what it is reported for."""
    rng = np.random.default_rng(5)
    sent = np.concatenate([volumes(rng, 200, 0.1), volumes(rng, 100, 1.4)])
    everybody = accounts(sent, [None] * 300)
    assert [each.segment for each in Governor(everybody, NOBODY, NO_GROUPS).withheld] == [UNNAMED]
    assert Governor(everybody, np.arange(200), NO_GROUPS).withheld == []
