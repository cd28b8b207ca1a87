"""A part of a surface, written as data: ``{"logprobs": 0, "reasoning": "none"}``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import msgspec

from stillwatch.access.surface import OPEN, Bias, Reasoning, Structure, Surface
from stillwatch.errors import InputError

__all__ = ["narrowing"]

_STEPS = {"reasoning": Reasoning, "logit_bias": Bias, "structure": Structure}
_MOST_TEMPERATURE = 2.0


def narrowing(fields: Mapping[str, Any]) -> Surface:
    """The widest surface within the fields; what is not named stays open.

    Names are those of :class:`~stillwatch.access.Surface`. Steps of `reasoning`, `logit_bias` and
    `structure` are written by name; `models` and `response_fields` are lists of texts.

    Raises:
        InputError: a field is unknown, its value is of another kind or out of range, or nothing
            would be narrower than without them.
    """
    values = {name: _value(name, value) for name, value in fields.items()}
    try:
        given = msgspec.convert(values, Surface)
    except msgspec.ValidationError as error:
        raise InputError(f"surface: {error}") from error
    chosen = {name: getattr(given, name) for name in fields}
    for name, value in chosen.items():
        if isinstance(value, int | float) and not _fits(name, value):
            raise InputError(f"surface: {name}: {value} is out of range")
    surface = OPEN & msgspec.structs.replace(OPEN, **chosen)
    if surface == OPEN:
        raise InputError("surface: this narrows nothing; name what shall be less, as logprobs: 0")
    return surface


def _value(name: str, value: object) -> object:
    if name not in Surface.__struct_fields__:
        known = ", ".join(Surface.__struct_fields__)
        raise InputError(f"surface: there is no field {name!r}; there are {known}")
    if name in _STEPS:
        steps = [step.name.lower() for step in _STEPS[name]]
        if value not in steps:
            raise InputError(f"surface: {name}: {value!r} is none of {', '.join(steps)}")
        return steps.index(str(value))
    if name == "models":
        if not isinstance(value, list) or not value:  # none at all would be a suspension
            raise InputError("surface: models: give a list of names or patterns")
        return [value]
    return value


def _fits(name: str, value: float) -> bool:
    if name == "min_temperature":
        return math.isfinite(value) and 0 <= value <= _MOST_TEMPERATURE
    return value >= (1 if name in ("n", "max_tokens") else 0)
