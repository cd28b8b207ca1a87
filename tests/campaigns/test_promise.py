"""The promise: the expected share of false campaigns among those reported is at most α."""

from __future__ import annotations

import numpy as np
import pytest

from stillwatch.campaigns.judging import Judgement
from stillwatch.campaigns.promise import bounds, levels, promise
from stillwatch.campaigns.testing import EValues
from stillwatch.detections import Evidence, Family

ALPHA = 0.05


def judgement(nats: float, asks: float = 0.0, *, veto: bool = False) -> Judgement:
    """A group with an e-value of e^`nats` whose purpose is worth `asks`."""
    purpose = Evidence(Family.PURPOSE, "elicitation", 0.5, 0.1, "asks", asks, explained=True)
    class_ = Evidence(Family.PURPOSE, "repetition", 1.0, None, "class", 6.0, False, veto=True)
    return Judgement((purpose,), (class_,) if veto else (), EValues({Family.TIME: nats}))


def reported(groups: list[Judgement], alpha: float = ALPHA) -> int:
    nats = np.sort(promise(groups, alpha).nats)[::-1]
    return int((levels(nats) <= alpha).sum())


def test_equal_groups_are_reported_as_e_bh_reports_them() -> None:
    """Two of ten with e ≥ 10 / (0.05 · 2) = 100."""
    just, short = float(np.log(100.01)), float(np.log(99.99))
    nothing = [judgement(0.0)] * 8
    assert reported([judgement(just), judgement(just), *nothing]) == 2
    assert reported([judgement(just), judgement(short), *nothing]) == 0


def test_a_group_that_asks_for_what_distillers_need_gets_more_of_alpha() -> None:
    others = [judgement(0.0)] * 30
    assert reported([judgement(5.0, asks=4.0), *others]) == 1
    assert reported([judgement(5.0), *others]) == 0


def test_what_a_veto_speaks_against_is_neither_tested_nor_reported() -> None:
    promised = promise([judgement(50.0, veto=True), judgement(4.0)], ALPHA)
    assert promised.tested == 1
    assert promised.nats.tolist() == [-np.inf, pytest.approx(4.0)]


def test_a_level_is_the_smallest_alpha_at_which_a_group_is_reported() -> None:
    rng = np.random.default_rng(5)
    for _ in range(200):
        nats = np.sort(rng.normal(3.0, 3.0, 12))[::-1]
        found = levels(nats)
        assert (np.diff(found) >= 0).all()
        for alpha in (0.001, 0.01, 0.05, 0.2):
            passes = np.flatnonzero(nats >= -np.log(alpha * np.arange(1, 13)))
            assert (found <= alpha).sum() == (passes[-1] + 1 if len(passes) else 0)


def test_where_nothing_was_tested_nothing_is_reported() -> None:
    assert len(levels(np.zeros(0))) == 0
    assert reported([Judgement((), ())] * 3) == 0


@pytest.mark.parametrize("campaigns", [0, 1, 4])
@pytest.mark.parametrize("together", [False, True])
def test_the_expected_share_of_false_campaigns_is_at_most_alpha(
    campaigns: int, together: bool
) -> None:
    """Also where one polluted template shifts all innocent groups together."""
    rng = np.random.default_rng(7)
    shares = []
    for _ in range(3_000):
        null = np.full(20, rng.random()) if together else rng.random(20)
        worst = np.where(null <= 0.004, np.log(1 / 0.004), -5.0)  # e-values as large as may be
        true = rng.normal(8.0, 2.0, campaigns)
        groups = [judgement(float(n), asks=float(rng.random() * 4)) for n in (*true, *worst)]
        nats = promise(groups, ALPHA).nats
        order = np.argsort(-nats, kind="stable")
        named = order[levels(nats[order]) <= ALPHA]
        shares.append(np.mean(named >= campaigns) if len(named) else 0.0)
    assert np.mean(shares) <= ALPHA + 3 * np.std(shares) / np.sqrt(len(shares))


def test_wherever_one_stops_the_bound_on_false_groups_holds() -> None:
    """For all lengths at once in at least 95 % of logs, with nulls that move together or not."""
    rng = np.random.default_rng(11)
    broken = 0
    for run in range(2_000):
        nulls = 15
        shared = run % 2 == 0
        p = np.full(nulls, rng.random()) if shared else rng.random(nulls)
        log_e = np.concatenate([-np.log(p) / 2 - np.log(2), rng.normal(12, 4, 3)])
        real = np.arange(len(log_e)) >= nulls
        order = np.argsort(-log_e)
        said = bounds(log_e[order], np.zeros(0))
        false = np.cumsum(~real[order])
        broken += any(false[each.groups - 1] > each.false for each in said)
    assert broken <= 0.05 * 2_000 + 3 * np.sqrt(2_000 * 0.05 * 0.95)


def test_bounds_say_nothing_of_groups_whose_tests_are_weak() -> None:
    others = np.full(40, -1.0)
    assert bounds(np.array([1.0, 0.0]), others) == []
    strong, weak = bounds(np.array([30.0, 4.0, 1.0]), others)
    assert (strong.groups, strong.false, strong.e_value) == (1, 0, 30.0)
    assert (weak.groups, weak.false) == (2, 1)


def test_the_same_campaign_seen_through_other_objects_does_not_count_as_another() -> None:
    alone = bounds(np.array([12.0]), np.full(20, -1.0))
    again = bounds(np.array([12.0]), np.array([11.0, 10.0, *np.full(20, -1.0)]))
    assert alone == again
