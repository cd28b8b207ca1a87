"""What a limit means in whole numbers: how much room there is, and how much a cost takes.

Both keepers count in the same units, so that they decide alike. They stay below 2**53, where the
numbers of a Lua script are still whole: a rate is kept in nanoseconds (the time that a cost takes
to drain, rounded up), a budget in its own unit, slots and different items by their number.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd
from typing import Literal, NoReturn
from urllib.parse import quote

from stillwatch.access.limits.charges import Charge, Limit, Usage
from stillwatch.errors import SettingsError

__all__ = ["MOST", "Terms", "check_limit", "dues", "raise_negative"]

#: The most that is ever counted; a debt beyond it is cut (52 days of a rate).
MOST = 2**52
#: Every slot that is taken is one entry of a set.
MOST_SLOTS = 100_000

Kind = Literal["rate", "budget", "slots", "distinct"]


class Terms:
    """One limit, worked out once. `key` names it in a store; two limits of one key share state.

    `room` is what fits at once: nanoseconds of a rate, else the amount. A cost of `over` takes
    `per` of it. `period` is in nanoseconds (rates and distinct items; 0 otherwise). `rest` is what
    becomes of a charge that is not of tokens: slots are given back, the others stay.
    """

    __slots__ = (
        "calendar", "key", "kind", "limit", "over", "per", "period", "rest", "room", "tokens",
    )  # fmt: skip

    def __init__(self, limit: Limit) -> None:
        """
        Raises:
            SettingsError: the limit contradicts itself, or is too large to be counted exactly.
        """
        self.limit = limit
        self.kind = _kind(limit)
        self.tokens = limit.unit == "tokens"
        self.rest = 0 if self.kind == "slots" else None
        self.calendar = limit.calendar or "day"
        self.period = 0 if limit.period is None else round(limit.period * 1e9)
        self.per = self.over = 1
        if self.kind == "rate":
            common = gcd(self.period, limit.amount)
            self.per, self.over = self.period // common, limit.amount // common
        self.room = self.units(limit.amount if limit.burst is None else limit.burst)
        _check(limit, self)
        window = f"/{limit.calendar}" if limit.calendar else ""
        self.key = f"{self.kind}{window}:{limit.scope}:{limit.unit}:{quote(limit.name, safe='')}"

    def units(self, cost: int) -> int:
        """What `cost` takes of the room; of a rate, nanoseconds rounded up."""
        return -(-cost * self.per // self.over)


def check_limit(limit: Limit) -> None:
    """See whether a limit can be kept, before a request meets it.

    Raises:
        SettingsError: it contradicts itself, or is too large to be counted exactly.
    """
    Terms(limit)


def dues(terms: Sequence[Terms], charges: Sequence[Charge], usage: Usage) -> list[int | None]:
    """What each reserved charge comes to, in the units of its terms; ``None``: what was reserved.

    Tokens come to what the upstream said or what passed, whichever is more.
    """
    if not usage.sent:
        return [0] * len(charges)
    tokens, running = usage.tokens or 0, usage.still_running
    if tokens < usage.streamed:
        tokens = usage.streamed
    if running:
        return [
            -(-tokens * t.per // t.over) if t.tokens and tokens >= c.cost else None
            for t, c in zip(terms, charges, strict=True)
        ]
    return [-(-tokens * t.per // t.over) if t.tokens else t.rest for t in terms]


def raise_negative(charge: Charge) -> NoReturn:
    """
    Raises:
        ValueError: always; a negative cost would open a limit.
    """
    raise ValueError(f"the cost of '{charge.limit.name}' is negative: {charge.cost}")


def _kind(limit: Limit) -> Kind:
    flows = limit.unit in ("requests", "tokens")
    match limit.period is not None, limit.calendar is not None:
        case True, False if flows and limit.amount > 0:
            return "rate"
        case False, True if flows:
            return "budget"
        case False, False if limit.unit == "concurrent":
            return "slots"
        case True, False if limit.unit == "distinct":
            return "distinct"
    raise SettingsError(
        f"limit '{limit.name}' cannot be kept: requests and tokens need either a period and an "
        "amount of at least 1, or a calendar; concurrent has neither; distinct has a period"
    )


def _check(limit: Limit, terms: Terms) -> None:
    if limit.amount < 0:
        raise SettingsError(f"limit '{limit.name}': the amount must not be below 0")
    if limit.period is not None and terms.period < 1:
        raise SettingsError(f"limit '{limit.name}': the period must be at least a nanosecond")
    if limit.burst is not None and (terms.kind != "rate" or limit.burst < 1):
        raise SettingsError(f"limit '{limit.name}': a burst belongs to a rate, and is at least 1")
    if terms.kind == "rate" and terms.room > MOST:
        raise SettingsError(
            f"limit '{limit.name}': its burst takes more than 52 days to drain; use a calendar"
        )
    most = MOST_SLOTS if terms.kind in ("slots", "distinct") else MOST
    if terms.kind != "rate" and limit.amount > most:
        raise SettingsError(f"limit '{limit.name}': the amount must not be above {most}")
