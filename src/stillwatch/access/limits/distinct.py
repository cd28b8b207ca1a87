"""Different items: how many a subject has used within the last period, counted exactly."""

from __future__ import annotations

from stillwatch.access.limits.charges import Charge
from stillwatch.access.limits.terms import Terms

__all__ = ["Distinct", "DistinctHold"]

#: Each item: the time it was given, and the time it had before (``None``: it was new).
DistinctHold = dict[int, tuple[int, int | None]]


class Distinct:
    """The items that one subject has used, each with the nanosecond of its last use.

    The window slides: an item counts for one period after its last use. At most as many items as
    the limit allows are kept.
    """

    __slots__ = ("open", "period", "seen")

    def __init__(self, now: int) -> None:
        self.seen: dict[int, int] = {}  # times ascend
        self.period = 0
        self.open = 0

    def reserve(self, terms: Terms, charge: Charge, units: int, now: int) -> DistinctHold | None:
        """Mark the items as used now, or ``None`` when there would be too many different ones."""
        self.period = terms.period
        self._expire(now)
        seen = self.seen
        items = dict.fromkeys(charge.items)
        if len(seen) + sum(item not in seen for item in items) > terms.room:
            return None
        hold: DistinctHold = {}
        for item in items:
            before = seen.pop(item, None)
            # strictly later than before: a time that has not changed proves that nobody came since
            seen[item] = stamp = now if before is None or before < now else before + 1
            hold[item] = stamp, before
        self.open += 1
        return hold

    def wait(self, terms: Terms, charge: Charge, units: int, now: int) -> int | None:
        """Nanoseconds until enough other items are too old to count; ``None``: never."""
        asked = set(charge.items)
        others = [at for item, at in self.seen.items() if item not in asked]
        surplus = len(others) + len(asked) - terms.room
        return None if len(asked) > terms.room else others[surplus - 1] + terms.period - now

    def undo(self, hold: DistinctHold) -> None:
        """Give the items the times that they had, where nobody has used them since."""
        self.open -= 1
        for item, (stamp, before) in hold.items():
            if self.seen.get(item) == stamp:
                del self.seen[item]
                if before is not None:
                    self.seen[item] = before
        self.seen = dict(sorted(self.seen.items(), key=lambda entry: entry[1]))

    def settle(self, hold: DistinctHold, due: int | None, now: int) -> None:
        """Keep the items (``None``), or give them back (`due` is 0)."""
        if due is None:
            self.open -= 1
        else:
            self.undo(hold)

    def idle(self, now: int) -> bool:
        """Whether it may be forgotten: no item counts, and nobody will settle."""
        self._expire(now)
        return not self.seen and not self.open

    def _expire(self, now: int) -> None:
        old = []
        for item, at in self.seen.items():
            if at + self.period > now:
                break
            old.append(item)
        for item in old:
            del self.seen[item]
