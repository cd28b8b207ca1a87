"""The rules of a settings file, in their order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stillwatch.access.backends import Backend
from stillwatch.access.checking import nearest
from stillwatch.access.conditions import Condition, compile_condition
from stillwatch.access.expressions import Binary, ConditionError, Listing, Literal, Name, walk
from stillwatch.access.limits.charges import Limit
from stillwatch.access.reading.effects import EFFECTS, Known, read_effect
from stillwatch.access.reading.levels import Level
from stillwatch.access.reading.values import items, one_of, said_once, texts, wrong
from stillwatch.access.rules import Rule, covers
from stillwatch.errors import SettingsError
from stillwatch.settings import Section

__all__ = ["read_rules"]


def read_rules(
    settings: Section,
    *,
    levels: Mapping[str, Level] | None = None,
    tiers: Mapping[str, tuple[Limit, ...]] | None = None,
    backends: Sequence[Backend] | None = None,
) -> list[Rule]:
    """The list under `rules`. What is ``None`` of the rest is not known, and not checked against.

    Raises:
        SettingsError: also for two rules of one id, and for a rule that no request can reach.
    """
    seen: dict[str, int] = {}
    known = Known(tiers=tiers, backends=backends)
    rules: list[Rule] = []
    for section in items(settings, "rules"):
        rule = _rule(section, seen, known, levels)
        for earlier in rules:
            if covers(earlier, rule):
                raise SettingsError(
                    f"the rule '{rule.id}' is never reached: '{earlier.id}' on line {earlier.line}"
                    " refuses every request that it would match",
                    path=section.path,
                    line=section.line,
                )
        rules.append(rule)
    return rules


def _rule(
    section: Section, seen: dict[str, int], known: Known, levels: Mapping[str, Level] | None
) -> Rule:
    name = said_once(section, section.take("id", str), seen, "the rule")
    condition = _condition(section)
    unknown: Any = None
    if "unknown" in section:
        unknown = one_of(section, "unknown", ("match", "skip"))
    reason = section.take("reason", str)
    shadow = section.take("shadow", bool, False)
    selection = section.section("for")
    chosen = {key: texts(selection, key) for key in ("routes", "models", "levels")}
    selection.finish()
    effect = read_effect(section, known)
    for key in ("unknown", *EFFECTS):
        section.take(key, object, None) if key not in section else None
    section.finish()
    if levels is not None:
        for key, where, level in (
            *(("levels", selection, level) for level in sorted(chosen["levels"])),
            *(("when", section, level) for level in _levels_named(condition)),
        ):
            if level not in levels:
                raise wrong(where, key, f"there is no level '{level}'{nearest(level, levels)}")
    try:
        return Rule(
            id=name, effect=effect, condition=condition, reason=reason, shadow=shadow,
            unknown=unknown, line=section.line, **chosen,
        )  # fmt: skip
    except ConditionError as error:
        raise wrong(section, "when", f"rule '{name}': {error}") from error


def _condition(section: Section) -> Condition:
    try:
        always = section.take("when", bool)
    except SettingsError:
        source = section.take("when", str)
    else:
        source = "true" if always else "false"
    try:
        return compile_condition(source)
    except ConditionError as error:
        raise wrong(section, "when", f"rule '{section.take('id', str)}': {error}") from error


def _levels_named(condition: Condition) -> Iterator[str]:
    for node in walk(condition.tree):
        match node:
            case Binary("==" | "!=", Name("level"), Literal(_, str(level))):
                yield level
            case Binary("==" | "!=", Literal(_, str(level)), Name("level")):
                yield level
            case Binary("in", Name("level"), Listing(values)):
                yield from (str(value.value) for value in values)
