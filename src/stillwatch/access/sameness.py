"""When two requests are the same to a set of conditions.

A fact that conditions only ever compare with written values (``prompt_tokens > 4000``,
``ip_country in ['DE', 'FR']``) matters to them by the outcome of these comparisons alone: a number
by where it lies among the values, a text by which of them it is, if any. Everything else (a fact
within arithmetic, a method or another fact's comparison) counts with its whole value. Requests with
equal keys therefore get equal evaluations; a property test holds the two against each other.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from typing import Any

from stillwatch.access.conditions import UNSEEN, Condition
from stillwatch.access.facts import FACTS

__all__ = ["Sameness"]

_Part = Callable[[Any], object]


class Sameness:
    """The key under which the evaluation of these conditions may be remembered.

    `names` are the facts that they read, in the order in which :meth:`key` takes their values.
    """

    def __init__(self, conditions: Sequence[Condition]) -> None:
        self.names = tuple(sorted(frozenset().union(*(c.reads for c in conditions))))
        self._parts = [
            (at, part)
            for at, name in enumerate(self.names)
            if (part := _part(name, conditions)) is not None
        ]

    def key(self, values: Sequence[object]) -> list[object]:
        """Equal for values that no condition can tell apart."""
        key = list(values)
        for at, part in self._parts:
            key[at] = part(key[at])
        return key


def _part(name: str, conditions: Sequence[Condition]) -> _Part | None:
    """How a value of the fact enters the key; ``None``: as it is."""
    kind = FACTS[name].type
    if kind == "bool":
        return None
    if kind == "list":
        return tuple
    readers = [c for c in conditions if name in c.reads]
    if any(name not in c.compared for c in readers):
        return repr if kind == "double" else None  # 0.0 equals -0.0, and NaN nothing
    values: set[Any] = set().union(*(c.compared[name] for c in readers))
    if name in UNSEEN:
        values.add(UNSEEN[name])
    if kind == "string":
        return {value: value for value in values}.get
    return _between(sorted(values), kind)


def _between(values: list[float], kind: str) -> _Part:
    """Even between two values, odd on one of them; NaN, which is nowhere, is a place of its own."""
    if kind == "double":
        return lambda v: "nan" if v != v else bisect_left(values, v) + bisect_right(values, v)
    if len(values) == 1:  # by far the most frequent: below, on, above
        only = values[0]
        return lambda v: (v >= only) + (v > only)
    return lambda v: bisect_left(values, v) + bisect_right(values, v)
