"""Rules, and which of them match a request.

Rules are pre-selected by route, model and level; what remains is evaluated by the CEL engine on
one context, and remembered: two requests that differ in nothing that a condition can see share
one evaluation (:mod:`stillwatch.access.sameness`).
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from itertools import chain, combinations
from typing import Any, Literal

import cel
import msgspec

from stillwatch.access.conditions import UNSEEN, Condition, assuming, context_of
from stillwatch.access.effects import Challenge, Deny, Effect, Tier
from stillwatch.access.expressions import ConditionError
from stillwatch.access.facts import FACTS, Asked, RequestFacts
from stillwatch.access.recent import Recent
from stillwatch.access.sameness import Sameness

__all__ = ["Match", "Rule", "RuleSet", "covers"]


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule. Empty `routes`, `models` (patterns) and `levels` mean every one.

    `unknown` says how tests of places that are not known count, where the condition does not name
    unknown itself: for the rule (``match``) or against it (``skip``). `line` is where it stands.
    """

    id: str
    effect: Effect
    condition: Condition
    reason: str = ""
    shadow: bool = False
    unknown: Literal["match", "skip"] | None = None
    routes: frozenset[str] = frozenset()
    models: frozenset[str] = frozenset()
    levels: frozenset[str] = frozenset()
    line: int = 0

    def __post_init__(self) -> None:
        """Refuse what would not fail closed.

        Raises:
            ConditionError: in words for the author of the rule.
        """
        condition = self.condition
        if self.unknown is not None and not condition.unsaid:
            raise ConditionError(
                "`unknown:` has nothing to say: the condition reads no place, or names unknown"
                " for each that it reads"
            )
        tier = isinstance(self.effect, Tier)
        open_places = condition.unsaid if tier else condition.unsaid - condition.excluded
        if self.unknown is None and open_places:
            place = min(open_places)
            raise ConditionError(
                f"the rule must say what happens when {place} is not known: compare it with"
                f" {UNSEEN[place]!r} in the condition, or add `unknown: match` (an unknown"
                f" {place} counts as one that the rule is about) or `unknown: skip` (as one that"
                " it is not about)"
            )
        if tier and condition.fallible:
            raise ConditionError(
                "the condition of a `tier` rule must not be able to fail, since neither tier is"
                " the safe one: leave out arithmetic and indices"
            )

    def is_for(self, route: str, model: str, level: str) -> bool:
        """Whether the rule is about such requests at all."""
        return (
            (not self.routes or route in self.routes)
            and (not self.levels or level in self.levels)
            and (not self.models or any(fnmatchcase(model, p) for p in self.models))
        )


class Match(msgspec.Struct, frozen=True):
    """A rule that matched; `failed`: because its condition could not be evaluated."""

    rule: Rule
    failed: bool = False

    @property
    def shadow(self) -> bool:
        """Whether the rule only shows what it would do."""
        return self.rule.shadow


class RuleSet:
    """Ordered rules. It may be shared by threads; nothing but its memory ever changes.

    `remembered` bounds how many evaluations are kept; 0 evaluates every time.
    """

    def __init__(self, rules: Sequence[Rule] = (), *, remembered: int = 8192) -> None:
        self.rules = tuple(rules)
        self._remembered = remembered
        self._selections: Recent[tuple[str, str, str], _Selection] = Recent(1024)
        self._distinct: Recent[tuple[_Evaluated, ...], _Selection] = Recent(256)
        self._evaluations: Recent[tuple[object, ...], tuple[Match, ...]] = Recent(remembered)
        self._conditions = [_Evaluated(rule) for rule in self.rules]

    def matching(self, facts: RequestFacts) -> Sequence[Match]:
        """The rules that match, in their order, those in shadow mode included.

        A condition that fails counts as one that holds, save for `tier` rules (whose conditions
        are refused if they can fail).
        """
        caller = facts.caller
        place = (facts.route, facts.asked.model, caller.level if caller else _NO_LEVEL)
        selection = self._selections.get(place)
        if selection is None:
            selection = self._select(place)
        values = [read(facts) for read in selection.readers]
        if not self._remembered:
            return selection.evaluate(values)
        key = (selection, *selection.sameness.key(values))
        found = self._evaluations.get(key)
        if found is None:
            found = selection.evaluate(values)
            self._evaluations.put(key, found)
        return found

    def _select(self, place: tuple[str, str, str]) -> _Selection:
        chosen = tuple(each for each in self._conditions if each.rule.is_for(*place))
        selection = self._distinct.get(chosen)
        if selection is None:  # few, however many models are named
            selection = _Selection(chosen)
            self._distinct.put(chosen, selection)
        self._selections.put(place, selection)
        return selection


_NO_LEVEL = str(FACTS["level"].read(RequestFacts(caller=None, asked=Asked(model=""))))


class _Evaluated:
    """A rule with its programs: one for each set of places that may be unknown at a time."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.held, self.failed = Match(rule), Match(rule, failed=True)
        self.program = rule.condition.program
        self.places = tuple(sorted(rule.condition.unsaid)) if rule.unknown else ()
        self.assumed: dict[frozenset[str], Any] = {}
        sizes = range(1, len(self.places) + 1)
        for unseen in chain.from_iterable(combinations(self.places, k) for k in sizes):
            tree = assuming(rule.condition.tree, frozenset(unseen), rule.unknown == "match")
            self.assumed[frozenset(unseen)] = cel.compile(str(tree))

    def outcome(self, context: cel.Context, unseen: frozenset[str]) -> Match | None:
        program = self.program
        if unseen and self.places and (missing := unseen.intersection(self.places)):
            program = self.assumed[missing]
        try:
            result = program.execute(context)
        except Exception:
            result = None
        if result is True:
            return self.held
        return None if result is False or isinstance(self.rule.effect, Tier) else self.failed


class _Selection:
    """The rules that are about one route, model and level, and what they read together."""

    def __init__(self, chosen: Sequence[_Evaluated]) -> None:
        self._chosen = chosen
        self.sameness = Sameness([each.rule.condition for each in chosen])
        self._names = self.sameness.names
        self.readers = [FACTS[name].read for name in self._names]

    def evaluate(self, values: Sequence[object]) -> tuple[Match, ...]:
        facts = dict(zip(self._names, values, strict=True))
        unseen = frozenset(n for n in UNSEEN if n in facts and facts[n] == UNSEEN[n])
        context = context_of(facts)
        outcomes = [each.outcome(context, unseen) for each in self._chosen]
        return tuple(match for match in outcomes if match is not None)


def covers(earlier: Rule, later: Rule) -> bool:
    """Whether `earlier` ends every request that `later` would match, so that it never acts."""
    return (
        not earlier.shadow
        and not later.shadow
        and isinstance(earlier.effect, Deny | Challenge)
        and (not earlier.routes or (bool(later.routes) and later.routes <= earlier.routes))
        and (not earlier.models or (bool(later.models) and later.models <= earlier.models))
        and (not earlier.levels or (bool(later.levels) and later.levels <= earlier.levels))
        and earlier.condition.conjuncts <= later.condition.conjuncts
        and (
            earlier.unknown == later.unknown
            or earlier.unknown == "match"
            or later.unknown == "skip"
        )
    )
