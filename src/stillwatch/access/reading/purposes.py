"""Levels that are for registered purposes: the rules that refuse them to everybody else."""

from __future__ import annotations

import json
from collections.abc import Mapping

from stillwatch.access.conditions import compile_condition
from stillwatch.access.effects import Deny
from stillwatch.access.reading.levels import Level
from stillwatch.access.rules import Rule

__all__ = ["purpose_rules"]


def purpose_rules(levels: Mapping[str, Level]) -> list[Rule]:
    """One rule, called ``level NAME``, for each level with purposes."""
    return [_rule(level) for level in levels.values() if level.purposes]


def _rule(level: Level) -> Rule:
    purposes = sorted(level.purposes)
    registered = " || ".join(f"{json.dumps(p, ensure_ascii=False)} in purposes" for p in purposes)
    return Rule(
        id=f"level {level.name}",
        effect=Deny(),
        condition=compile_condition(f"!({registered})"),
        reason=f"this level is for registered purposes: {', '.join(purposes)}",
        levels=frozenset({level.name}),
    )
