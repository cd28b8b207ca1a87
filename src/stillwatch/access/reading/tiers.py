"""Tiers: named lists of limits."""

from __future__ import annotations

from typing import Any, get_args

from stillwatch.access.limits.charges import Limit, Scope, Unit
from stillwatch.access.limits.terms import check_limit
from stillwatch.access.reading.values import items, number, one_of, said_once, wrong
from stillwatch.errors import SettingsError
from stillwatch.settings import Section

__all__ = ["LEAST_TOKENS", "read_tiers"]

#: What the smallest request reserves: a token of the prompt, and a token of the answer.
LEAST_TOKENS = 2


def read_tiers(tiers: Section) -> dict[str, tuple[Limit, ...]]:
    """Every tier with its limits.

    Raises:
        SettingsError: also for a limit that is neither a rate, nor a budget, nor slots, that cannot
            be counted exactly, or that no request ever fits into.
    """
    read: dict[str, tuple[Limit, ...]] = {}
    for name in tiers:
        seen: dict[str, int] = {}
        read[name] = tuple(_limit(each, seen) for each in items(tiers, name))
    return read


def _limit(section: Section, seen: dict[str, int]) -> Limit:
    name = said_once(section, section.take("name", str), seen, "the limit")
    unit: Any = one_of(section, "unit", get_args(Unit))
    scope: Any = one_of(section, "scope", get_args(Scope))
    away: Any = one_of(section, "when_away", ("refuse", "allow"), "refuse")
    calendar: Any = None
    if "calendar" in section:
        calendar = one_of(section, "calendar", ("hour", "day", "month"))
    period = number(section, "period", 0.001) if "period" in section else None
    burst = number(section, "burst", 1) if "burst" in section else None
    amount = number(section, "amount", 1)
    for key in ("calendar", "period", "burst"):
        section.take(key, object, None)
    section.finish()
    if unit == "concurrent" and (period is not None or calendar):
        key = "period" if period is not None else "calendar"
        raise wrong(section, key, f"slots are held, not used up: leave '{key}' out")
    if unit != "concurrent" and (period is None) == (calendar is None):
        raise wrong(
            section,
            "calendar",
            f"the limit '{name}' needs either 'period' (seconds: a rate) or 'calendar'"
            " (hour, day, month: a budget)",
        )
    if burst is not None and period is None:
        raise wrong(section, "burst", "only a rate, a limit with 'period', has bursts")
    limit = Limit(
        name=name, scope=scope, unit=unit, amount=amount, period=period,
        calendar=calendar, burst=burst, when_away=away,
    )  # fmt: skip
    key = "amount" if burst is None else "burst"
    if unit == "tokens" and (amount if burst is None else burst) < LEAST_TOKENS:
        raise wrong(
            section,
            key,
            f"limit '{name}': no request ever fits; each reserves {LEAST_TOKENS} tokens at least,"
            " one of its prompt and one of its answer",
        )
    try:
        check_limit(limit)
    except SettingsError as error:
        raise wrong(section, key, str(error)) from error
    return limit
