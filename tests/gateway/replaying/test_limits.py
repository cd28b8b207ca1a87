"""Limits on the clock of a log."""

from __future__ import annotations

import pytest

from tests.gateway.replaying.conftest import Run, line, row


def tiers(limit: str) -> str:
    return f"tiers:\n  default:\n    - {{name: it, scope: account, {limit}}}\n"


PER_MINUTE = tiers("unit: requests, amount: 2, period: 60")


def refused(ask: Run, rows: list[dict[str, object]], rules: str) -> int:
    report = ask(rows, rules, level="default", tier="default").report
    return report.outcomes["limited"]


def test_a_rate_is_kept_on_the_times_of_the_rows(ask: Run) -> None:
    close = [row(after=after) for after in (0, 1, 2, 3)]
    far = [row(after=after) for after in (0, 1, 60, 90)]
    assert refused(ask, close, PER_MINUTE) == 2
    assert refused(ask, far, PER_MINUTE) == 0


def test_each_account_has_its_own(ask: Run) -> None:
    rows = [row(after=i, account=f"a{i % 2}") for i in range(4)]
    assert refused(ask, rows, PER_MINUTE) == 0


def test_rows_are_taken_by_time_and_not_by_their_place_in_the_log(ask: Run) -> None:
    rows = [row(after=after) for after in (61, 0, 62, 1)]
    assert refused(ask, rows, PER_MINUTE) == 0
    report = ask(rows, PER_MINUTE, tier="default").report
    assert (report.log.first, report.log.last) == ("2026-03-02T12:00:00Z", "2026-03-02T12:01:02Z")


def test_what_an_answer_used_is_what_is_charged(ask: Run) -> None:
    """Reserved are a prompt of 500 and 400 of output; used are 10 of these, or nobody knows."""
    budget = tiers("unit: tokens, amount: 1500, calendar: day")
    fields = {"prompt_tokens": 500, "max_tokens": 400, "latency_ms": 500}
    used = [row(after=after, completion_tokens=10, **fields) for after in (0, 1)]
    assert refused(ask, used, budget) == 0
    unknown = [row(after=after, **fields) for after in (0, 1)]
    assert refused(ask, unknown, budget) == 1


def test_slots_are_held_for_as_long_as_a_request_took(ask: Run) -> None:
    slots = tiers("unit: concurrent, amount: 1")
    long = [row(after=after, latency_ms=1500) for after in (0, 1, 2)]
    assert refused(ask, long, slots) == 1
    assert refused(ask, [each | {"latency_ms": 900} for each in long], slots) == 0


@pytest.mark.parametrize(
    "limit", ["unit: concurrent, amount: 1", "unit: distinct, amount: 1, period: 60"]
)
def test_a_limit_that_the_log_cannot_tell_of_is_named(ask: Run, limit: str) -> None:
    report = ask([row(logit_bias={"1": 1, "2": 1})] * 2, tiers(limit), tier="default").report
    assert report.outcomes["limited"] == 0
    assert any("cannot be held against: default: it" in note for note in report.notes)


def test_what_a_limit_refuses_is_put_down_to_it(ask: Run) -> None:
    report = ask([row(after=i) for i in range(3)], PER_MINUTE, tier="default").report
    assert line(report, "limit default: it").counts == {"matched": 1, "acted": 1}
    assert report.accounts[0].rules == ("limit default: it",)


def test_a_tier_rule_moves_to_other_limits(ask: Run) -> None:
    text = PER_MINUTE + (
        "  lane: [{name: few, scope: account, unit: requests, amount: 1, period: 60}]\n"
        "rules:\n  - {id: lane, when: n > 1, tier: lane, reason: r}\n"
    )
    report = ask([row(after=i, n=2) for i in range(2)], text, tier="default").report
    assert line(report, "limit lane: few").counts["acted"] == 1
    assert (report.outcomes["changed"], report.effects) == (1, {"tier": 1})
