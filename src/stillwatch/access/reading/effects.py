"""What a rule of a settings file does: the one key among its keys that names an effect."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec

from stillwatch.access.backends import Backend
from stillwatch.access.checking import nearest
from stillwatch.access.effects import Challenge, Deny, Effect, Narrow, Route, Slow, Tier
from stillwatch.access.limits.charges import Limit
from stillwatch.access.reading.levels import field_values, surface_field
from stillwatch.access.reading.values import number, texts, wrong
from stillwatch.access.surface import CLOSED, OPEN
from stillwatch.errors import SettingsError
from stillwatch.settings import Section

__all__ = ["EFFECTS", "Known", "read_effect"]

#: Fields that have a narrowest value of their own; the others are for `clamp`.
_STRIPPED = frozenset(CLOSED.__struct_fields__) - {"models", "max_tokens", "min_temperature"}


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What effects may refer to; ``None`` where the file does not say."""

    tiers: Mapping[str, tuple[Limit, ...]] | None = None
    backends: Sequence[Backend] | None = None


def read_effect(rule: Section, known: Known) -> Effect:
    """The effect of a rule.

    Raises:
        SettingsError: it has none, or two, or one that makes no sense.
    """
    named = [key for key in rule if key in EFFECTS]
    if len(named) != 1:
        does = " and ".join(named) or "nothing"
        raise SettingsError(
            f"a rule does one thing, this one {does}; one of {', '.join(EFFECTS)}",
            path=rule.path,
            line=rule.line_of(named[1]) if named else rule.line,
        )
    return EFFECTS[named[0]](rule, known)


def _deny(rule: Section, _known: Known) -> Deny:
    if _is_true(rule, "deny"):
        return Deny()
    section = rule.section("deny")
    status = number(section, "status", 400, 499) if "status" in section else Deny().status
    section.take("status", int, status)
    section.finish()
    return Deny(status=status)


def _is_true(rule: Section, key: str) -> bool:
    """Whether ``true`` stands under `key`; a mapping is left to the caller."""
    try:
        value = rule.take(key, bool)
    except SettingsError:
        return False
    if not value:
        raise wrong(rule, key, f"'{key}: false' does nothing; leave the rule out")
    return True


def _clamp(rule: Section, _known: Known) -> Narrow:
    section = rule.section("clamp")
    values = field_values(section)
    surface = msgspec.structs.replace(OPEN, **values)
    if surface == OPEN:
        raise wrong(rule, "clamp", "it takes nothing away: name fields, and values below the most")
    return Narrow(surface=surface)


def _strip(rule: Section, _known: Known) -> Narrow:
    fields = texts(rule, "strip")
    if not fields:
        raise wrong(rule, "strip", "name the fields that are taken away")
    try:
        closed = {surface_field(name): getattr(CLOSED, name) for name in sorted(fields)}
    except ValueError as error:
        raise wrong(rule, "strip", str(error)) from error
    for name in sorted(fields - _STRIPPED):
        raise wrong(rule, "strip", f"'{name}' cannot be taken away; bound it with `clamp`")
    return Narrow(surface=msgspec.structs.replace(OPEN, **closed))


_ROUTES: dict[str, Callable[[Backend], str]] = {
    "backends": lambda backend: backend.name,
    "regions": lambda backend: backend.region,
    "jurisdictions": lambda backend: backend.jurisdiction,
    "operators": lambda backend: backend.operator,
}


def _route(rule: Section, known: Known) -> Route:
    section = rule.section("route")
    route = Route(**{key: texts(section, key) for key in _ROUTES})
    section.finish()
    if route == Route():
        raise wrong(rule, "route", f"it allows every backend: name {', '.join(_ROUTES)}")
    for key, of in _ROUTES.items():
        there = None if known.backends is None else {of(each) for each in known.backends}
        for name in sorted(getattr(route, key)):
            _must_exist(section, key, name, there, f"no backend is of {key}")
    if known.backends is not None and not any(each.within(route) for each in known.backends):
        raise wrong(rule, "route", "no backend is in all of these sets; every request is refused")
    return route


def _must_exist(
    section: Section, key: str, name: str, there: Collection[str] | None, message: str
) -> None:
    if there is not None and name not in there:
        has = ", ".join(sorted(there)) or "none"
        raise wrong(section, key, f"{message} '{name}'{nearest(name, there)} (there are: {has})")


def _tier(rule: Section, known: Known) -> Tier:
    name = rule.take("tier", str)
    _must_exist(rule, "tier", name, known.tiers, "there is no tier")
    return Tier(name=name)


def _slow(rule: Section, _known: Known) -> Slow:
    return Slow(seconds=number(rule, "slow", 0.01, 300.0))


def _challenge(rule: Section, _known: Known) -> Challenge:
    section = rule.section("challenge")
    challenge = Challenge(
        kind=section.take("kind", str), url=section.take("url", str) if "url" in section else None
    )
    section.take("url", object, None)
    section.finish()
    if not challenge.kind:
        raise wrong(section, "kind", "say what the customer has to do, such as verify-identity")
    return challenge


#: key → how what stands under it is read
EFFECTS: dict[str, Callable[[Section, Known], Effect]] = {
    "deny": _deny,
    "clamp": _clamp,
    "strip": _strip,
    "route": _route,
    "tier": _tier,
    "slow": _slow,
    "challenge": _challenge,
}
