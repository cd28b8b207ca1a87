"""Limits on the clock of a log: reserved when a row arrived, settled when it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from heapq import heappop, heappush

from stillwatch.access.limits import Charge, Exceeded, Limit, MemoryLimiter, Reservation, Usage
from stillwatch.gateway.replaying.rows import Row

__all__ = ["Meter", "limits_not_asked"]

_LEASE = 86_400.0  # seconds; no request of a log runs for longer
_MICROSECOND = 1_000
_MILLISECOND = 1_000_000


class Meter:
    """Keeps limits while rows come in the order of their times.

    `times` says that the log tells how long requests took. Without it slots cannot be asked for;
    nor can different items ever be, for no log says which tokens were biased.
    """

    def __init__(self, *, times: bool) -> None:
        self._now = 0
        self._limiter = MemoryLimiter(lease=_LEASE, clock=self._read)
        self._running: list[tuple[int, int, Reservation, Usage]] = []
        self._units = {"requests", "tokens"} | ({"concurrent"} if times else set())

    def _read(self) -> int:
        return self._now

    def take(self, row: Row, charges: Sequence[Charge], most: int | None) -> Limit | None:
        """The limit that has no room for this row; ``None`` where all have. `most` is how many
        tokens of output it was granted."""
        asked = [charge for charge in charges if charge.limit.unit in self._units]
        if not asked:
            return None
        self._settle(row.at * _MICROSECOND)
        found = self._limiter.reserve_now(asked)
        if isinstance(found, Exceeded):
            return found.charge.limit
        ends = self._now + (row.latency_ms or 0) * _MILLISECOND
        heappush(self._running, (ends, row.number, found, _usage(row, asked, most)))
        return None

    def _settle(self, until: int) -> None:
        running = self._running
        while running and running[0][0] <= until:
            self._now, _, reservation, usage = heappop(running)
            self._limiter.settle_now(reservation, usage)
        self._now = until


def _usage(row: Row, charges: Sequence[Charge], most: int | None) -> Usage:
    """What the log says; where it does not, all that was reserved."""
    if row.completion_tokens is None:
        return Usage(tokens=max(c.cost if c.limit.unit == "tokens" else 0 for c in charges))
    output = row.completion_tokens if most is None else min(row.completion_tokens, most)
    return Usage(tokens=row.prompt_tokens + output)


def limits_not_asked(tiers: Mapping[str, Sequence[Limit]], *, times: bool) -> tuple[str, ...]:
    """The limits that a log cannot be held against, as ``TIER: NAME``."""
    closed = {"distinct"} | (set() if times else {"concurrent"})
    return tuple(
        f"{tier}: {limit.name}"
        for tier, limits in tiers.items()
        for limit in limits
        if limit.unit in closed
    )
