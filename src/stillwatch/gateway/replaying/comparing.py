"""Verdicts → counts: of one set of rules, or of what differs between two."""

from __future__ import annotations

from typing import Final

from stillwatch.access.rules import Rule
from stillwatch.gateway.replaying.judging import Judge, Verdict, noticed
from stillwatch.gateway.replaying.requests import Request
from stillwatch.gateway.replaying.rows import Row
from stillwatch.gateway.replaying.tallies import Tallies

__all__ = ["CHANGES", "OUTCOMES", "SETTINGS", "Alone", "Compared"]

OUTCOMES: Final = ("served", "changed", "refused", "limited", "unjudged")
CHANGES: Final = ("same", "changed", "newly_refused", "newly_allowed", "unjudged")
#: What stands for a change that no rule makes: of levels, tiers or backends.
SETTINGS: Final = "settings"
_REFUSED: Final = frozenset({"refused", "limited"})


class Alone:
    """Counts what one set of rules does."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self.tallies = Tallies(OUTCOMES)
        for name in judge.rules:
            self.tallies.rule(name)

    def add(self, row: Row, request: Request) -> None:
        tallies = self.tallies
        verdict = self._judge.judge(row, request)
        account = tallies.request(row.account, row.kind, row.org, verdict.outcome, row.at)
        for name in verdict.matched:
            tally = tallies.rule(name)
            tally.add("matched", row.at)
            account.met |= 1 << tally.index
        for name in verdict.acted:
            tallies.rule(name).counts["acted"] += 1
        for name in verdict.open:
            tally = tallies.rule(name)
            tally.counts["unjudged"] += 1
            tally.needs |= self._judge.lacking(name, request.missing)
            account.perhaps |= 1 << tally.index
        if verdict.outcome in _REFUSED and verdict.by not in self._judge.rules:
            tally = tallies.rule(verdict.by)
            tally.add("matched", row.at)
            tally.counts["acted"] += 1
            account.met |= 1 << tally.index
        if verdict.outcome == "changed":
            tallies.effects.update(verdict.effects)


class Compared:
    """Counts what another set of rules would do differently."""

    def __init__(self, judge: Judge, before: Judge) -> None:
        self._judge, self._before = judge, before
        self.tallies = Tallies(CHANGES)
        self._differ = {
            name
            for name in judge.rules.keys() | before.rules.keys()
            if not _alike(judge.rules.get(name), before.rules.get(name))
        }

    def add(self, row: Row, request: Request) -> None:
        tallies = self.tallies
        new, old = self._judge.judge(row, request), self._before.judge(row, request)
        change = _change(new, old, self._differ)
        account = tallies.request(row.account, row.kind, row.org, change, row.at)
        if change == "same":
            return
        for name in self._causes(change, new, old):
            tally = tallies.rule(name)
            tally.add(change, row.at)
            account.met |= 1 << tally.index
            if change == "unjudged":
                for judge in (self._judge, self._before):
                    if name in judge.rules:
                        tally.needs |= judge.lacking(name, request.missing)
        if change == "changed":
            tallies.effects.update(set(new.effects) ^ set(old.effects))

    def _causes(self, change: str, new: Verdict, old: Verdict) -> set[str]:
        """To whom a change is put down."""
        if change == "newly_refused":
            return {new.by}
        if change == "newly_allowed":
            return {old.by}
        if change == "unjudged":
            return {each.by for each in (new, old) if each.outcome == "unjudged"}
        differing = self._differ.intersection((*new.acted, *old.acted))
        return differing or {SETTINGS}


def _change(new: Verdict, old: Verdict, differ: set[str]) -> str:
    if "unjudged" in (new.outcome, old.outcome):
        told = new.by not in differ and _result(new) == _result(old)
        return "same" if told else "unjudged"
    refused, was = new.outcome in _REFUSED, old.outcome in _REFUSED
    if refused != was:
        return "newly_refused" if refused else "newly_allowed"
    return "same" if _result(new) == _result(old) else "changed"


def _result(verdict: Verdict) -> tuple[object, ...]:
    if verdict.outcome == "limited":
        return ("limited", verdict.by)
    seen = noticed(verdict.decision, verdict.effects)
    return ("unjudged", verdict.by, *seen) if verdict.outcome == "unjudged" else seen


def _alike(one: Rule | None, other: Rule | None) -> bool:
    """Whether two rules do the same, wherever they stand in their files."""
    if one is None or other is None:
        return one is other
    return (
        all(
            getattr(one, name) == getattr(other, name)
            for name in Rule.__struct_fields__
            if name not in ("condition", "line")
        )
        and one.condition.source == other.condition.source
    )
