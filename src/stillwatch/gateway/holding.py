"""What is reserved while requests run: renewed while they do, settled once when they end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from stillwatch.access.limits import (
    LEASE,
    Charge,
    Exceeded,
    Limiter,
    MemoryLimiter,
    Reservation,
    Usage,
)

__all__ = ["Holding"]

_log = logging.getLogger(__name__)


class Holding:
    """The reservations of one gateway. :meth:`renew_all` runs beside it, as one task for all."""

    def __init__(self, limiter: Limiter) -> None:
        self._limiter = limiter
        self._held: dict[str, Reservation] = {}
        self._settling: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        """Reservations that are not settled."""
        return len(self._held) + len(self._settling)

    async def reserve(self, charges: Sequence[Charge]) -> Reservation | Exceeded:
        """Reserve all charges, or none."""
        reserved = await self._limiter.reserve(charges)
        if isinstance(reserved, Reservation):
            self._held[reserved.id] = reserved
        return reserved

    def settle(self, reservation: Reservation, usage: Usage) -> None:
        """Settle without waiting, so that a cancelled request settles like any other."""
        self._held.pop(reservation.id, None)
        if isinstance(self._limiter, MemoryLimiter):  # waits for nothing: not worth a task
            self._limiter.settle_now(reservation, usage)
            return
        task = asyncio.ensure_future(self._limiter.settle(reservation, usage))
        self._settling.add(task)
        task.add_done_callback(self._settled)

    async def renew_all(self) -> None:
        """Renew the leases of requests that still run, forever."""
        while True:
            await asyncio.sleep(LEASE / 3)
            for reservation in tuple(self._held.values()):
                await self._limiter.renew(reservation)

    async def close(self, patience: float = 5.0) -> None:
        """Wait for settlements on their way, at most so many seconds."""
        if self._settling:
            await asyncio.wait(self._settling, timeout=patience)

    def _settled(self, task: asyncio.Task[None]) -> None:
        self._settling.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.error("a reservation was not settled", exc_info=task.exception())
