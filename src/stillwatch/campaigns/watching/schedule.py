"""When looks close, which look an exchange belongs to, and what is still in the window.

All times are µs since 1970 UTC. A look is named by its boundary, a multiple of the step; it covers
what came before that time and was in no earlier look.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import NamedTuple, overload

import numpy as np
import numpy.typing as npt

__all__ = ["DAY", "Placed", "Schedule", "instant", "micros"]

Ints = npt.NDArray[np.int64]

DAY = 86_400_000_000
_EPOCH = dt.datetime.fromtimestamp(0, dt.UTC)


class Placed(NamedTuple):
    """The boundary of the look of each exchange, which of them are older than its window, and
    the latest time that was read with them."""

    looks: Ints
    old: npt.NDArray[np.bool_]
    newest: int


@dataclass(frozen=True)
class Schedule:
    """How often to look, over how long, and how long to wait for rows that come late (all µs)."""

    every: int
    window: int
    grace: int

    @property
    def steps(self) -> int:
        """How many looks there are in a window."""
        return -(-self.window // self.every)

    @overload
    def after(self, time: int) -> int: ...
    @overload
    def after(self, time: Ints) -> Ints: ...
    def after(self, time: int | Ints) -> int | Ints:
        """The first boundary later than `time`."""
        return (time // self.every + 1) * self.every

    def closed_at(self, time: int) -> int:
        """The last boundary that has passed at `time`, with the grace that late rows have."""
        return (time - self.grace) // self.every * self.every

    def looks(self, at: Ints, newest: Ints, closed: int) -> Ints:
        """The boundary of the look that each exchange belongs to.

        Its own, or, where that look had closed when the exchange was read, the one that was open.

        Args:
            at: when each exchange arrived, in the order in which they were read.
            newest: the latest time that had been read with it.
            closed: the last boundary that was closed before all of them.
        """
        open_then = self.after(np.maximum((newest - self.grace) // self.every * self.every, closed))
        return np.maximum(self.after(at), open_then)

    def place(self, at: Ints, now: int, newest: int, closed: int) -> Placed:
        """Where exchanges belong that were read just now, in their order.

        Args:
            at: when each arrived; a time after `now` does not let a look close.
            newest: the latest time that had been read before them.
            closed: the last boundary that was closed before them.
        """
        latest = np.maximum.accumulate(np.maximum(np.minimum(at, now), newest))
        looks = self.looks(at, latest, closed)
        last = int(latest[-1]) if len(latest) else newest
        return Placed(looks, at < self.first(looks), last)

    @overload
    def first(self, boundary: int) -> int: ...
    @overload
    def first(self, boundary: Ints) -> Ints: ...
    def first(self, boundary: int | Ints) -> int | Ints:
        """The midnight from which on exchanges are in the window of a look; whole UTC days."""
        return (boundary - self.window) // DAY * DAY

    def first_day(self, boundary: int) -> dt.date:
        """The first UTC day of the window of a look."""
        return instant(self.first(boundary)).date()


def instant(time: int) -> dt.datetime:
    """A time as Python has it."""
    return _EPOCH + dt.timedelta(microseconds=int(time))


def micros(time: dt.datetime) -> int:
    """The reverse of :func:`instant`, exactly."""
    return (time - _EPOCH) // dt.timedelta(microseconds=1)
