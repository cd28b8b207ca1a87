"""A request written down: by the names of facts that rules use, or by the fields behind them.

``asn_class: vpn`` is a fact, ``user_agent: curl`` a field of :class:`~stillwatch.access.Origin`.
What is left out is as in a plain request of a known customer; ``anonymous: true`` is a request
without a key.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from types import NoneType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from stillwatch.access.checking import nearest, possible
from stillwatch.access.expressions import ConditionError
from stillwatch.access.facts import FACTS, Asked, Caller, Origin, Replay, RequestFacts
from stillwatch.access.reading.values import one_of, wrong
from stillwatch.settings import Section

__all__ = ["read_request"]

E = TypeVar("E", bound=enum.IntEnum)

#: 2026-01-01 00:00 UTC, when requests are made that do not say
_DAY = 1_767_225_600
_ALIASES = {"key": "key_id", "terms": "terms_version", "ip_country": "country"}
_HINTS = {
    name: (part, hint)
    for part in (Caller, Asked, Origin)
    for name, hint in get_type_hints(part).items()
}
_KNOWN = ({*_HINTS, *FACTS, "at", "anonymous"} - {"country_agrees"}) - {"prefix", "headers"}


def read_request(request: Section) -> RequestFacts:
    """The facts of the request.

    Raises:
        SettingsError: for a fact that there is not, or a value that it never has.
    """
    parts: dict[Any, dict[str, Any]] = {
        Caller: {"key_id": "key", "account": "account"},
        Asked: {"model": "model"},
        Origin: {},
    }
    for name in request:
        if name == "country_agrees":
            raise wrong(request, name, "country_agrees follows from ip_country and kyc_country")
        if name not in _KNOWN:
            raise wrong(request, name, f"there is no fact '{name}'{nearest(name, _KNOWN)}")
        field = _ALIASES.get(name, name)
        if field in _HINTS:
            part, hint = _HINTS[field]
            parts[part][field] = _value(request, name, hint)
    at = request.take("at", float, float(_DAY)) + 3600 * request.take("hour", int, 0)
    if (age := request.take("key_age_days", int, None)) is not None:
        parts[Caller]["created_at"] = int(at) - age * 86_400
    if (biased := request.take("biased_tokens", int, None)) is not None:
        parts[Asked]["bias"] = tuple(range(biased))
    return RequestFacts(
        caller=None if request.take("anonymous", bool, False) else Caller(**parts[Caller]),
        asked=Asked(**parts[Asked]),
        origin=Origin(**parts[Origin]),
        route=request.take("route", str, "chat.completions"),
        at=at,
        replay=_step(request, "reasoning_replay", Replay, "none"),
    )


def _value(request: Section, name: str, hint: Any) -> Any:
    kind = next(each for each in get_args(hint) or (hint,) if each is not NoneType)
    if get_origin(hint) is tuple:
        return _listed(request, name, kind)
    if issubclass(kind, enum.IntEnum):
        return _step(request, name, kind)
    value = request.take(name, kind)
    if isinstance(value, str) and name in FACTS:
        try:
            possible(name, value)
        except ConditionError as error:
            raise wrong(request, name, str(error)) from error
    return value


def _step(request: Section, name: str, kind: type[E], default: Any = ...) -> E:
    steps = kind.__members__
    return steps[one_of(request, name, map(str.lower, steps), default).upper()]


def _listed(request: Section, name: str, kind: Callable[[Any], Any]) -> tuple[Any, ...]:
    values = request.take(name, list)
    for value in values:
        if type(value) is not kind:
            raise wrong(request, name, f"'{name}' holds {value!r}, which it never does")
    return tuple(values)
