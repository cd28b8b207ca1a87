"""Openness levels, and the fields of a surface wherever settings name them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import Any

import msgspec

from stillwatch.access.checking import nearest
from stillwatch.access.reading.values import number, one_of, texts, wrong
from stillwatch.access.surface import (
    CLOSED,
    MOST_LOGPROBS,
    OPEN,
    Bias,
    Reasoning,
    Structure,
    Surface,
)
from stillwatch.settings import Section

__all__ = ["DEFAULT_LEVEL", "Level", "field_values", "read_levels", "surface_field"]

#: The level of keys that name none; the narrowest surface unless the file says otherwise.
DEFAULT_LEVEL = "default"
_MOST = 2**31 - 1


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """A named surface. With `purposes`, it is for callers who registered one of these only."""

    name: str
    surface: Surface = CLOSED
    purposes: frozenset[str] = frozenset()


def _enum(kind: type[IntEnum]) -> Callable[[Section, str], Any]:
    words = [each.name.lower() for each in kind]
    return lambda section, key: kind[one_of(section, key, words).upper()]


def _count(least: float, most: float) -> Callable[[Section, str], Any]:
    return lambda section, key: number(section, key, least, most)


def _truth(section: Section, key: str) -> bool:
    return section.take(key, bool)


def _response_fields(section: Section, key: str) -> frozenset[str]:
    found = texts(section, key)
    for name in found - OPEN.response_fields:
        raise wrong(
            section,
            key,
            f"no surface shows a response field {name!r}{nearest(name, OPEN.response_fields)}"
            f" (it is one of {', '.join(sorted(OPEN.response_fields))})",
        )
    return found


#: field of a surface → how its value is read
FIELDS: dict[str, Callable[[Section, str], Any]] = {
    "models": lambda section, key: (texts(section, key),),
    "logprobs": _count(0, MOST_LOGPROBS),
    "reasoning": _enum(Reasoning),
    "n": _count(1, _MOST),
    "logit_bias": _enum(Bias),
    "biased_tokens": _count(0, _MOST),
    "seed": _truth,
    "prefill": _truth,
    "echo": _truth,
    "prompt_logprobs": _truth,
    "token_ids": _truth,
    "max_tokens": _count(1, _MOST),
    "structure": _enum(Structure),
    "tools": _truth,
    "embeddings": _truth,
    "min_temperature": _count(0.0, 2.0),
    "unknown_fields": _truth,
    "response_fields": _response_fields,
}


def surface_field(name: str, known: Iterable[str] = FIELDS) -> str:
    """The name, if it is a field of a surface.

    Raises:
        ValueError: with the field that it looks most like.
    """
    if name not in known:
        raise ValueError(
            f"a surface has no field '{name}'{nearest(name, known)}"
            f" (it has: {', '.join(sorted(known))})"
        )
    return name


def field_values(section: Section, others: Iterable[str] = ()) -> dict[str, Any]:
    """The fields of a surface that the section names, with their values.

    Raises:
        SettingsError: for a field that there is not, or a value that it never has.
    """
    values: dict[str, Any] = {}
    for key in section:
        if key in others:
            continue
        try:
            values[key] = FIELDS[surface_field(key)](section, key)
        except ValueError as error:
            raise wrong(section, key, str(error)) from error
    return values


def read_levels(levels: Section) -> dict[str, Level]:
    """Every level; ``default`` is closed when the file does not name it.

    Raises:
        SettingsError: also for levels that extend each other in a circle.
    """
    read: dict[str, Level] = {}
    for name in levels:
        _read(name, levels, read, [])
    read.setdefault(DEFAULT_LEVEL, Level(name=DEFAULT_LEVEL))
    return read


def _read(name: str, levels: Section, read: dict[str, Level], below: list[str]) -> Level:
    if name in read:
        return read[name]
    if name in below:
        way = " → ".join([*below[below.index(name) :], name])
        raise wrong(levels, name, f"levels extend each other in a circle: {way}")
    section = levels.section(name)
    values = field_values(section, ("extends", "purposes"))
    base = Level(name=name)
    if "extends" in section:
        base = _base(section, levels, read, [*below, name])
    read[name] = Level(
        name=name,
        surface=msgspec.structs.replace(base.surface, **values),
        purposes=_purposes(section, base.purposes),
    )
    return read[name]


def _base(section: Section, levels: Section, read: dict[str, Level], below: list[str]) -> Level:
    other = section.take("extends", str)
    if other in levels:
        return _read(other, levels, read, below)
    if other == DEFAULT_LEVEL:
        return Level(name=DEFAULT_LEVEL)
    raise wrong(
        section, "extends", f"there is no level '{other}' to extend{nearest(other, levels)}"
    )


def _purposes(section: Section, inherited: frozenset[str]) -> frozenset[str]:
    if "purposes" in section and section.take("purposes", list) == []:
        return frozenset()  # said on purpose: the level is open to all who are given it
    return texts(section, "purposes", inherited)
