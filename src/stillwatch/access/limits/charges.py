"""What limits are made of, and the protocol of those who keep them.

:func:`stillwatch.access.decide` lists charges; a :class:`Limiter` reserves them before the request
goes upstream, all or none, and settles them when it is known what was used, on every exit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec

__all__ = ["Charge", "Exceeded", "Limit", "Limiter", "Reservation", "Scope", "Unit", "Usage"]

Scope = Literal["key", "account", "org", "cluster", "model", "global"]
#: `requests` and `tokens` flow, `concurrent` are slots that are held, `distinct` counts different
#: things (biased tokens of one prompt prefix).
Unit = Literal["requests", "tokens", "concurrent", "distinct"]


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """One bound: so much of a unit, over a period, for each subject of a scope.

    A limit with `period` (seconds) is a rate, kept by GCRA: `amount` a period, with bursts up to
    `burst` (default: `amount`). One with `calendar` is a budget that starts anew with the UTC hour,
    day or month. `concurrent` has neither. `when_away` says what happens while the store that
    keeps it cannot be reached.
    """

    name: str
    scope: Scope
    unit: Unit
    amount: int
    period: float | None = None
    calendar: Literal["hour", "day", "month"] | None = None
    burst: int | None = None
    when_away: Literal["refuse", "allow"] = "refuse"


class Charge(msgspec.Struct, frozen=True):
    """`cost` units of one limit for one subject; `items` are what a `distinct` limit counts."""

    limit: Limit
    subject: str
    cost: int
    items: tuple[int, ...] = ()


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What a request used, in tokens, as far as it is known at its end.

    `tokens` is ``None`` when the upstream never said: the charge is then `streamed`, our count of
    what passed, and the larger of both otherwise. `still_running` says that the upstream may go on
    generating after we left: what was reserved then stays, and slots run out by themselves.
    `sent` is false when nothing ever reached the upstream: all is given back.
    """

    tokens: int | None = None
    streamed: int = 0
    still_running: bool = False
    sent: bool = True


class Exceeded(msgspec.Struct, frozen=True):
    """The first limit that had no room, and the seconds after which it may have (``None``: never
    for this cost). `away` says that its store could not be asked."""

    charge: Charge
    retry_after: float | None
    away: bool = False


class Reservation(msgspec.Struct, frozen=True):
    """What was reserved under one id; settled once, later calls change nothing."""

    id: str
    charges: tuple[Charge, ...]
    at: float
    unkept: tuple[Charge, ...] = ()  # let through because the store was away


class Limiter(Protocol):
    """Keeps limits. Implementations: in this process, and in Redis for several replicas."""

    async def reserve(self, charges: Sequence[Charge]) -> Reservation | Exceeded:
        """Take every charge, or none and say which had no room."""

    async def settle(self, reservation: Reservation, usage: Usage) -> None:
        """Give back what was not used, charge what was used beyond; release slots."""

    async def renew(self, reservation: Reservation) -> None:
        """Hold the slots of a request that still runs for another lease."""

    async def close(self) -> None:
        """Let go of connections; reservations stay as they are."""
