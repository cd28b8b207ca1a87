"""Deciding requests that nobody sends: cases that are written down, and a log that is past.

A file of rules need not define levels, tiers and backends, since the gateway may have them
elsewhere. What it does not define bounds nothing here; everything else is as in the gateway.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

from stillwatch.access.actions import Action
from stillwatch.access.backends import Backend
from stillwatch.access.database import Version
from stillwatch.access.facts import Caller
from stillwatch.access.limits.charges import Limit
from stillwatch.access.reading import AccessSettings
from stillwatch.access.rules import RuleSet
from stillwatch.access.snapshot import Snapshot
from stillwatch.access.surface import OPEN, Surface
from stillwatch.access.view import View

__all__ = ["ANYWHERE", "Whenever", "trial_view", "view_of_rules"]

#: Stands for the backends of a file that names none.
ANYWHERE = Backend(name="anywhere", url="http://anywhere.invalid")

V = TypeVar("V")


class Whenever(Snapshot):
    """No keys, and actions that are looked up as they were at any time, past ones included."""

    __slots__ = ()

    def __init__(self, actions: Iterator[Action] | tuple[Action, ...] = ()) -> None:
        on: dict[tuple[str, str], tuple[Action, ...]] = {}
        for action in actions:
            subject = (action.subject_kind, action.subject)
            on[subject] = (*on.get(subject, ()), action)
        super().__init__(Version(0, 0, 0), {}, {}, on)

    def actions_on(self, caller: Caller, at: float) -> tuple[Action, ...]:
        """What was in force at a time on the key, account, cluster or org of a caller."""
        return tuple(each for each in super().actions_on(caller, at) if each.in_force(at))


def trial_view(access: AccessSettings, snapshot: Snapshot | None = None) -> View:
    """The view that a gateway with these settings has; what they do not define bounds nothing."""
    said = access.said
    levels: Mapping[str, Surface] = access.surfaces if "levels" in said else _Every(OPEN)
    tiers: Mapping[str, tuple[Limit, ...]] = _Every(())
    if "tiers" in said:
        tiers = {"default": (), **access.tiers}
    return View(
        snapshot=Whenever() if snapshot is None else snapshot,
        backends=access.backends if "backends" in said else (ANYWHERE,),
        levels=levels,
        tiers=tiers,
        rules=access.rules,
    )


def view_of_rules(rules: RuleSet) -> View:
    """The same for nothing but rules."""
    return View(
        snapshot=Whenever(),
        backends=(ANYWHERE,),
        levels=_Every(OPEN),
        tiers=_Every(()),
        rules=rules,
    )


class _Every(Mapping[str, V], Generic[V]):
    """One value under every name."""

    def __init__(self, value: V) -> None:
        self._value = value

    def __getitem__(self, name: str) -> V:
        return self._value

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0
