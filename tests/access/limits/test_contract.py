"""What every keeper of limits does, in memory and in Redis alike."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
import pytest

from stillwatch.access.limits import Charge, Limit, Usage
from stillwatch.errors import SettingsError

# 60 tokens a minute: one drains each second
RATE = Limit(name="rate", scope="key", unit="tokens", amount=60, period=60.0)
REQUESTS = Limit(name="requests", scope="key", unit="requests", amount=3, period=60.0)
ORG = Limit(name="org", scope="org", unit="tokens", amount=60, period=60.0)
BUDGET = Limit(name="budget", scope="org", unit="tokens", amount=100, calendar="day")
SLOTS = Limit(name="slots", scope="key", unit="concurrent", amount=2)
ITEMS = Limit(name="items", scope="key", unit="distinct", amount=3, period=100.0)
LEASE = 60
MIDNIGHT = int(datetime(2026, 9, 22, tzinfo=UTC).timestamp()) * 10**9
UNSENT = Usage(sent=False)


def rate(cost: int, subject: str = "a", limit: Limit = RATE) -> Charge:
    return Charge(limit, subject, cost)


def items(*numbers: int) -> Charge:
    return Charge(ITEMS, "a", len(numbers), numbers)


def test_a_burst_passes_and_the_next_waits_for_what_it_needs(keeper: Any, clock: Any) -> None:
    keeper.admit(rate(50))
    keeper.admit(rate(10))
    assert keeper.refuse(rate(7)).retry_after == pytest.approx(7)
    clock.advance(6.999)
    keeper.refuse(rate(7))
    clock.advance(0.001)
    keeper.admit(rate(7))


def test_a_burst_may_be_smaller_than_the_amount(keeper: Any, clock: Any) -> None:
    small = msgspec.structs.replace(RATE, burst=5)
    assert keeper.refuse(rate(6, limit=small)).retry_after is None
    keeper.admit(rate(5, limit=small))
    assert keeper.refuse(rate(5, limit=small)).retry_after == pytest.approx(5)


def test_a_cost_that_can_never_fit_has_no_time_to_come_back(keeper: Any) -> None:
    for limit in (RATE, REQUESTS, BUDGET, SLOTS):
        for cost in (limit.amount + 1, 10**18):
            refused = keeper.refuse(rate(cost, limit=limit))
            assert (refused.charge.limit, refused.retry_after, refused.away) == (limit, None, False)
        keeper.admit(rate(limit.amount, limit=limit))
    assert keeper.refuse(items(1, 2, 3, 4)).retry_after is None
    keeper.admit(items(1, 2, 3))


def test_what_was_not_used_is_given_back(keeper: Any) -> None:
    levels = rate(60), rate(100, limit=BUDGET)
    keeper.settle(keeper.admit(*levels), Usage(tokens=20))
    assert keeper.refuse(rate(41)).retry_after == pytest.approx(1)
    keeper.admit(rate(40))
    keeper.refuse(rate(81, limit=BUDGET))
    keeper.admit(rate(80, limit=BUDGET))


def test_what_was_used_beyond_the_reservation_is_charged_too(keeper: Any) -> None:
    keeper.settle(keeper.admit(rate(10), rate(10, limit=BUDGET)), Usage(tokens=150))
    assert keeper.refuse(rate(1)).retry_after == pytest.approx(91)
    keeper.refuse(rate(1, limit=BUDGET))


def test_the_larger_of_what_was_said_and_what_passed_is_charged(keeper: Any) -> None:
    for usage in (Usage(streamed=30), Usage(tokens=30, streamed=9), Usage(tokens=9, streamed=30)):
        subject = str(usage)
        keeper.settle(keeper.admit(rate(60, subject)), usage)
        keeper.refuse(rate(31, subject))
        keeper.admit(rate(30, subject))


def test_a_request_that_was_never_sent_costs_nothing(keeper: Any) -> None:
    charges = (
        rate(60),
        rate(3, limit=REQUESTS),
        rate(100, limit=BUDGET),
        rate(2, limit=SLOTS),
        items(1, 2, 3),
    )
    for _ in range(3):
        keeper.settle(keeper.admit(*charges), UNSENT)
    keeper.admit(*charges[:4], items(4, 5, 6))


def test_a_request_that_was_sent_counts_whatever_it_used(keeper: Any) -> None:
    for _ in range(3):
        keeper.settle(keeper.admit(rate(1, limit=REQUESTS)), Usage())
    assert keeper.refuse(rate(1, limit=REQUESTS)).retry_after == pytest.approx(20)


def test_settling_again_changes_nothing(keeper: Any) -> None:
    first = keeper.admit(rate(30), rate(30, limit=BUDGET), rate(1, limit=SLOTS))
    keeper.admit(rate(30), rate(70, limit=BUDGET), rate(1, limit=SLOTS))
    keeper.settle(first, Usage(tokens=30))
    for usage in (UNSENT, Usage(), Usage(tokens=99)):
        keeper.settle(first, usage)
    assert keeper.refuse(rate(1)).retry_after == pytest.approx(1)
    keeper.refuse(rate(1, limit=BUDGET))
    keeper.admit(rate(1, limit=SLOTS))
    keeper.refuse(rate(1, limit=SLOTS))


def test_an_upstream_that_still_runs_keeps_what_was_reserved(keeper: Any, clock: Any) -> None:
    both = rate(60), rate(100, limit=BUDGET), rate(2, limit=SLOTS)
    keeper.settle(keeper.admit(*both), Usage(streamed=5, still_running=True))
    assert keeper.outstanding() == 0
    assert keeper.refuse(rate(1)).retry_after == pytest.approx(1)
    keeper.refuse(rate(1, limit=BUDGET))
    keeper.refuse(rate(1, limit=SLOTS))
    clock.advance(LEASE)
    keeper.admit(rate(2, limit=SLOTS))


def test_an_upstream_that_still_runs_is_charged_what_passed_if_that_is_more(keeper: Any) -> None:
    keeper.settle(keeper.admit(rate(10)), Usage(streamed=60, still_running=True))
    assert keeper.refuse(rate(1)).retry_after == pytest.approx(1)


def test_a_refund_never_takes_from_what_others_charged_meanwhile(keeper: Any, clock: Any) -> None:
    """Half of the first has drained when the second comes. Were the whole first one given back, the
    second would count for nothing."""
    first = keeper.admit(rate(60))
    clock.advance(30)
    keeper.admit(rate(10))
    clock.advance(1)
    keeper.settle(first, UNSENT)
    assert 9 <= keeper.refuse(rate(60)).retry_after <= 11


def test_reservations_drain_so_that_long_requests_do_not_stop_the_rate(
    keeper: Any, clock: Any
) -> None:
    long = keeper.admit(rate(60))
    clock.advance(40)
    keeper.admit(rate(40))
    clock.advance(20)
    keeper.settle(long, Usage(tokens=60))
    keeper.admit(rate(20))


def test_all_levels_are_taken_or_none(keeper: Any, clock: Any) -> None:
    full = rate(60, "full", ORG)
    keeper.admit(full)
    keeper.admit(items(1, 2))
    clock.advance(1)
    asked = (
        rate(60),
        rate(3, limit=REQUESTS),
        rate(100, limit=BUDGET),
        rate(2, limit=SLOTS),
        items(2, 3),
        rate(2, "full", ORG),
    )
    for _ in range(3):
        refused = keeper.refuse(*asked)
        assert refused.charge == asked[-1]
        assert refused.retry_after == pytest.approx(1)
    clock.advance(99)
    keeper.admit(*asked[:4], items(3, 4, 5))  # 2 was last used by the one that passed


def test_one_limit_twice_in_a_request_counts_twice(keeper: Any) -> None:
    for limit in (RATE, BUDGET, SLOTS):
        half = rate(limit.amount // 2, "b", limit)
        assert keeper.refuse(half, half, rate(1, "b", limit)).charge.cost == 1
        keeper.settle(keeper.admit(half, half), UNSENT)
        keeper.admit(half, half)
        keeper.refuse(rate(1, "b", limit))
    keeper.refuse(items(1, 2), items(2, 3, 4))
    keeper.admit(items(1, 2), items(2, 3))


def test_subjects_scopes_and_names_do_not_touch(keeper: Any) -> None:
    keeper.admit(rate(60))
    keeper.admit(rate(60, "b"))
    keeper.admit(rate(60, limit=ORG))
    for change in ({"name": "rate:a"}, {"scope": "org"}, {"unit": "requests"}):
        keeper.admit(rate(60, limit=msgspec.structs.replace(RATE, **change)))
    keeper.refuse(rate(1))


def test_a_limit_that_was_read_again_goes_on_where_it_was(keeper: Any) -> None:
    keeper.admit(rate(40))
    again = msgspec.structs.replace(RATE)
    assert again is not RATE
    keeper.refuse(rate(21, limit=again))
    keeper.admit(rate(20, limit=again))


@pytest.mark.parametrize(
    ("calendar", "now", "end"),
    [
        ("hour", "2026-09-21T14:13:20", "2026-09-21T15:00:00"),
        ("day", "2026-12-31T23:59:59", "2027-01-01T00:00:00"),
        ("month", "2026-12-31T23:59:59", "2027-01-01T00:00:00"),
        ("month", "2026-02-01T00:00:00", "2026-03-01T00:00:00"),
        ("month", "2028-02-29T12:00:00", "2028-03-01T00:00:00"),
        ("month", "2100-02-28T12:00:00", "2100-03-01T00:00:00"),
    ],
)
def test_a_budget_starts_anew_with_the_utc_calendar(
    keeper: Any, clock: Any, calendar: Literal["hour", "day", "month"], now: str, end: str
) -> None:
    begins, ends = (datetime.fromisoformat(t).replace(tzinfo=UTC).timestamp() for t in (now, end))
    clock.now = int(begins) * 10**9
    limit = msgspec.structs.replace(BUDGET, calendar=calendar)
    keeper.admit(rate(100, limit=limit))
    assert keeper.refuse(rate(1, limit=limit)).retry_after == ends - begins
    clock.advance(ends - begins - 0.001)
    keeper.refuse(rate(1, limit=limit))
    clock.advance(0.001)
    keeper.admit(rate(100, limit=limit))


def test_a_refund_goes_into_the_window_that_was_charged(keeper: Any, clock: Any) -> None:
    clock.now = MIDNIGHT - 10 * 10**9
    before = keeper.admit(rate(80, limit=BUDGET))
    clock.advance(20)
    keeper.admit(rate(90, limit=BUDGET))
    keeper.settle(before, UNSENT)
    keeper.refuse(rate(11, limit=BUDGET))
    keeper.admit(rate(10, limit=BUDGET))


def test_what_was_used_beyond_is_charged_to_the_window_that_is_open(
    keeper: Any, clock: Any
) -> None:
    clock.now = MIDNIGHT - 10 * 10**9
    before = keeper.admit(rate(80, limit=BUDGET))
    clock.advance(20)
    keeper.settle(before, Usage(tokens=100))
    keeper.refuse(rate(81, limit=BUDGET))
    keeper.admit(rate(80, limit=BUDGET))


def test_a_clock_that_is_set_back_opens_nothing_again(keeper: Any, clock: Any) -> None:
    keeper.admit(rate(60), rate(100, limit=BUDGET))
    clock.advance(-86_400)
    assert keeper.refuse(rate(1)).retry_after == pytest.approx(1)
    keeper.refuse(rate(1, limit=BUDGET))


def test_slots_come_back_when_their_request_ends(keeper: Any) -> None:
    first, _ = (keeper.admit(rate(1, limit=SLOTS)) for _ in range(2))
    assert keeper.refuse(rate(1, limit=SLOTS)).retry_after == 1
    keeper.settle(first, Usage())
    keeper.admit(rate(1, limit=SLOTS))
    keeper.refuse(rate(1, limit=SLOTS))


def test_slots_that_nobody_renews_come_back_by_themselves(keeper: Any, clock: Any) -> None:
    keeper.admit(rate(1, limit=SLOTS))
    renewed = keeper.admit(rate(1, limit=SLOTS))
    clock.advance(LEASE - 1)
    keeper.refuse(rate(1, limit=SLOTS))
    keeper.renew(renewed)
    clock.advance(1)
    keeper.admit(rate(1, limit=SLOTS))
    keeper.refuse(rate(1, limit=SLOTS))
    clock.advance(LEASE - 1)
    keeper.admit(rate(1, limit=SLOTS))


def test_a_late_renewal_holds_the_slots_of_what_still_runs(keeper: Any, clock: Any) -> None:
    late = keeper.admit(rate(2, limit=SLOTS))
    clock.advance(LEASE + 1)
    keeper.renew(late)
    keeper.refuse(rate(1, limit=SLOTS))
    keeper.settle(late, Usage())
    keeper.renew(late)
    keeper.admit(rate(2, limit=SLOTS))


def test_different_items_are_counted_once(keeper: Any) -> None:
    keeper.admit(items(1, 2, 2, 1))
    keeper.admit(items(1))
    keeper.refuse(items(3, 4))
    keeper.admit(items(2, 2**63 - 1))
    keeper.refuse(items(2**63 - 2))
    keeper.admit(items(1, 2, 2**63 - 1))


def test_an_item_counts_for_one_period_after_its_last_use(keeper: Any, clock: Any) -> None:
    keeper.admit(items(1, 2))
    clock.advance(10)
    keeper.admit(items(3))
    clock.advance(10)
    keeper.admit(items(1))
    assert keeper.refuse(items(4)).retry_after == pytest.approx(80)
    assert keeper.refuse(items(2, 4)).retry_after == pytest.approx(90)
    clock.advance(80)
    keeper.admit(items(4))
    keeper.refuse(items(2))


def test_items_of_a_request_that_was_never_sent_get_their_old_times(
    keeper: Any, clock: Any
) -> None:
    keeper.admit(items(1, 2))
    clock.advance(50)
    unsent, later = keeper.admit(items(1, 2, 3)), keeper.admit(items(2))
    keeper.settle(unsent, UNSENT)
    keeper.settle(later, Usage())
    keeper.refuse(items(4, 5))
    clock.advance(50)
    keeper.admit(items(4, 5))  # only 2 was used since
    keeper.refuse(items(6))


def test_open_reservations_are_counted_until_they_are_settled(keeper: Any) -> None:
    first, second = keeper.admit(rate(1)), keeper.admit(rate(1), rate(1, limit=SLOTS))
    keeper.refuse(rate(60))
    assert keeper.outstanding() == 2
    keeper.settle(first, Usage())
    assert keeper.outstanding() == 1
    keeper.settle(second, UNSENT)
    assert keeper.outstanding() == 0


def test_what_a_crash_left_reserved_stays_charged_and_is_closed(keeper: Any, clock: Any) -> None:
    crashed = keeper.admit(rate(60), rate(100, limit=BUDGET), rate(2, limit=SLOTS))
    clock.advance(LEASE)
    assert keeper.sweep() == 1
    assert keeper.outstanding() == 0
    keeper.settle(crashed, UNSENT)
    keeper.refuse(rate(1, limit=BUDGET))
    keeper.admit(rate(60), rate(2, limit=SLOTS))


def test_reservations_close_what_has_expired_before_them(keeper: Any, clock: Any) -> None:
    for _ in range(200):
        keeper.admit(rate(0))
    clock.advance(LEASE)
    for _ in range(200):
        keeper.admit(rate(0))
    assert keeper.sweep() == 0


def test_a_renewed_reservation_stays_open(keeper: Any, clock: Any) -> None:
    reservation = keeper.admit(rate(60))
    for _ in range(3):
        clock.advance(LEASE - 1)
        keeper.renew(reservation)
    assert keeper.outstanding() == 1
    keeper.settle(reservation, Usage(tokens=90))
    assert keeper.refuse(rate(60)).retry_after == pytest.approx(30)


def test_a_request_without_charges_passes(keeper: Any) -> None:
    reservation = keeper.admit()
    keeper.renew(reservation)
    keeper.settle(reservation, Usage(tokens=5))
    assert keeper.outstanding() == 0


def test_a_reservation_says_when_and_what(keeper: Any, clock: Any) -> None:
    clock.advance(0.5)
    first, second = keeper.admit(rate(1)), keeper.admit(rate(1))
    assert first.id != second.id
    assert first.at == clock.now / 1e9
    assert (first.charges, first.unkept) == ((rate(1),), ())


def test_a_bad_limit_or_cost_takes_nothing(keeper: Any) -> None:
    endless = msgspec.structs.replace(RATE, period=1e9)
    with pytest.raises(SettingsError, match="calendar"):
        keeper.reserve(rate(60), rate(1, limit=endless))
    with pytest.raises(ValueError, match="negative"):
        keeper.reserve(rate(60), rate(-1, limit=BUDGET))
    keeper.admit(rate(60))


def test_huge_amounts_are_kept_to_the_last_unit(keeper: Any) -> None:
    budget = msgspec.structs.replace(BUDGET, amount=2**52)
    keeper.admit(rate(2**52 - 1, limit=budget))
    keeper.refuse(rate(2, limit=budget))
    keeper.settle(keeper.admit(rate(1, limit=budget)), Usage(tokens=10**30))
    keeper.refuse(rate(1, limit=budget))
    fast = msgspec.structs.replace(RATE, amount=10**18)
    keeper.admit(rate(10**18 - 10**9, limit=fast))
    keeper.refuse(rate(2 * 10**9, limit=fast))
    keeper.settle(keeper.admit(rate(1, "b", fast)), Usage(tokens=10**40))
    assert keeper.refuse(rate(1, "b", fast)).retry_after == pytest.approx(2**52 / 1e9, abs=60)
