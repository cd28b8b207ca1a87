"""The decision about one request: pure, synchronous, on one immutable view.

Nothing here waits or fails: what a rule needs and cannot see, a level or a tier that nobody
defined, and an empty set of backends are refusals that name what is missing (design, law 6). The
order is that of what a caller may learn: who asks, whether the account is suspended, whether the
model is theirs, what rules say, what the surface shows, where it may run.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from stillwatch.access.actions import Action
from stillwatch.access.backends import allowed
from stillwatch.access.charging import charges
from stillwatch.access.decision import Decision, Refusal
from stillwatch.access.effects import Challenge, Deny, Narrow, Route, Slow, Tier
from stillwatch.access.facts import Caller, RequestFacts
from stillwatch.access.granting import bounded, exceeding, reduced, within
from stillwatch.access.leaks import leak
from stillwatch.access.refusing import (
    beyond,
    by_rule,
    expired,
    leaking,
    misconfigured,
    no_such_model,
    notice,
    nowhere,
    suspended,
    unauthorised,
    unverified,
)
from stillwatch.access.rules import Match
from stillwatch.access.surface import OPEN, Surface
from stillwatch.access.view import View

__all__ = ["Weighed", "admitted", "closed_at", "decide", "refused", "weigh"]

#: Routes whose prompt may hold a whole conversation with an answer begun: as good as a prefill.
_RAW_PROMPTS = frozenset({"completions"})


class Weighed(msgspec.Struct):
    """What the matching rules and the actions in force come to."""

    refusal: Refusal | None = None
    bound: Surface = OPEN
    tier: str | None = None
    delay: float = 0.0
    strong: bool = False
    routes: tuple[tuple[str, Route], ...] = ()
    matched: tuple[str, ...] = ()
    shadow: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()


def decide(facts: RequestFacts, view: View, matches: Sequence[Match] | None = None) -> Decision:
    """What to do with this request; `matches` are given where the rules were asked already."""
    actions = admitted(facts, view)
    if isinstance(actions, Refusal):
        return refused(actions)
    caller = facts.caller
    assert caller is not None  # admitted
    level = view.levels[caller.level]
    if level.models and not level.allows_model(facts.asked.model):
        return refused(no_such_model(facts.asked.model, caller.level))
    weighed = weigh(view.rules.matching(facts) if matches is None else matches, actions)
    if weighed.refusal is not None:
        return refused(weighed.refusal, weighed)
    return _granted(facts, view, caller, level, weighed)


def admitted(facts: RequestFacts, view: View) -> tuple[Action, ...] | Refusal:
    """The actions on whoever asks; or why nothing is served to them, whatever they ask for."""
    caller = facts.caller
    if caller is None:
        return unauthorised("unknown_key", "this API key is not known; check it")
    if refusal := expired(caller, facts.at):
        return refusal
    actions = view.actions_on(caller, facts.at)
    if suspension := next((a for a in actions if a.kind == "suspend"), None):
        return suspended(suspension)
    if overdue := next((a for a in actions if a.refuses(facts.at)), None):
        return unverified(overdue)
    if caller.level not in view.levels:
        return misconfigured("level", caller.level)
    return actions


def _granted(
    facts: RequestFacts, view: View, caller: Caller, level: Surface, weighed: Weighed
) -> Decision:
    asked, bound = facts.asked, weighed.bound
    granted, changed = (asked, ()) if bound is OPEN else reduced(asked, bound)
    if bound.models and not bound.allows_model(asked.model):
        return refused(no_such_model(asked.model, "narrowed"), weighed)
    if closed := closed_at(facts.route, level):
        return refused(beyond(closed, caller.level), weighed)
    if not within(granted, level):
        return refused(beyond(exceeding(granted, level), caller.level), weighed)
    if asked.embeddings and not granted.embeddings:  # there is nothing less to ask for
        return refused(beyond(("embeddings",), "narrowed"), weighed)
    granted, lowered = bounded(granted, level)
    if problem := leak(granted):
        return refused(leaking(problem), weighed)
    backends, blocking = allowed(view.backends, weighed.routes, asked.model)
    if not backends:
        return refused(nowhere(blocking, asked.model), weighed)
    tier = weighed.tier or caller.tier
    limits = view.tiers.get(tier)
    if limits is None:
        return refused(misconfigured("tier", tier), weighed)
    return Decision(
        granted=granted,
        changed=changed + tuple(name for name in lowered if name not in changed),
        surface=level if bound is OPEN else level & bound,
        backends=backends,
        charges=charges(limits, caller, granted),
        tier=tier,
        delay=weighed.delay,
        mark=view.marks.get(caller.level) if granted.n else None,
        mark_strength="strong" if weighed.strong else "normal",
        matched=weighed.matched,
        shadow=weighed.shadow,
        notices=weighed.notices,
    )


def closed_at(route: str, level: Surface) -> tuple[str, ...]:
    """What every request on this route asks beyond the level, whatever its body says."""
    if route in _RAW_PROMPTS and not level.prefill:
        return (route,)
    return ("embeddings",) if route == "embeddings" and not level.embeddings else ()


def weigh(matches: Sequence[Match], actions: Sequence[Action]) -> Weighed:
    """What rules and actions come to together, up to the first rule that refuses."""
    weighed = Weighed()
    for action in actions:
        match action.kind:
            case "slow":
                weighed.delay = max(weighed.delay, action.seconds or 0.0)
            case "narrow":
                weighed.bound = weighed.bound & action.bound()
            case "mark":
                weighed.strong = True
            case "verify":
                weighed.notices += (notice(action),)
            case "suspend":
                pass  # refused before anything else was weighed
    for found in matches:
        rule = found.rule
        if found.shadow:
            weighed.shadow += (rule.id,)
            continue
        weighed.matched += (rule.id,)
        effect = rule.effect
        match effect:
            case Deny() | Challenge():
                weighed.refusal = by_rule(rule.id, rule.reason, effect)
                return weighed
            case Narrow():
                weighed.bound = weighed.bound & effect.surface
            case Route():
                weighed.routes += ((rule.id, effect),)
            case Tier():
                weighed.tier = effect.name
            case Slow():
                weighed.delay = max(weighed.delay, effect.seconds)
    return weighed


def refused(refusal: Refusal, weighed: Weighed | None = None) -> Decision:
    """A decision that refuses, with the rules that had matched by then."""
    if weighed is None:
        return Decision(refusal=refusal)
    return Decision(refusal=refusal, matched=weighed.matched, shadow=weighed.shadow)
