"""Microseconds of :func:`stillwatch.access.decide` with thirty rules."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from benchmarks.gateway.plan import SEED
from benchmarks.rules import request, rules
from stillwatch.access import OPEN, Backend, RequestFacts, RuleSet, Snapshot, View, decide
from stillwatch.access.database import Version
from stillwatch.access.limits import Limit
from stillwatch.access.rules import Rule

__all__ = ["Took", "decisions"]

_KINDS = 50  # of requests, where all are remembered
_WARMING = 20


class Took(NamedTuple):
    """Microseconds a call, of `what`."""

    what: str
    median: float
    p99: float


def decisions(count: int) -> list[Took]:
    """Of requests that no rule matches, so that each decision goes its whole way."""
    thirty = rules()
    elsewhere = [msgspec.structs.replace(each, models=frozenset({"other"})) for each in thirty]
    asked = _unmatched(thirty, count)
    few = (asked[:_KINDS] * count)[:count]
    return [
        _took("none concerns the request", _view(RuleSet(elsewhere)), asked),
        _took("all concern it, remembered", _view(RuleSet(thirty)), few, known=few[:_KINDS]),
        _took("all evaluated anew", _view(RuleSet(thirty, remembered=0)), asked),
        _took("as different requests come", _view(RuleSet(thirty)), asked[_WARMING:]),
    ]


def _took(
    what: str, view: View, asked: Sequence[RequestFacts], known: Sequence[RequestFacts] = ()
) -> Took:
    """`known` are seen before. Else the engine is warmed with a few, which are not counted."""
    for each in known or asked[:_WARMING]:
        decide(each, view)
    took = []
    for each in asked if known else asked[_WARMING:]:
        begun = time.perf_counter_ns()
        decide(each, view)
        took.append((time.perf_counter_ns() - begun) / 1000)
    took.sort()
    return Took(what, statistics.median(took), took[len(took) * 99 // 100])


def _unmatched(thirty: Sequence[Rule], count: int) -> list[RequestFacts]:
    view = _view(RuleSet(thirty))
    chance = random.Random(SEED)
    found: list[RequestFacts] = []
    while len(found) < count:
        facts = request(chance)
        if decide(facts, view).allowed:
            found.append(facts)
    return found


def _view(rule_set: RuleSet) -> View:
    limits = (
        Limit(name="requests", scope="key", unit="requests", amount=10**9, period=60),
        Limit(name="a day", scope="account", unit="tokens", amount=10**12, calendar="day"),
        Limit(name="a month", scope="org", unit="tokens", amount=10**12, calendar="month"),
    )
    return View(
        snapshot=Snapshot(Version(0, 0, 0), {}, {}, {}),
        backends=(Backend(name="one", url="http://127.0.0.1:9"),),
        levels={"default": OPEN},
        tiers=dict.fromkeys(("default", "free", "pro"), limits),
        rules=rule_set,
    )
