"""Rules asked of a request of which not everything is known, as of a row of somebody's log.

A condition that reads what is not known is asked twice: once where every test of it counts for the
condition, and once where each counts against it. What holds even against the odds holds for sure;
what does not hold even when favoured never does; between them nobody can tell. This is Kleene's
strong logic of three values ("On notation for ordinal numbers", 1938), with its bounds in place of
the third. It never says too much; of a condition that names an unknown fact twice it may say too
little.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cel
import msgspec

from stillwatch.access.conditions import Condition, assuming
from stillwatch.access.expressions import Name, walk
from stillwatch.access.facts import RequestFacts
from stillwatch.access.recent import Recent
from stillwatch.access.rules import Match, Rule, RuleSet

__all__ = ["Answer", "PartialRules"]

#: part of a rule's `for` → the fact that it selects by
_SELECTED = {"routes": "route", "models": "model", "levels": "level"}
_DEPENDENT = {"country_agrees": frozenset({"ip_country", "kyc_country"})}


class Answer(NamedTuple):
    """`sure` matched; `possible` are these and those of which nobody can tell, in their order."""

    sure: Sequence[Match]
    possible: Sequence[Match]

    @property
    def open(self) -> tuple[Match, ...]:
        """Those of which nobody can tell."""
        if self.sure is self.possible:
            return ()
        known = {match.rule.id for match in self.sure}
        return tuple(match for match in self.possible if match.rule.id not in known)


class PartialRules:
    """The rules of a set, for requests with facts that may be missing."""

    def __init__(self, rules: RuleSet) -> None:
        self.rules = rules
        self._needs = {rule.id: _read(rule) for rule in rules.rules}
        self._all = frozenset().union(*self._needs.values())
        self._relevant: Recent[frozenset[str], frozenset[str]] = Recent(4096)
        self._bounds: Recent[frozenset[str], tuple[RuleSet, RuleSet]] = Recent(64)

    def ask(self, facts: RequestFacts, missing: frozenset[str]) -> Answer:
        """Which rules match where the values of `missing` facts (by name) mean nothing."""
        lacking = self._relevant.get(missing)
        if lacking is None:
            lacking = self._all & _with_dependent(missing)
            self._relevant.put(missing, lacking)
        if not lacking:
            found = self.rules.matching(facts)
            return Answer(found, found)
        bounds = self._bounds.get(lacking)
        if bounds is None:
            bounds = self._bounded(lacking)
            self._bounds.put(lacking, bounds)
        against, favoured = bounds
        return Answer(against.matching(facts), favoured.matching(facts))

    def lacking(self, name: str, missing: frozenset[str]) -> frozenset[str]:
        """The facts that the rule of this id reads and that are missing."""
        return self._needs[name] & _with_dependent(missing)

    def _bounded(self, missing: frozenset[str]) -> tuple[RuleSet, RuleSet]:
        against = [_assuming(rule, missing, favour=False) for rule in self.rules.rules]
        favoured = [_assuming(rule, missing, favour=True) for rule in self.rules.rules]
        return RuleSet([r for r in against if r]), RuleSet([r for r in favoured if r])


def _with_dependent(missing: frozenset[str]) -> frozenset[str]:
    return missing | {name for name, of in _DEPENDENT.items() if of & missing}


def _read(rule: Rule) -> frozenset[str]:
    return rule.condition.reads | {fact for part, fact in _SELECTED.items() if getattr(rule, part)}


def _assuming(rule: Rule, missing: frozenset[str], *, favour: bool) -> Rule | None:
    """The rule without what is missing; ``None`` where it then is about no request."""
    closed = [part for part, fact in _SELECTED.items() if fact in missing and getattr(rule, part)]
    if closed and not favour:
        return None
    changes: dict[str, object] = {part: frozenset() for part in closed}
    if missing & rule.condition.reads:
        condition = _without(rule.condition, missing, favour=favour)
        changes["condition"] = condition
        changes["unknown"] = rule.unknown if condition.unsaid else None
    return msgspec.structs.replace(rule, **changes) if changes else rule


def _without(condition: Condition, missing: frozenset[str], *, favour: bool) -> Condition:
    tree = assuming(condition.tree, missing & condition.reads, favour)
    reads = frozenset(node.name for node in walk(tree) if isinstance(node, Name))
    return msgspec.structs.replace(
        condition,
        source=str(tree),
        tree=tree,
        program=cel.compile(str(tree)),
        reads=reads,
        unsaid=condition.unsaid & reads,
        excluded=condition.excluded & reads,
        compared={name: values for name, values in condition.compared.items() if name in reads},
    )
