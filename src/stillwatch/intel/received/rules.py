"""What the operator lets received indicators do: section ``intel.blocking`` of the settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec

from stillwatch.access.actions import LONGEST_DAYS, MOST_SECONDS
from stillwatch.access.narrowing import narrowing
from stillwatch.errors import InputError, SettingsError
from stillwatch.settings import Section, read_settings

__all__ = ["BlockRules", "read_block_rules"]

_DAY = 86_400
#: independent senders that are needed at least: one alone never acts
LEAST_SENDERS = 2


class BlockRules(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator lets indicators do. `lasting` is in seconds, at most 90 days.

    Attributes:
        measure: ``slow`` by `seconds`, or ``narrow`` to `surface`; None does nothing.
        senders: independent senders that must tell the same, 2 at least.
        confirmed: whether a pattern that our own cases confirm needs no second sender.
        trust: senders that are right less often than this, beyond doubt, do not count.
        message: for the owner of an account.
    """

    measure: Literal["slow", "narrow"] | None = None
    seconds: float | None = None
    surface: dict[str, Any] | None = None
    lasting: int = 7 * _DAY
    senders: int = 2
    confirmed: bool = True
    trust: float = 0.5
    message: str = "Use of your account resembles use that others told us of. Write to us."


def read_block_rules(path: Path | None) -> BlockRules:
    """The section ``intel.blocking`` of the settings; without it nothing is ever done.

    Raises:
        SettingsError: a key or value that nobody understands, or that automation must not do.
    """
    settings = read_settings(path)
    section = settings.section("intel").section("blocking")
    if not list(section):
        return BlockRules()
    usual = BlockRules()
    surface = section.section("surface")
    rules = BlockRules(
        measure=_measure(section),
        seconds=section.take("seconds", float) if "seconds" in section else None,
        surface={key: surface.take(key, object) for key in surface} or None,
        lasting=_between(section, "lasting_days", 1, LONGEST_DAYS, 7) * _DAY,
        senders=_between(section, "senders", LEAST_SENDERS, 100, usual.senders),
        confirmed=section.take("confirmed", bool, usual.confirmed),
        trust=section.take("trust", float, usual.trust),
        message=section.take("message", str, usual.message),
    )
    section.finish()
    if (rules.seconds is not None) != (rules.measure == "slow"):
        raise _wrong(section, "seconds", "is needed to slow, and for nothing else")
    if rules.seconds is not None and not 0 < rules.seconds <= MOST_SECONDS:
        raise _wrong(section, "seconds", f"must be above 0 and at most {MOST_SECONDS:g}")
    if (rules.surface is not None) != (rules.measure == "narrow"):
        raise _wrong(section, "surface", "is needed to narrow, and for nothing else")
    if rules.surface is not None:
        try:
            narrowing(rules.surface)
        except InputError as error:
            raise _wrong(section, "surface", str(error)) from error
    if not 0 <= rules.trust <= 1:
        raise _wrong(section, "trust", "must be 0 to 1")
    if not 0 < len(rules.message.strip()) <= 2_000:
        raise _wrong(section, "message", "must say something, in 2,000 characters at most")
    return rules


def _measure(section: Section) -> Literal["slow", "narrow"]:
    name = section.take("measure", str)
    if name == "slow":
        return "slow"
    if name == "narrow":
        return "narrow"
    raise _wrong(section, "measure", "must be slow or narrow: automation does nothing harder")


def _between(section: Section, key: str, least: int, most: int, default: int) -> int:
    value = section.take(key, int, default)
    if not least <= value <= most:
        raise _wrong(section, key, f"must be {least} to {most}, not {value}")
    return value


def _wrong(section: Section, key: str, wanted: str) -> SettingsError:
    message = f"'{section.name}.{key}' {wanted}"
    return SettingsError(message, path=section.path, line=section.line_of(key))
