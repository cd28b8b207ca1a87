"""Bounds on what one member may ask of a server: requests, how many at once, and what it adds
a day."""

from __future__ import annotations

import math

import msgspec

from stillwatch.access.limits import (
    Charge,
    Exceeded,
    Limit,
    Limiter,
    MemoryLimiter,
    Reservation,
    Usage,
)
from stillwatch.intel.taxii.answers import RefusedError

__all__ = ["Bounds", "Guard"]


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """Of each member, whatever the number of its tokens; `largest_body` in bytes."""

    requests_per_minute: int = 600
    requests_at_once: int = 8
    objects_per_day: int = 1_000_000
    bytes_per_day: int = 2**30
    largest_body: int = 10 * 2**20


class Guard:
    """Keeps the bounds, in this process; for one event loop."""

    def __init__(self, bounds: Bounds, limiter: Limiter | None = None) -> None:
        self._limiter = limiter or MemoryLimiter()
        self._rate = Limit(
            name="taxii-requests", scope="account", unit="requests",
            amount=bounds.requests_per_minute, period=60.0,
        )  # fmt: skip
        self._slots = Limit(
            name="taxii-at-once", scope="account", unit="concurrent",
            amount=bounds.requests_at_once,
        )  # fmt: skip
        self._objects = Limit(
            name="taxii-objects", scope="account", unit="tokens",
            amount=bounds.objects_per_day, calendar="day",
        )  # fmt: skip

        self._bytes = Limit(
            name="taxii-bytes", scope="account", unit="tokens", amount=bounds.bytes_per_day,
            calendar="day",
        )  # fmt: skip

    async def enter(self, member: str) -> Reservation:
        """Let a request in.

        Raises:
            RefusedError: 429, the member has too many.
        """
        charges = (Charge(self._rate, member, 1), Charge(self._slots, member, 1))
        return self._kept(await self._limiter.reserve(charges))

    async def leave(self, reservation: Reservation) -> None:
        """The request has ended."""
        await self._limiter.settle(reservation, Usage(tokens=0))

    async def count(self, member: str, objects: int, size: int) -> None:
        """Count objects that a member adds, and their bytes, before they are.

        Raises:
            RefusedError: 429, there were too many today.
        """
        for limit, amount in ((self._objects, objects), (self._bytes, size)):
            charge = Charge(limit, member, amount)
            reservation = self._kept(await self._limiter.reserve((charge,)))
            await self._limiter.settle(reservation, Usage(tokens=amount))

    def _kept(self, found: Reservation | Exceeded) -> Reservation:
        if isinstance(found, Reservation):
            return found
        wait = found.retry_after
        after = {} if wait is None else {"retry_after": str(max(1, math.ceil(wait)))}
        limit = found.charge.limit
        raise RefusedError(
            429, "you have asked too much", f"the limit {limit.name} is {limit.amount:,}", **after
        )
