"""Durations and times, as people write and read them on the command line."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import click

__all__ = ["DURATION", "spoken"]

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


class _Duration(click.ParamType[int]):
    """A whole number with a unit, such as 90s, 5m, 1h or 14d, as seconds."""

    name = "duration"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"([0-9]{1,6})([smhd])", str(value).strip())
        if found is None:
            self.fail(f"{value!r} is no duration such as 90s, 5m, 1h or 14d", param, ctx)
        return int(found[1]) * _UNITS[found[2]]


#: the type of an option that takes a duration; in seconds
DURATION = _Duration()


def spoken(seconds: int | None) -> str:
    """A time since the epoch, to the minute and in UTC; ``-`` for none."""
    if seconds is None:
        return "-"
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")
