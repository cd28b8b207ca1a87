"""Cases: requests that an operator writes down, with what should become of them.

Cases stand beside the rules and are run before a change to them is put in force. Each is decided
as the gateway would: rules, level, tier, actions on the caller, the leak rules, backends.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import msgspec

from stillwatch.access.actions import Action, ActionKind, check_action
from stillwatch.access.decide import decide
from stillwatch.access.expectations import Expected, differences, read_expected, shown
from stillwatch.access.facts import RequestFacts
from stillwatch.access.reading.requests import read_request
from stillwatch.access.reading.values import items, one_of, said_once, wrong
from stillwatch.access.rules import RuleSet
from stillwatch.access.trying import Whenever, view_of_rules
from stillwatch.access.view import View
from stillwatch.errors import InputError, SettingsError
from stillwatch.settings import Section, read_settings

__all__ = ["Case", "Outcome", "read_cases", "run", "unmatched"]

_LASTS = 60  # seconds that an action of a case is in force, from its request on


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A request, the actions in force on its caller, and what is expected."""

    name: str
    facts: RequestFacts
    expected: Expected
    actions: tuple[Action, ...] = ()


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a case; `differences` is empty when it is all as expected."""

    case: Case
    matched: tuple[str, ...]
    shadow: tuple[str, ...]
    failed: tuple[str, ...]
    decision: str
    refused: str
    differences: tuple[str, ...]


def run(cases: Sequence[Case], rules: RuleSet, view: View | None = None) -> list[Outcome]:
    """What becomes of each case under a view; without one, under nothing but the rules."""
    view = view or view_of_rules(rules)
    return [_run(case, view) for case in cases]


def _run(case: Case, view: View) -> Outcome:
    matches = view.rules.matching(case.facts)
    view = msgspec.structs.replace(view, snapshot=Whenever(case.actions))
    got = shown(matches, decide(case.facts, view, matches))
    return Outcome(
        case=case,
        matched=got.matched,
        shadow=got.shadow,
        failed=tuple(m.rule.id for m in matches if m.failed),
        decision=got.decision,
        refused=got.refused,
        differences=differences(case.expected, got),
    )


def unmatched(outcomes: Sequence[Outcome], rules: RuleSet) -> tuple[str, ...]:
    """The ids of rules that no case makes match: nothing is known about them."""
    seen = {id_ for each in outcomes for id_ in (*each.matched, *each.shadow)}
    return tuple(rule.id for rule in rules.rules if rule.id not in seen)


def read_cases(path: Path, rules: RuleSet, view: View | None = None) -> tuple[Case, ...]:
    """Read the list under `cases`.

    Raises:
        SettingsError: with the line; also for a rule that is expected and does not exist.
    """
    settings = read_settings(path)
    seen: dict[str, int] = {}
    view = view or view_of_rules(rules)
    cases = tuple(_case(section, seen, view) for section in items(settings, "cases"))
    settings.finish()
    if not cases:
        raise SettingsError("there are no cases; write them as a list under `cases:`", path=path)
    return cases


def _case(section: Section, seen: dict[str, int], view: View) -> Case:
    name = said_once(section, section.take("name", str), seen, "the case")
    facts = read_request(section.section("request"))
    expect = section.section("expect")
    case = Case(
        name=name,
        facts=facts,
        expected=read_expected(expect, view),
        actions=tuple(_action(each, facts) for each in items(section, "actions")),
    )
    section.finish()
    if not list(expect):
        raise wrong(section, "expect", f"the case {name!r} expects nothing")
    return case


def _action(section: Section, facts: RequestFacts) -> Action:
    """An action on the account of the case, that a person stands behind."""
    kind: Any = one_of(section, "kind", get_args(ActionKind))
    surface = section.section("surface")
    at = int(facts.at)
    action = Action(
        id="case",
        subject_kind="account",
        subject=facts.caller.account if facts.caller else "nobody",
        kind=kind,
        reason="case",
        message="a case",
        by="case",
        person=True,
        created_at=at,
        expires_at=at + _LASTS,
        seconds=section.take("seconds", float) if "seconds" in section else None,
        surface={key: surface.take(key, object) for key in surface} or None,
    )
    section.take("seconds", object, None)
    section.finish()
    try:
        check_action(action, at)
    except InputError as error:
        raise wrong(section, "kind", str(error)) from error
    return action
