"""Slots: so many at a time, each leased, so that those of a crashed replica come back."""

from __future__ import annotations

from stillwatch.access.limits.charges import Charge
from stillwatch.access.limits.terms import Terms

__all__ = ["SlotHold", "Slots"]

#: A slot may come free at any moment, so this is only a polite time to ask again (nanoseconds).
RETRY = 1_000_000_000

#: The number of a lease within its subject, and how many slots it holds.
SlotHold = tuple[int, int]


class Slots:
    """The slots that one subject holds. Leases are of one length, so they end in their order."""

    __slots__ = ("lease", "leases", "number", "open", "taken")

    def __init__(self, lease: int) -> None:
        self.lease = lease
        self.leases: dict[SlotHold, int] = {}  # ends, ascending
        self.taken = 0
        self.number = 0
        self.open = 0

    def reserve(self, terms: Terms, charge: Charge, units: int, now: int) -> SlotHold | None:
        """Take `units` slots for one lease, or ``None`` when fewer are free."""
        if self.taken + units > terms.room:
            self._expire(now)
            if self.taken + units > terms.room:
                return None
        self.number += 1
        self.open += 1
        self.taken += units
        hold = self.number, units
        self.leases[hold] = now + self.lease
        return hold

    def wait(self, terms: Terms, charge: Charge, units: int, now: int) -> int | None:
        """A polite time to ask again; ``None`` when there are not that many slots."""
        return None if units > terms.room else RETRY

    def undo(self, hold: SlotHold) -> None:
        """Take back a reservation at the very moment that it was made."""
        self.settle(hold, 0, 0)

    def renew(self, hold: SlotHold, now: int) -> None:
        """Hold the slots for another lease from now on, also when the last one has ended."""
        if self.leases.pop(hold, None) is None:
            self.taken += hold[1]
        self.leases[hold] = now + self.lease

    def settle(self, hold: SlotHold, due: int | None, now: int) -> None:
        """Release the slots (`due` is 0), or leave them to the end of their lease (``None``)."""
        self.open -= 1
        if due is not None and self.leases.pop(hold, None) is not None:
            self.taken -= hold[1]

    def idle(self, now: int) -> bool:
        """Whether it may be forgotten: no slot is held, and nobody will settle."""
        self._expire(now)
        return not self.leases and not self.open

    def _expire(self, now: int) -> None:
        ended = []
        for hold, end in self.leases.items():
            if end > now:
                break
            ended.append(hold)
        for hold in ended:
            del self.leases[hold]
            self.taken -= hold[1]
