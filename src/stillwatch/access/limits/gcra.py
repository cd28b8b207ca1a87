"""GCRA with costs and refunds: a rate, as the time that what was charged takes to drain.

The generic cell rate algorithm (ITU-T I.371) keeps one number, the time at which everything that
was charged will have drained. A refund cannot simply move that time back: part of what is given
back has drained meanwhile, and would be taken from what others charged. So the time has two parts.
`spent` is final and drains first; `held` is reserved and drains after it, every open reservation in
the same proportion (`share`). A refund gives back what is left of the reservation and no more, so
others never have more than they would have had without it (what they charged drains no faster).

All amounts and times are whole nanoseconds; the one ratio is always rounded down.
``reserve.lua`` is the same arithmetic.
"""

from __future__ import annotations

from stillwatch.access.limits.charges import Charge
from stillwatch.access.limits.terms import MOST, Terms

__all__ = ["Rate", "RateHold"]

#: makes up for the rounding of the three operations it follows: (1 + 2**-53)**3 * DOWN < 1
_DOWN = 1 - 2**-51
_LEAST = 1e-200

#: What was taken, and the share and the era at that moment.
RateHold = tuple[int, float, int]


class Rate:
    """What one subject has charged to one rate. Times are nanoseconds, and never run backwards."""

    __slots__ = ("at", "era", "held", "open", "share", "spent")

    def __init__(self, now: int) -> None:
        self.at = now
        self.spent = 0
        self.held = 0
        self.share = 1.0
        self.era = now  # when `share` began at 1; holds of an earlier era have drained
        self.open = 0

    def drain(self, now: int) -> None:
        """Let time pass."""
        left = now - self.at
        if left <= 0:
            return
        self.at = now
        if left < self.spent:
            self.spent -= left
            return
        left -= self.spent
        self.spent = 0
        held = self.held
        if not held:
            return
        if left < held:
            self.held = held - left
            self.share *= (held - left) / held * _DOWN
            if self.share > _LEAST:
                return
        else:
            self.held = 0
        self.era = now
        self.share = 1.0

    def reserve(self, terms: Terms, charge: Charge, units: int, now: int) -> RateHold | None:
        """Take `units`, or ``None`` when the burst has no room for them now."""
        left = now - self.at
        if left > self.spent:
            self.drain(now)
        elif left > 0:
            self.spent -= left
            self.at = now
        held = self.held + units
        if self.spent + held > terms.room:
            return None
        self.held = held
        self.open += 1
        return units, self.share, self.era

    def wait(self, terms: Terms, charge: Charge, units: int, now: int) -> int | None:
        """Nanoseconds until `units` fit when nobody else comes; ``None``: never."""
        return None if units > terms.room else self.spent + self.held + units - terms.room

    def undo(self, hold: RateHold) -> None:
        """Take back a reservation at the very moment that it was made."""
        self.held -= hold[0]
        self.open -= 1

    def settle(self, hold: RateHold, due: int | None, now: int) -> None:
        """Make a reservation final: `due` was used; ``None``: what was reserved."""
        self.open -= 1
        if due is None:
            return
        if now - self.at > self.spent:  # before that, nothing of what is held drains
            self.drain(now)
        units, share, era = hold
        if era == self.era:
            left = units
            if share != self.share:
                left = int(units * (self.share / share) * _DOWN)
            self.held -= left
            due -= units - left  # what has drained is paid
        else:
            due -= units
        if due > 0:
            self.spent = min(self.spent + due, MOST)

    def idle(self, now: int) -> bool:
        """Whether it may be forgotten: all has drained, and nobody will settle."""
        return not self.open and self.at + self.spent + self.held <= now
