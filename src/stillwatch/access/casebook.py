"""Cases: requests that an operator writes down, with what the rules should make of them.

Cases stand beside the rules and are run before a change to them is put in force.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from stillwatch.access.checking import nearest
from stillwatch.access.effects import Challenge, Deny
from stillwatch.access.facts import RequestFacts
from stillwatch.access.reading.requests import read_request
from stillwatch.access.reading.values import items, one_of, said_once, wrong
from stillwatch.access.rules import Match, RuleSet
from stillwatch.errors import SettingsError
from stillwatch.settings import Section, read_settings

__all__ = ["Case", "Outcome", "decide_by_rules", "read_cases", "run", "unmatched"]

#: The one place where the whole decision can take the place of the rules alone.
Decide = Callable[[RequestFacts, Sequence[Match]], str]


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A request and what is expected; what is ``None`` is not looked at."""

    name: str
    facts: RequestFacts
    matched: tuple[str, ...] | None = None
    shadow: tuple[str, ...] | None = None
    decision: str | None = None


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a case; `differences` is empty when it is all as expected."""

    case: Case
    matched: tuple[str, ...]
    shadow: tuple[str, ...]
    failed: tuple[str, ...]
    decision: str
    differences: tuple[str, ...]


def decide_by_rules(_facts: RequestFacts, matches: Sequence[Match]) -> str:
    """``deny`` when a rule refuses, else ``allow``: levels, actions and limits are not asked."""
    refusing = (m for m in matches if not m.shadow and isinstance(m.rule.effect, Deny | Challenge))
    return "deny" if any(refusing) else "allow"


def run(cases: Sequence[Case], rules: RuleSet, decide: Decide = decide_by_rules) -> list[Outcome]:
    """What becomes of each case; `decide` says ``allow`` or ``deny``."""
    return [_run(case, rules.matching(case.facts), decide) for case in cases]


def _run(case: Case, matches: Sequence[Match], decide: Decide) -> Outcome:
    matched = tuple(m.rule.id for m in matches if not m.shadow)
    shadow = tuple(m.rule.id for m in matches if m.shadow)
    decision = decide(case.facts, matches)
    differences = [
        f"{what}: expected {_listed(expected)}, got {_listed(got)}"
        for what, expected, got in (
            ("matched", case.matched, matched),
            ("shadow", case.shadow, shadow),
            ("decision", case.decision, decision),
        )
        if expected is not None and expected != got
    ]
    return Outcome(
        case=case,
        matched=matched,
        shadow=shadow,
        failed=tuple(m.rule.id for m in matches if m.failed),
        decision=decision,
        differences=tuple(differences),
    )


def _listed(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else ", ".join(value) or "none"


def unmatched(outcomes: Sequence[Outcome], rules: RuleSet) -> tuple[str, ...]:
    """The ids of rules that no case makes match: nothing is known about them."""
    seen = {id_ for each in outcomes for id_ in (*each.matched, *each.shadow)}
    return tuple(rule.id for rule in rules.rules if rule.id not in seen)


def read_cases(path: Path, rules: RuleSet) -> tuple[Case, ...]:
    """Read the list under `cases`.

    Raises:
        SettingsError: with the line; also for a rule that is expected and does not exist.
    """
    settings = read_settings(path)
    seen: dict[str, int] = {}
    ids = [rule.id for rule in rules.rules]
    cases = tuple(_case(section, seen, ids) for section in items(settings, "cases"))
    settings.finish()
    if not cases:
        raise SettingsError("there are no cases; write them as a list under `cases:`", path=path)
    return cases


def _case(section: Section, seen: dict[str, int], ids: Sequence[str]) -> Case:
    name = said_once(section, section.take("name", str), seen, "the case")
    facts = read_request(section.section("request"))
    expect = section.section("expect")
    decision = one_of(expect, "decision", ("allow", "deny")) if "decision" in expect else None
    case = Case(
        name=name,
        facts=facts,
        matched=_ids(expect, "matched", ids),
        shadow=_ids(expect, "shadow", ids),
        decision=decision,
    )
    expect.take("decision", object, None)
    expect.finish()
    section.finish()
    if not list(expect):
        raise wrong(section, "expect", f"the case {name!r} expects nothing")
    return case


def _ids(expect: Section, key: str, ids: Sequence[str]) -> tuple[str, ...] | None:
    if key not in expect:
        expect.take(key, list, [])
        return None
    found = expect.take(key, list)
    for each in found:
        if each not in ids:
            raise wrong(expect, key, f"there is no rule {each!r}{nearest(str(each), ids)}")
    return tuple(found)
