"""The arithmetic of rates: the bound holds over every window, and refunds take nothing away."""

from __future__ import annotations

from fractions import Fraction
from itertools import accumulate

from hypothesis import given, settings
from hypothesis import strategies as st

from stillwatch.access.limits import Charge, Limit
from stillwatch.access.limits.gcra import Rate, RateHold
from stillwatch.access.limits.terms import Terms

SECOND = 10**9
untimed = settings(deadline=None, max_examples=60)

limits = st.builds(
    Limit,
    name=st.just("rate"),
    scope=st.just("key"),
    unit=st.just("tokens"),
    amount=st.integers(1, 10**6),
    period=st.sampled_from([0.5, 1.0, 60.0, 3600.0]),
    burst=st.integers(1, 10**6) | st.none(),
).filter(lambda limit: (limit.burst or 0) * (limit.period or 0) / limit.amount < 10**6)
#: One request: the pause before it, its cost and what it uses, as shares of the burst, and how many
#: requests later it is settled.
requests = st.lists(
    st.tuples(
        st.integers(0, 2 * SECOND) | st.just(0),
        st.fractions(0, 1, max_denominator=20),
        st.fractions(0, 1, max_denominator=20),
        st.integers(0, 6),
    ),
    min_size=1,
    max_size=25,
)


class Traffic:
    """Requests against one rate; those that were admitted, by the time and what they used."""

    def __init__(self, limit: Limit) -> None:
        self.terms = Terms(limit)
        self.charge = Charge(limit, "a", 0)
        self.rate = Rate(0)
        self.now = 0
        self.admitted: list[list[int]] = []
        self._open: list[tuple[int, RateHold, list[int], int]] = []

    def ask(self, cost: int, uses: int, turns: int) -> None:
        units = self.terms.units(cost)
        hold = self.rate.reserve(self.terms, self.charge, units, self.now)
        if hold is not None:
            entry = [self.now, cost]
            self.admitted.append(entry)
            self._open.append((turns, hold, entry, uses))
        self.settle(1)

    def settle(self, turns: int) -> None:
        """Let `turns` requests pass: settle those whose time has come."""
        waiting = self._open
        self._open = []
        for left, hold, entry, uses in waiting:
            if left >= turns:
                self._open.append((left - turns, hold, entry, uses))
            else:
                self.rate.settle(hold, self.terms.units(uses), self.now)
                entry[1] = uses


def run(limit: Limit, script: list[tuple[int, Fraction, Fraction, int]]) -> Traffic:
    traffic = Traffic(limit)
    burst = limit.amount if limit.burst is None else limit.burst
    for pause, share, part, turns in script:
        traffic.now += pause * traffic.terms.room // SECOND
        cost = int(share * burst)
        traffic.ask(cost, int(part * cost), turns)
    return traffic


@untimed
@given(limits, requests)
def test_no_window_holds_more_than_the_burst_and_what_drained(
    limit: Limit, script: list[tuple[int, Fraction, Fraction, int]]
) -> None:
    """Exactly, but for the nanosecond that a burst is rounded up to."""
    traffic = run(limit, script)
    burst = limit.amount if limit.burst is None else limit.burst
    period = traffic.terms.period
    for i, (start, _) in enumerate(traffic.admitted):
        sums = accumulate(used for _, used in traffic.admitted[i:])
        for (end, _), total in zip(traffic.admitted[i:], sums, strict=True):
            assert total * period <= burst * period + (end - start + 1) * limit.amount


@untimed
@given(limits, requests)
def test_what_was_used_never_takes_more_than_was_charged(
    limit: Limit, script: list[tuple[int, Fraction, Fraction, int]]
) -> None:
    """The level is never below that of a bucket that knew beforehand what each would use."""
    traffic = run(limit, script)
    traffic.settle(100)
    level, at = 0, 0
    for now, used in traffic.admitted:
        level, at = max(0, level - (now - at)) + traffic.terms.units(used), now
    traffic.rate.drain(traffic.now)
    assert traffic.rate.spent + traffic.rate.held >= level - (traffic.now - at)


@untimed
@given(limits, requests, st.integers(0, 100))
def test_a_reservation_that_is_given_back_at_once_leaves_no_trace(
    limit: Limit, script: list[tuple[int, Fraction, Fraction, int]], percent: int
) -> None:
    traffic = run(limit, script)
    rate = traffic.rate
    rate.drain(traffic.now)
    before = [getattr(rate, name) for name in Rate.__slots__]
    units = traffic.terms.room * percent // 100
    hold = rate.reserve(traffic.terms, traffic.charge, units, traffic.now)
    if hold is not None:
        rate.settle(hold, 0, traffic.now)
    assert [getattr(rate, name) for name in Rate.__slots__] == before


@untimed
@given(limits, requests, st.integers(0, 100), st.integers(0, 2 * SECOND))
def test_a_reservation_that_is_given_back_later_costs_what_it_would_have_drained_idle(
    limit: Limit,
    script: list[tuple[int, Fraction, Fraction, int]],
    percent: int,
    pause: int,
) -> None:
    """What others have spent drains as if it had never been there."""
    without, with_it = (run(limit, script) for _ in range(2))
    units = with_it.terms.room * percent // 100
    hold = with_it.rate.reserve(with_it.terms, with_it.charge, units, with_it.now)
    later = with_it.now + pause * with_it.terms.room // SECOND
    if hold is not None:
        with_it.rate.settle(hold, 0, later)
    for traffic in (without, with_it):
        traffic.rate.drain(later)
    assert with_it.rate.spent == without.rate.spent
    assert with_it.rate.held >= without.rate.held


@untimed
@given(limits, st.integers(0, 10**18), st.integers(0, 10**18))
def test_costs_are_rounded_up_by_less_than_a_nanosecond(limit: Limit, one: int, two: int) -> None:
    terms = Terms(limit)
    for cost in (one, two, one + two):
        exact = Fraction(cost * terms.period, limit.amount)
        assert exact <= terms.units(cost) < exact + 1
    assert terms.units(one) + terms.units(two) >= terms.units(one + two)


def test_shares_are_begun_anew_before_they_are_too_small_to_tell() -> None:
    """A rate that never rests halves what is held two thousand times, more than a double can."""
    limit = Limit(name="rate", scope="key", unit="tokens", amount=1, period=1.0, burst=100)
    terms, charge, rate = Terms(limit), Charge(limit, "a", 1), Rate(0)
    for turn in range(2000):
        hold = rate.reserve(terms, charge, 4 * SECOND - rate.held, 2 * SECOND * turn)
        assert hold is not None
        assert rate.held == 4 * SECOND
        assert 0 < rate.share <= 1
        rate.drain(2 * SECOND * (turn + 1))
    rate.settle(hold, 0, 4000 * SECOND)
    assert rate.held + rate.spent <= SECOND + 1
