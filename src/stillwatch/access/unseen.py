"""Whether a rule matches where some facts cannot be seen: yes, no, or it depends on them.

Every test of a fact that is not seen is counted once for the condition and once against it. What
the condition comes to with the fact lies between both, since conditions are monotone in their
tests but for negations, which are followed. Where both agree, the fact does not matter; where they
differ, it may. (Kleene's strong logic of three values; it does not see that ``n > 1 || n <= 1``
always holds, and says that it depends.)
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cel
import msgspec

from stillwatch.access.conditions import UNSEEN, assuming, context_of
from stillwatch.access.effects import Tier
from stillwatch.access.expressions import Node
from stillwatch.access.facts import FACTS, RequestFacts
from stillwatch.access.rules import Rule

__all__ = ["outcome"]


def outcome(rule: Rule, facts: RequestFacts, unseen: frozenset[str]) -> bool | None:
    """Whether `rule` matches `facts`, of which `unseen` are not known; ``None``: it depends.

    A condition that fails counts as one that holds, as in :class:`~stillwatch.access.RuleSet`.
    """
    level = "" if facts.caller is None else facts.caller.level
    any_model = "model" in unseen
    about = msgspec.structs.replace(rule, models=frozenset()) if any_model else rule
    if not about.is_for(facts.route, facts.asked.model, level):
        return False
    condition = rule.condition
    values = {name: FACTS[name].read(facts) for name in condition.reads}
    missing = frozenset(p for p in condition.unsaid if rule.unknown and values[p] == UNSEEN[p])
    context = context_of(values)
    least, most = (
        _holds(program, context, fails=not isinstance(rule.effect, Tier))
        for program in _bounds(condition.tree, missing, rule.unknown == "match", unseen)
    )
    if any_model and rule.models and "*" not in rule.models:
        least = False  # it may be about another model
    return most if least == most else None


@lru_cache(4096)
def _bounds(
    tree: Node, missing: frozenset[str], favour: bool, unseen: frozenset[str]
) -> tuple[Any, Any]:
    """The condition with every test of an unseen fact against it, and for it."""
    placed = assuming(tree, missing, favour)
    least, most = assuming(placed, unseen, False), assuming(placed, unseen, True)
    return cel.compile(str(least)), cel.compile(str(most))


def _holds(program: Any, context: cel.Context, *, fails: bool) -> bool:
    try:
        return program.execute(context) is True
    except Exception:
        return fails
