"""Budgets: so much until the UTC hour, day or month ends."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from stillwatch.access.limits.charges import Charge
from stillwatch.access.limits.terms import MOST, Terms

__all__ = ["Budget", "BudgetHold", "Calendar", "window"]

Calendar = Literal["hour", "day", "month"]

_SECOND = 1_000_000_000
_LENGTH = {"hour": 3600, "day": 86_400}

#: What was taken, and the start of the window that it was taken from.
BudgetHold = tuple[int, int]


def window(calendar: Calendar, now: int) -> tuple[int, int]:
    """Start and end of the UTC hour, day or month around `now`; nanoseconds since the epoch."""
    seconds = now // _SECOND
    if calendar == "month":
        first = datetime.fromtimestamp(seconds, UTC).replace(day=1, hour=0, minute=0, second=0)
        year, month = divmod(first.year * 12 + first.month, 12)
        start, end = first.timestamp(), first.replace(year=year, month=month + 1).timestamp()
        return int(start) * _SECOND, int(end) * _SECOND
    length = _LENGTH[calendar]
    start = seconds - seconds % length
    return start * _SECOND, (start + length) * _SECOND


class Budget:
    """What one subject has used of one budget in the current window. A clock that is set back does
    not open an earlier window again."""

    __slots__ = ("calendar", "end", "open", "start", "used")

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar
        self.start = self.end = 0
        self.used = 0
        self.open = 0

    def reserve(self, terms: Terms, charge: Charge, units: int, now: int) -> BudgetHold | None:
        """Take `units`, or ``None`` when the window has no room for them."""
        if now >= self.end:
            self._turn(now)
        if self.used + units > terms.room:
            return None
        self.used += units
        self.open += 1
        return units, self.start

    def wait(self, terms: Terms, charge: Charge, units: int, now: int) -> int | None:
        """Nanoseconds until the next window; ``None`` when `units` exceed every window."""
        return None if units > terms.room else self.end - now

    def undo(self, hold: BudgetHold) -> None:
        """Take back a reservation at the very moment that it was made."""
        self.used -= hold[0]
        self.open -= 1

    def settle(self, hold: BudgetHold, due: int | None, now: int) -> None:
        """Make a reservation final. What is given back goes to the window that it came from, which
        may be over; what was used beyond is charged to the window that is open."""
        self.open -= 1
        if due is None:
            return
        if now >= self.end:
            self._turn(now)
        units, start = hold
        more = due - units
        if more > 0 or start == self.start:
            self.used = min(self.used + more, MOST)

    def idle(self, now: int) -> bool:
        """Whether it may be forgotten: its window is over, and nobody will settle."""
        return not self.open and now >= self.end

    def _turn(self, now: int) -> None:
        self.start, self.end = window(self.calendar, now)
        self.used = 0
