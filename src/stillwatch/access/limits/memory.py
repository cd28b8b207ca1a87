"""Limits that one process keeps, in whole numbers and without ever waiting.

Nothing survives a restart, and replicas do not know of each other: for one replica, or for several
when each subject always reaches the same one.
"""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, Protocol

from stillwatch.access.limits.charges import Charge, Exceeded, Limit, Reservation, Usage
from stillwatch.access.limits.distinct import Distinct
from stillwatch.access.limits.gcra import Rate
from stillwatch.access.limits.slots import Slots
from stillwatch.access.limits.terms import Terms, dues, raise_negative
from stillwatch.access.limits.windows import Budget

__all__ = ["LEASE", "MemoryLimiter"]

#: Seconds that a reservation lasts unless it is renewed.
LEASE = 60.0
_SWEEP_EVERY = 64  # reservations
_SWEPT_AT_ONCE = 128
_KNOWN_LIMITS = 10_000


class _Bucket(Protocol):
    """What one subject has taken of one limit; a hold is whatever `reserve` returned."""

    open: int

    def reserve(self, terms: Terms, charge: Charge, units: int, now: int) -> Any: ...
    def wait(self, terms: Terms, charge: Charge, units: int, now: int) -> int | None: ...
    def undo(self, hold: Any) -> None: ...
    def settle(self, hold: Any, due: int | None, now: int) -> None: ...
    def idle(self, now: int) -> bool: ...


#: The buckets of one limit by subject, oldest first.
_Subjects = OrderedDict[str, _Bucket]


#: A reservation that was not settled yet: when its lease ends, and for each charge the terms, the
#: bucket and what the bucket gave. A plain tuple, because one is made for every request.
_Open = tuple[int, list[Terms], list[_Bucket], list[Any]]


class MemoryLimiter:
    """Keeps limits in this process, for one event loop (it holds no lock, and never suspends).

    A reservation that is neither settled nor renewed within `lease` seconds counts as used in full.
    `clock` gives nanoseconds since the epoch. Subjects that have nothing charged are forgotten.
    """

    def __init__(self, *, lease: float = LEASE, clock: Callable[[], int] = time.time_ns) -> None:
        self._clock = clock
        self._lease = round(lease * 1e9)
        self._known: dict[int, tuple[Terms, _Subjects]] = {}
        self._subjects: dict[str, _Subjects] = {}
        self._open: dict[str, _Open] = {}  # ends ascend
        self._prefix = secrets.token_hex(6) + "-"
        self._numbers = count(1)

    def reserve_now(self, charges: Sequence[Charge]) -> Reservation | Exceeded:
        """:meth:`reserve`, for callers that are not asynchronous.

        Raises:
            SettingsError: a limit cannot be kept; nothing is reserved.
            ValueError: a cost is negative; nothing is reserved.
        """
        now = self._clock()
        known = self._known
        every: list[Terms] = []
        buckets: list[_Bucket] = []
        holds: list[Any] = []
        try:
            for charge in charges:
                limit, cost = charge.limit, charge.cost
                try:
                    terms, subjects = known[id(limit)]
                except KeyError:
                    terms, subjects = self._learn(limit)
                try:
                    bucket = subjects[charge.subject]
                except KeyError:
                    bucket = self._admit(terms, subjects, charge.subject, now)
                if cost < 0:
                    raise_negative(charge)
                units = -(-cost * terms.per // terms.over)
                hold = bucket.reserve(terms, charge, units, now)
                if hold is None:
                    wait = bucket.wait(terms, charge, units, now)
                    _undo(buckets, holds)
                    return Exceeded(charge, None if wait is None else wait / 1e9)
                every.append(terms)
                buckets.append(bucket)
                holds.append(hold)
        except BaseException:
            _undo(buckets, holds)
            raise
        number = next(self._numbers)
        if not number % _SWEEP_EVERY:
            self._sweep(now)
        name = f"{self._prefix}{number}"
        self._open[name] = now + self._lease, every, buckets, holds
        return Reservation(name, tuple(charges), now / 1e9)

    def settle_now(self, reservation: Reservation, usage: Usage) -> None:
        """:meth:`settle`, for callers that are not asynchronous."""
        opened = self._open.pop(reservation.id, None)
        if opened is None:
            return
        _, terms, buckets, holds = opened
        now = self._clock()
        for i, due in enumerate(dues(terms, reservation.charges, usage)):
            buckets[i].settle(holds[i], due, now)

    async def reserve(self, charges: Sequence[Charge]) -> Reservation | Exceeded:
        """Take every charge, or none and say which had no room."""
        return self.reserve_now(charges)

    async def settle(self, reservation: Reservation, usage: Usage) -> None:
        """Give back what was not used, charge what was used beyond; release slots."""
        self.settle_now(reservation, usage)

    async def renew(self, reservation: Reservation) -> None:
        """Keep a reservation open, and its slots, for another lease from now on."""
        opened = self._open.pop(reservation.id, None)
        if opened is None:
            return
        _, terms, buckets, holds = opened
        now = self._clock()
        self._open[reservation.id] = now + self._lease, terms, buckets, holds
        for bucket, hold in zip(buckets, holds, strict=True):
            if isinstance(bucket, Slots):
                bucket.renew(hold, now)

    async def sweep(self) -> int:
        """Close reservations whose lease has ended, a bounded number; how many. What they reserved
        stays charged. Reservations do this by themselves now and then."""
        return self._sweep(self._clock())

    async def outstanding(self) -> int:
        """How many reservations are open."""
        while self._sweep(self._clock()):
            pass
        return len(self._open)

    async def close(self) -> None:
        """Nothing to let go of."""

    def _sweep(self, now: int) -> int:
        ended: list[str] = []
        for name, (ends, *_) in self._open.items():
            if ends > now or len(ended) == _SWEPT_AT_ONCE:
                break
            ended.append(name)
        for name in ended:
            _, _, buckets, holds = self._open.pop(name)
            for bucket, hold in zip(buckets, holds, strict=True):
                bucket.settle(hold, None, now)
        return len(ended)

    def _learn(self, limit: Limit) -> tuple[Terms, _Subjects]:
        terms = Terms(limit)
        subjects = self._subjects.setdefault(terms.key, OrderedDict())
        if len(self._known) >= _KNOWN_LIMITS:
            self._known.clear()
        # the terms hold the limit, so its id is not given to another while it stands here
        self._known[id(limit)] = terms, subjects
        return terms, subjects

    def _admit(self, terms: Terms, subjects: _Subjects, subject: str, now: int) -> _Bucket:
        """A bucket for a new subject; for each, two old ones are looked at, and go when idle."""
        for _ in range(min(2, len(subjects))):
            name, old = subjects.popitem(last=False)
            if not old.idle(now):
                subjects[name] = old
        bucket: _Bucket
        match terms.kind:
            case "rate":
                bucket = Rate(now)
            case "budget":
                bucket = Budget(terms.calendar)
            case "slots":
                bucket = Slots(self._lease)
            case "distinct":
                bucket = Distinct(now)
        subjects[subject] = bucket
        return bucket


def _undo(buckets: list[_Bucket], holds: list[Any]) -> None:
    for bucket, hold in zip(reversed(buckets), reversed(holds), strict=True):
        bucket.undo(hold)
