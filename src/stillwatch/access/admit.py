"""The decision about a request whose body nobody shows us: who asks, and from where.

A proxy that holds a request may ask without its body. Then keys, suspensions, places, times and
limits on requests can be decided, and nothing that a body says. What cannot be decided is refused
(design, law 6), unless the operator has waived it by its name: then it does not hold behind that
proxy, and everything else still does.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec

from stillwatch.access.charging import charges
from stillwatch.access.decide import admitted, closed_at, refused, weigh
from stillwatch.access.decision import Decision, Refusal
from stillwatch.access.effects import Narrow
from stillwatch.access.facts import FACTS, RequestFacts
from stillwatch.access.limits.charges import Limit
from stillwatch.access.partial import PartialRules
from stillwatch.access.refusing import beyond, misconfigured, nowhere, undecidable
from stillwatch.access.rules import Match, RuleSet
from stillwatch.access.view import View

__all__ = ["UNSEEN_FACTS", "Waivers", "admit", "slots_unheld"]

#: What is known without a body; every other fact, one that is new tomorrow too, is not.
_SEEN = frozenset(
    {"route", "account", "key", "org", "cluster", "tier", "level", "kyc_level", "kyc_country",
     "purposes", "terms", "key_age_days", "ip_country", "country_agrees", "asn", "asn_class",
     "ja4", "sdk", "hour"}
)  # fmt: skip
UNSEEN_FACTS = frozenset(FACTS) - _SEEN


class Waivers(msgspec.Struct, frozen=True, kw_only=True):
    """Names of levels, rules and limits that need not hold where they cannot be decided."""

    levels: frozenset[str] = frozenset()
    rules: frozenset[str] = frozenset()
    limits: frozenset[str] = frozenset()


def admit(facts: RequestFacts, view: View, waived: Waivers) -> Decision:
    """What to do with a request of which only `caller`, `origin`, `route` and `at` are known.

    A decision that allows has no `granted`: nothing is known of what is asked. Rules that match
    whatever the body says have their effect, but for `clamp` and `strip`, which have nothing to
    change here. Charges are those of limits on requests.
    """
    actions = admitted(facts, view)
    if isinstance(actions, Refusal):
        return refused(actions)
    caller = facts.caller
    assert caller is not None  # admitted
    if caller.level not in waived.levels:
        return refused(undecidable(f"level {caller.level}"))
    matches, open_rule = _matching(facts, view, waived)
    weighed = weigh(matches, actions)
    if weighed.refusal is not None:
        return refused(weighed.refusal, weighed)
    if open_rule is not None:
        return refused(undecidable(open_rule), weighed)
    if narrowing := next((each for each in actions if each.kind == "narrow"), None):
        return refused(undecidable(f"action {narrowing.id}"), weighed)
    if closed := closed_at(facts.route, view.levels[caller.level]):
        return refused(beyond(closed, caller.level), weighed)
    left = list(view.backends)
    for rule, route in weighed.routes:
        left = [each for each in left if each.within(route)]
        if not left:
            return refused(nowhere(rule, ""), weighed)
    tier = weighed.tier or caller.tier
    limits = view.tiers.get(tier)
    if limits is None:
        return refused(misconfigured("tier", tier), weighed)
    held = tuple(limit for limit in limits if limit.unit == "requests" and limit.scope != "model")
    if blocking := next((x for x in limits if x not in held and x.name not in waived.limits), None):
        return refused(undecidable(f"limit {blocking.name}"), weighed)
    return Decision(
        surface=view.levels[caller.level],
        backends=tuple(each.name for each in left),
        charges=charges(held, caller, facts.asked),
        delay=weighed.delay,
        mark=view.marks.get(caller.level),
        mark_strength="strong" if weighed.strong else "normal",
        matched=weighed.matched,
        shadow=weighed.shadow,
        notices=weighed.notices,
    )


def slots_unheld(decision: Decision, waived: Waivers) -> tuple[Limit, ...]:
    """The limits on concurrency of a decision that are not waived: whoever only decides, and does
    not see the answer end, cannot hold a slot."""
    return tuple(
        charge.limit
        for charge in decision.charges
        if charge.limit.unit == "concurrent" and charge.limit.name not in waived.limits
    )


def _matching(facts: RequestFacts, view: View, waived: Waivers) -> tuple[list[Match], str | None]:
    """The rules that match whatever the body says, up to the first of which that cannot be told
    and that is not waived; and the id of that one."""
    answer = _partial(view.rules).ask(facts, UNSEEN_FACTS)
    sure = {match.rule.id for match in answer.sure}
    matches: list[Match] = []
    for match in answer.possible:
        rule = match.rule
        decided = rule.id in sure and not isinstance(rule.effect, Narrow)
        if decided or (rule.shadow and rule.id in sure):
            matches.append(match)
        elif not rule.shadow and rule.id not in waived.rules:
            return matches, rule.id
    return matches, None


@lru_cache(8)
def _partial(rules: RuleSet) -> PartialRules:
    return PartialRules(rules)
