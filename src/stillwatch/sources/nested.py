"""Looking into foreign JSON without trusting its shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["first", "mapping"]

_NOTHING: Mapping[str, Any] = {}


def mapping(value: object, *keys: str) -> Mapping[str, Any]:
    """The object under the first of `keys` that has one, or an empty object."""
    if isinstance(value, dict):
        for key in keys:
            found = value.get(key)
            if isinstance(found, dict):
                return found
    return _NOTHING


def first(value: Mapping[str, Any], *keys: str) -> Any:
    """The value of the first of `keys` that says something: neither null nor the empty text."""
    for key in keys:
        found = value.get(key)
        if found is not None and found != "":
            return found
    return None
