"""Everything that a decision reads besides the request: what the operator has set, just now."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from stillwatch.access.actions import Action
from stillwatch.access.backends import Backend
from stillwatch.access.facts import Caller
from stillwatch.access.limits.charges import Limit
from stillwatch.access.rules import RuleSet
from stillwatch.access.snapshot import Snapshot
from stillwatch.access.surface import CLOSED, Surface

__all__ = ["View"]


class View(msgspec.Struct, frozen=True, kw_only=True):
    """One immutable state. A changed key or rule makes a new view; requests keep theirs.

    `levels` and `tiers` have the names that keys and rules use; `marks` gives the mark of a level.
    """

    snapshot: Snapshot
    backends: tuple[Backend, ...]
    levels: Mapping[str, Surface] = msgspec.field(default_factory=lambda: {"default": CLOSED})
    tiers: Mapping[str, tuple[Limit, ...]] = msgspec.field(default_factory=lambda: {"default": ()})
    rules: RuleSet = msgspec.field(default_factory=RuleSet)
    marks: Mapping[str, str] = msgspec.field(default_factory=dict)

    def caller_of(self, secret: str) -> Caller | None:
        """Whom a secret speaks for."""
        return self.snapshot.caller_of(secret)

    def actions_on(self, caller: Caller, at: float) -> tuple[Action, ...]:
        """The actions in force on a caller."""
        return self.snapshot.actions_on(caller, at)
