"""What a rule does when its condition holds."""

from __future__ import annotations

import msgspec

from stillwatch.access.surface import Surface

__all__ = ["Challenge", "Deny", "Effect", "Narrow", "Route", "Slow", "Tier"]


class Deny(msgspec.Struct, frozen=True, kw_only=True):
    """Refuse, with an HTTP status (default 403; 451 for legal reasons)."""

    status: int = 403


class Narrow(msgspec.Struct, frozen=True, kw_only=True):
    """``clamp`` and ``strip``: what exceeds `surface` is reduced to it and the request goes on."""

    surface: Surface


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """Only backends that are in each set that is not empty (and by name, region… as they say)."""

    backends: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    jurisdictions: frozenset[str] = frozenset()
    operators: frozenset[str] = frozenset()


class Tier(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of this tier in place of those of the key's own; the last such rule wins."""

    name: str


class Slow(msgspec.Struct, frozen=True, kw_only=True):
    """Wait so many seconds before the request goes upstream; the longest of several counts."""

    seconds: float


class Challenge(msgspec.Struct, frozen=True, kw_only=True):
    """Refuse until the customer has done something, such as verifying an identity (403)."""

    kind: str
    url: str | None = None


Effect = Deny | Narrow | Route | Tier | Slow | Challenge
