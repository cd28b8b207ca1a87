"""What one set of rules makes of one request of a log: served, changed, refused, or not to tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from stillwatch.access import OPEN, Asked, Decision, Refusal, Snapshot, decide
from stillwatch.access.charging import ASSUMED_OUTPUT
from stillwatch.access.effects import Challenge, Deny, Narrow, Route, Slow, Tier
from stillwatch.access.granting import reduced
from stillwatch.access.limits import Limit
from stillwatch.access.partial import Answer, PartialRules
from stillwatch.access.reading import AccessSettings
from stillwatch.access.rules import Match, Rule
from stillwatch.access.trying import trial_view
from stillwatch.gateway.replaying.metering import Meter
from stillwatch.gateway.replaying.people import NOT_KNOWN
from stillwatch.gateway.replaying.requests import Request
from stillwatch.gateway.replaying.rows import Row

__all__ = ["Judge", "Outcome", "Verdict", "does", "noticed"]

#: Refusals of what a request asks for, which a rule may take away before.
_BY_WHAT_IS_ASKED = frozenset({"beyond_level", "leaks_logits"})
#: `limited` is refused by a limit; `unjudged` may be refused, or be changed, by a rule that reads
#: what the log does not say.
Outcome = Literal["served", "changed", "refused", "limited", "unjudged"]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """`by` names the rule, level, action or limit that refuses, or that nobody can tell of.
    `effects` are what changes: fields, ``slow``, ``tier``, ``route``. `acted` are the rules that
    had an effect, `open` those of which nobody can tell; `shadow` ones are among `matched`.
    """

    outcome: Outcome
    by: str = ""
    effects: tuple[str, ...] = ()
    matched: tuple[str, ...] = ()
    acted: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    decision: Decision


class Judge:
    """One set of settings, asked of the requests of a log in the order of their times.

    Args:
        access: levels, tiers and backends that it does not define bound nothing.
        snapshot: the actions that were in force.
        times: the log tells how long requests took.
    """

    def __init__(
        self, access: AccessSettings, snapshot: Snapshot | None = None, *, times: bool = True
    ) -> None:
        view = trial_view(access, snapshot)
        if NOT_KNOWN not in view.levels:
            view = msgspec.structs.replace(view, levels={**view.levels, NOT_KNOWN: OPEN})
        if NOT_KNOWN not in view.tiers:
            view = msgspec.structs.replace(view, tiers={**view.tiers, NOT_KNOWN: ()})
        self.access = access
        self.rules: Mapping[str, Rule] = {rule.id: rule for rule in access.rules.rules}
        self._view = view
        self._partial = PartialRules(access.rules)
        self._meter = Meter(times=times)
        self._routes = "backends" in access.said

    def lacking(self, name: str, missing: frozenset[str]) -> frozenset[str]:
        """The facts that a rule reads and that are missing."""
        return self._partial.lacking(name, missing)

    def judge(self, row: Row, request: Request) -> Verdict:
        """What becomes of a row that is no earlier than the last one."""
        answer = self._partial.ask(*request)
        decision = self._decide(request, answer.sure)
        undecided = answer.open
        names = tuple(match.rule.id for match in undecided)
        matched = tuple(match.rule.id for match in answer.sure)
        in_force = [match for match in undecided if not match.shadow]
        if (refusal := decision.refusal) is not None:
            by = self._may_save(row, request, answer, in_force, refusal)
            return Verdict(
                outcome="unjudged" if by else "refused", by=by or refusal.rule, matched=matched,
                acted=(refusal.rule,) if refusal.rule in self.rules and not by else (),
                open=names, decision=decision,
            )  # fmt: skip
        effects = self._effects(row, request, decision)
        acted = self._acting(answer.sure, row, request, decision, effects)
        if in_force and (by := self._may_change(row, request, answer, in_force, decision, effects)):
            return Verdict(
                outcome="unjudged", by=by if by in names else in_force[0].rule.id, open=names,
                effects=effects, matched=matched, acted=acted, decision=decision,
            )  # fmt: skip
        limit = self._limit(row, decision)
        if limit is not None:
            return Verdict(
                outcome="limited", by=f"limit {decision.tier}: {limit.name}",
                matched=matched, open=names, decision=decision,
            )  # fmt: skip
        return Verdict(
            outcome="changed" if effects else "served", effects=effects,
            matched=matched, acted=acted, open=names, decision=decision,
        )  # fmt: skip

    def _decide(self, request: Request, matches: Sequence[Match]) -> Decision:
        if not self._routes:
            matches = _without_routes(matches)
        return decide(request.facts, self._view, matches)

    def _limit(self, row: Row, decision: Decision) -> Limit | None:
        granted = decision.granted
        assert granted is not None
        most = None if granted.max_tokens is None else granted.max_tokens * granted.n
        return self._meter.take(row, decision.charges, most)

    def _may_save(
        self, row: Row, request: Request, answer: Answer, undecided: Sequence[Match],
        refusal: Refusal,
    ) -> str:  # fmt: skip
        """Who may keep a request from being refused: a rule that takes away what is beyond the
        level, before the level is asked. All other rules only ever add refusals."""
        if row.model is None and refusal.code == "model_not_found":
            return "model"
        narrowing = [match for match in undecided if isinstance(match.rule.effect, Narrow)]
        if not narrowing or refusal.code not in _BY_WHAT_IS_ASKED:
            return ""
        saved = self._decide(request, [*answer.sure, *narrowing]).refusal
        return narrowing[0].rule.id if saved is None or saved.code != refusal.code else ""

    def _may_change(
        self, row: Row, request: Request, answer: Answer,
        undecided: Sequence[Match], sure: Decision,
        effects: tuple[str, ...],
    ) -> str:  # fmt: skip
        """Who may change what is sure; nothing where no answer could."""
        for match in undecided:
            effect = match.rule.effect
            if isinstance(effect, Tier) and effect.name != sure.tier:
                return match.rule.id
        perhaps = self._decide(request, answer.possible)
        if perhaps.refusal is not None:
            return perhaps.refusal.rule
        other = self._effects(row, request, perhaps)
        return "" if noticed(sure, effects) == noticed(perhaps, other) else "rules"

    def _effects(self, row: Row, request: Request, decision: Decision) -> tuple[str, ...]:
        """What is not as the client asked, where the log says what it asked."""
        granted, facts = decision.granted, request.facts
        assert granted is not None
        assert facts.caller is not None
        found = [name for name in decision.changed if name != "max_tokens" and _fact(name, request)]
        if "max_tokens" in decision.changed and _cut(row, facts.asked, granted, request.missing):
            found.append("max_tokens")
        if decision.delay:
            found.append("slow")
        if decision.tier != facts.caller.tier:
            found.append("tier")
        if self._routes and len(decision.backends) < sum(
            backend.serves(facts.asked.model) for backend in self._view.backends
        ):
            found.append("route")
        return tuple(found)

    def _acting(
        self, matches: Sequence[Match], row: Row, request: Request, decision: Decision,
        effects: tuple[str, ...],
    ) -> tuple[str, ...]:  # fmt: skip
        if not effects or not matches:
            return ()
        return tuple(
            match.rule.id
            for match in matches
            if not match.shadow and _acts(match.rule, row, request, decision, effects)
        )


def noticed(decision: Decision, effects: tuple[str, ...]) -> tuple[object, ...]:
    """What a client would notice of a decision: a refusal with its words, or what it is granted."""
    granted = decision.granted
    if granted is None:
        return (decision.refusal,)
    if "max_tokens" not in effects:
        granted = msgspec.structs.replace(granted, max_tokens=None)
    return (effects, granted, decision.backends, decision.tier, decision.delay)


def _acts(
    rule: Rule, row: Row, request: Request, decision: Decision, effects: tuple[str, ...]
) -> bool:
    """Whether a rule has a part in what changes."""
    match effect := rule.effect:
        case Narrow():
            granted, changed = reduced(request.facts.asked, effect.surface)
            return any(
                _cut(row, request.facts.asked, granted, request.missing)
                if name == "max_tokens"
                else name in effects
                for name in changed
            )
        case Slow():
            return decision.delay == effect.seconds
        case Tier():
            return decision.tier == effect.name
        case Route():
            return "route" in effects
        case Deny() | Challenge():
            return False


def _fact(name: str, request: Request) -> bool:
    """Whether the log says what was asked of a field, so that a change of it is one."""
    fact = "biased_tokens" if name == "logit_bias" else name
    return fact not in request.missing


def _cut(row: Row, asked: Asked, granted: Asked, missing: frozenset[str]) -> bool:
    """Whether a cap takes something away: one that was asked for and is lower now, or an answer
    that was longer. A client that set no cap and stayed within it notices nothing."""
    cap = granted.max_tokens
    if cap is None or "max_tokens" in missing:
        return False
    if row.completion_tokens is not None:
        return row.completion_tokens > cap * granted.n
    return (asked.max_tokens or ASSUMED_OUTPUT) > cap


def _without_routes(matches: Sequence[Match]) -> Sequence[Match]:
    """A file that names no backends does not say where a route leads."""
    if any(isinstance(match.rule.effect, Route) for match in matches):
        return [match for match in matches if not isinstance(match.rule.effect, Route)]
    return matches


def does(rule: Rule) -> str:
    """The effect of a rule in one word."""
    match rule.effect:
        case Deny(status=status):
            word = "deny" if status == 403 else f"deny {status}"
        case Challenge():
            word = "challenge"
        case Narrow():
            word = "narrow"
        case Route():
            word = "route"
        case Tier(name=name):
            word = f"tier {name}"
        case Slow(seconds=seconds):
            word = f"slow {seconds:g}"
    return f"({word})" if rule.shadow else word
