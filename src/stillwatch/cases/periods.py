"""The section `retention` of ``stillwatch.yaml``: for how many days each store keeps what ended."""

from __future__ import annotations

from pathlib import Path

import msgspec

from stillwatch.access.actions import LONGEST_DAYS
from stillwatch.cases.automation import PATIENCE
from stillwatch.errors import SettingsError
from stillwatch.settings import Section, read_settings

__all__ = ["Periods", "read_periods"]

_MOST = 36_500
#: a measure may outlast the case that decided it by so much, and its owner must be able to appeal;
#: who made a token is asked as long as a proposal of its person waits
_LEAST = {"cases": LONGEST_DAYS + 1, "tokens": PATIENCE // 86_400 + 1}


class Periods(msgspec.Struct, frozen=True, kw_only=True):
    """Days, by the store that keeps it; ``docs/privacy.md`` says from when each is counted."""

    exchanges: int = 90
    keys: int = 365
    actions: int = 365
    cases: int = 730
    allowances: int = 365
    tokens: int = 90
    outbox: int = 30
    salts: int = 1_095
    received: int = 90


def read_periods(path: Path | None) -> tuple[Periods, str | None]:
    """The periods that a file sets, and where it says that keys are kept (``gateway: keys``).

    What is not set has its default. That of exchanges is the gateway's own ``retention_days``,
    where the file has one; other sections are not looked at.

    Raises:
        SettingsError: no such file, no such store, or no number of days that may stand there.
    """
    file = read_settings(path)
    gateway, section = file.section("gateway"), file.section("retention")
    kept = gateway.take("retention_days", int, 0)
    if kept and "exchanges" in section and section.take("exchanges", int) != kept:
        raise SettingsError(
            f"'retention.exchanges' and 'gateway.retention_days' ({kept}) differ; say it once",
            path=section.path,
            line=section.line_of("exchanges"),
        )
    usual = Periods(exchanges=kept or Periods().exchanges)
    days = {name: _days(section, name, getattr(usual, name)) for name in Periods.__struct_fields__}
    section.finish()
    return Periods(**days), gateway.take("keys", str, "") or None


def _days(section: Section, name: str, usual: int) -> int:
    days = section.take(name, int, usual)
    least = _LEAST.get(name, 1)
    if not least <= days <= _MOST:
        raise SettingsError(
            f"'retention.{name}' must be {least} to {_MOST:,} days, not {days}",
            path=section.path,
            line=section.line_of(name),
        )
    return days
