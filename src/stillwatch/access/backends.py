"""Backends: where models run, and which of them rules leave to a request."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Literal

import msgspec

from stillwatch.access.effects import Route
from stillwatch.access.facts import UNKNOWN

__all__ = ["Backend", "MarkedBy", "allowed"]

#: how a backend hears of the mark of an answer: in a header alone, or in a field of its engine too
MarkedBy = Literal["header", "vllm", "sglang"]


class Backend(msgspec.Struct, frozen=True, kw_only=True):
    """One deployment: where it stands, whose law holds there, who runs it.

    What the operator does not say is unknown, and so in no set that a rule names. `models` are
    patterns (``*`` and ``?`` as in a shell) of the models that it serves.
    """

    name: str
    url: str
    region: str = UNKNOWN
    jurisdiction: str = UNKNOWN
    operator: str = UNKNOWN
    models: frozenset[str] = frozenset({"*"})
    marks: MarkedBy = "header"

    def serves(self, model: str) -> bool:
        """Whether requests for this model may go there."""
        return "*" in self.models or any(fnmatchcase(model, pattern) for pattern in self.models)

    def within(self, route: Route) -> bool:
        """Whether the backend is in each set of `route` that is not empty."""
        return (
            (not route.backends or self.name in route.backends)
            and (not route.regions or self.region in route.regions)
            and (not route.jurisdictions or self.jurisdiction in route.jurisdictions)
            and (not route.operators or self.operator in route.operators)
        )


def allowed(
    backends: Sequence[Backend], routes: Sequence[tuple[str, Route]], model: str
) -> tuple[tuple[str, ...], str | None]:
    """The names of the backends that serve `model` and that every route allows, in their order.

    With none left, the second value is the id of the rule after which none was; ``None`` when no
    backend serves the model at all.
    """
    left = [each for each in backends if each.serves(model)]
    if not left:
        return (), None
    for rule, route in routes:
        left = [each for each in left if each.within(route)]
        if not left:
            return (), rule
    return tuple(each.name for each in left), None
