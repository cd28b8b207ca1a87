"""Limits that several replicas share, kept in Redis or Valkey by one script (``reserve.lua``).

Each operation is one call that is carried out whole, with the server's clock. All keys carry one
hash tag, so a cluster keeps them in one slot: levels can only be taken together where they are.
What happens while the server is away stands in ``docs/limits.md``.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from stillwatch.access.limits.charges import Charge, Exceeded, Limit, Reservation, Usage
from stillwatch.access.limits.circuit import Circuit, Later
from stillwatch.access.limits.memory import LEASE
from stillwatch.access.limits.terms import Terms, dues, raise_negative

__all__ = ["RedisLimiter"]

_SCRIPT = Path(__file__).with_name("reserve.lua").read_text()
_SHA = hashlib.sha1(_SCRIPT.encode(), usedforsecurity=False).hexdigest()
_KNOWN_LIMITS = 10_000
_NEVER_FITS = 2**53 - 1
_NOT_SENT = Usage(sent=False)

_Operation = Literal["reserve", "settle", "renew", "sweep", "count"]


class _Message(NamedTuple):
    """One call of the script."""

    operation: _Operation
    keys: tuple[str, ...]
    arguments: dict[str, Any]


class RedisLimiter:
    """Keeps limits in the Redis at `url`, shared by every limiter with the same `prefix`.

    A reservation that is neither settled nor renewed within `lease` seconds counts as used in full.
    `timeout` bounds each step of a call (a free connection, connecting, the answer). After three
    failures in a row the server is asked once every `pause` seconds. At most `waiting` settlements
    are kept for its return. `clock` (nanoseconds since the epoch) takes the place of the server's,
    for tests.

    Raises:
        ModuleNotFoundError: the package `redis` is not installed.
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "stillwatch",
        lease: float = LEASE,
        timeout: float = 0.25,
        pause: float = 1.0,
        waiting: int = 10_000,
        connections: int = 64,
        clock: Callable[[], int] | None = None,
    ) -> None:
        from redis import asyncio as aio
        from redis import exceptions
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff

        self._pool = aio.BlockingConnectionPool.from_url(
            url,
            max_connections=connections,
            timeout=timeout,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            retry=Retry(NoBackoff(), 0),
        )
        self._redis = aio.Redis(connection_pool=self._pool)
        self._no_script = exceptions.NoScriptError
        self._failures = (exceptions.RedisError, OSError, TimeoutError)
        self._prefix = f"{{{prefix}}}:"
        self._lease = round(lease * 1e6)
        self._clock = clock
        self._pause = pause
        self._circuit = Circuit(pause)
        self._later: Later[_Message] = Later(waiting, lease)
        self._teller: asyncio.Task[None] | None = None
        self._known: dict[int, Terms] = {}

    @property
    def waiting(self) -> int:
        """How many settlements wait for the server."""
        return len(self._later)

    @property
    def lost(self) -> int:
        """How many settlements were never told: what those had reserved stays charged in full."""
        return self._later.lost

    async def reserve(self, charges: Sequence[Charge]) -> Reservation | Exceeded:
        """Take every charge, or none and say which had no room.

        Raises:
            SettingsError: a limit cannot be kept; nothing is reserved.
            ValueError: a cost is negative; nothing is reserved.
        """
        charges = tuple(charges)
        name = secrets.token_hex(12)
        if not charges:
            return Reservation(name, charges, time.time())
        terms = [self._terms(charge.limit) for charge in charges]
        asked = [_asked(charge, term) for charge, term in zip(charges, terms, strict=True)]
        if not self._circuit.may_try():
            return _away(name, charges)
        try:
            answer = await self._run(self._message("reserve", name, charges, asked))
        except asyncio.CancelledError:
            self._tell_later(self._settlement(name, charges, _NOT_SENT))
            raise
        except self._failures as error:
            self._circuit.failed(error)
            # the server may have carried it out, and only the answer is missing
            self._tell_later(self._settlement(name, charges, _NOT_SENT))
            return _away(name, charges)
        if answer[0]:
            return Reservation(name, charges, answer[1] / 1e6)
        _, number, wait = answer
        i = int(number) - 1
        takes = len(asked[i]["items"]) if "items" in asked[i] else asked[i]["units"]
        return Exceeded(charges[i], None if takes > terms[i].room else wait / 1e6)

    async def settle(self, reservation: Reservation, usage: Usage) -> None:
        """Give back what was not used, charge what was used beyond; release slots.

        While the server is away, and when the caller is cancelled, this is done later.
        """
        if reservation.unkept or not reservation.charges:
            return
        message = self._settlement(reservation.id, reservation.charges, usage)
        if not self._circuit.may_try():
            self._tell_later(message)
            return
        try:
            await self._run(message)
        except asyncio.CancelledError:
            self._tell_later(message)
            raise
        except self._failures as error:
            self._circuit.failed(error)
            self._tell_later(message)

    async def renew(self, reservation: Reservation) -> None:
        """Keep a reservation open, and its slots, for another lease from now on."""
        if reservation.unkept or not reservation.charges or not self._circuit.may_try():
            return
        try:
            await self._run(self._message("renew", reservation.id, reservation.charges))
        except self._failures as error:
            self._circuit.failed(error)

    async def sweep(self) -> int:
        """Close reservations whose lease has ended, a bounded number; how many. What they reserved
        stays charged. Each reservation does this for a few.

        Raises:
            redis.RedisError: the server cannot be asked.
        """
        return int(await self._run(self._message("sweep")))

    async def outstanding(self) -> int:
        """How many reservations of all replicas are open.

        Raises:
            redis.RedisError: the server cannot be asked.
        """
        while await self.sweep():
            pass
        return int(await self._run(self._message("count")))

    async def close(self) -> None:
        """Tell what waits, if the server is there, and let go of the connections."""
        if self._teller is not None:
            self._teller.cancel()
            await asyncio.gather(self._teller, return_exceptions=True)
        while not self._circuit.open and await self._tell_one():
            pass
        await self._redis.aclose()
        await self._pool.disconnect()

    async def _run(self, message: _Message) -> Any:
        arguments = {**message.arguments, "lease": self._lease}
        if self._clock is not None:
            arguments["now"] = self._clock() // 1000
        keys = [f"{self._prefix}leases", f"{self._prefix}reservations", *message.keys]
        packed = msgspec.msgpack.encode(arguments)
        execute: Callable[..., Awaitable[Any]] = self._redis.execute_command
        call = (len(keys), *keys, message.operation, packed)
        try:
            answer = await execute("EVALSHA", _SHA, *call)
        except self._no_script:  # the server has restarted, or was told to forget
            answer = await execute("EVAL", _SCRIPT, *call)
        self._circuit.succeeded()
        return answer

    def _message(
        self,
        operation: _Operation,
        name: str = "",
        charges: Sequence[Charge] = (),
        asked: Sequence[dict[str, Any]] = (),
    ) -> _Message:
        keys = tuple(
            f"{self._prefix}{self._terms(charge.limit).key}:{charge.subject}" for charge in charges
        )
        return _Message(operation, keys, {"id": name, "charges": asked})

    def _settlement(self, name: str, charges: Sequence[Charge], usage: Usage) -> _Message:
        terms = [self._terms(charge.limit) for charge in charges]
        owed = zip(terms, dues(terms, charges, usage), strict=True)
        asked = [
            {
                "calendar": term.calendar,
                "period": -(-term.period // 1000),
                "due": -1 if due is None else min(due, _NEVER_FITS),
            }
            for term, due in owed
        ]
        return self._message("settle", name, charges, asked)

    def _terms(self, limit: Limit) -> Terms:
        known = self._known.get(id(limit))
        if known is None:
            if len(self._known) >= _KNOWN_LIMITS:
                self._known.clear()
            # the terms hold the limit, so its id is not given to another while they stand here
            known = self._known[id(limit)] = Terms(limit)
        return known

    def _tell_later(self, message: _Message) -> None:
        self._later.add(message)
        if self._teller is None or self._teller.done():
            self._teller = asyncio.get_running_loop().create_task(self._tell())

    async def _tell(self) -> None:
        while len(self._later):
            if not (self._circuit.may_try() and await self._tell_one()):
                await asyncio.sleep(self._pause / 2)

    async def _tell_one(self) -> bool:
        message = self._later.first()
        if message is None:
            return False
        try:
            await self._run(message)
        except self._failures as error:
            self._circuit.failed(error)
            return False
        self._later.told(message)
        return True


def _asked(charge: Charge, terms: Terms) -> dict[str, Any]:
    """A charge as the script reads it; a period in microseconds, rounded up."""
    if charge.cost < 0:
        raise_negative(charge)
    units = min(terms.units(charge.cost), _NEVER_FITS)
    asked: dict[str, Any] = {"kind": terms.kind, "room": terms.room, "units": units}
    match terms.kind:
        case "budget":
            asked["calendar"] = terms.calendar
        case "distinct":
            asked["period"] = -(-terms.period // 1000)
            # as text: an item may have 64 bits
            asked["items"] = [str(item) for item in dict.fromkeys(charge.items)]
        case _:
            pass
    return asked


def _away(name: str, charges: tuple[Charge, ...]) -> Reservation | Exceeded:
    """What becomes of a request while the server is away, as its limits say."""
    for charge in charges:
        if charge.limit.when_away == "refuse":
            return Exceeded(charge, 1.0, away=True)
    return Reservation(name, charges, time.time(), unkept=charges)
