"""The innocent accounts of a scenario and what each of them does when."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from stillwatch.errors import SettingsError
from stillwatch.lab.traffic.accounts import PLAN, Registrar, seeded
from stillwatch.lab.traffic.activity import Activity, converse, repeat
from stillwatch.lab.traffic.arrivals import DAY, Span
from stillwatch.lab.traffic.kinds import KINDS, Kind
from stillwatch.lab.traffic.scenario import Scenario

__all__ = ["head_counts", "innocent_activities"]

#: accounts from which on every kind has at least its `least`
_FULL_SIZE = 2_500
#: when the new tool appears, and the mean delay until an account takes it up, as shares of the span
_TOOL_APPEARS, _TOOL_DELAY = 0.4, 0.12


def head_counts(scenario: Scenario) -> dict[str, int]:
    """Kind → accounts; they add up to `scenario.accounts`."""
    unknown = scenario.kinds.keys() - KINDS.keys()
    if unknown:
        raise SettingsError(f"there is no kind '{min(unknown)}'; there are {', '.join(KINDS)}")
    weights = {name: scenario.kinds.get(name, kind.share) for name, kind in KINDS.items()}
    total = sum(weights.values())
    if total <= 0 or min(weights.values()) < 0:
        raise SettingsError("weights of kinds must not be negative, and not all of them 0")
    size = min(1.0, scenario.accounts / _FULL_SIZE)
    counts = {
        name: max(round(scenario.accounts * weight / total), math.ceil(KINDS[name].least * size))
        for name, weight in weights.items()
        if weight > 0
    }
    largest = max(counts, key=lambda name: counts[name])
    counts[largest] += scenario.accounts - sum(counts.values())
    if counts[largest] < 1:
        raise SettingsError(f"{scenario.accounts} accounts are too few for {len(counts)} kinds")
    return counts


def innocent_activities(
    scenario: Scenario, seed: int, registrar: Registrar, span: Span
) -> Iterator[Activity]:
    """All activities of the innocent accounts, kind by kind, account by account."""
    for name, count in head_counts(scenario).items():
        for index in range(count):
            yield from _account(scenario, seed, registrar, span, KINDS[name], index, count)


def _account(
    scenario: Scenario,
    seed: int,
    registrar: Registrar,
    span: Span,
    kind: Kind,
    index: int,
    count: int,
) -> Iterator[Activity]:
    account = registrar.innocent(kind, index, count)
    rng = seeded(seed, PLAN, scenario.period, kind.name, index)
    rate = min(0.06, float(np.exp(rng.normal(math.log(0.008), 1.0))))
    start = max(span.start, account.registered_at)
    end = min(span.end, account.blocked_at or span.end)
    volume = kind.volume._replace(
        median=kind.volume.median * scenario.volume, cap=kind.volume.cap * scenario.volume
    )
    days = max(0.0, (end - start) / DAY)
    total = volume.draw(rng, days)
    if end - start < DAY / 24:
        return
    shares = {name: share for name, share in kind.beside if name in KINDS}
    beside = {name: int(rng.binomial(total, share)) for name, share in shares.items()}
    own = max(1, total - sum(beside.values()))
    active = Span(start, end)
    if kind.adopted:
        length = span.end - span.start
        since = span.start + length * (_TOOL_APPEARS + float(rng.exponential(_TOOL_DELAY)))
        active = Span(max(start, int(since)), end)
        own = round(own * (active.end - active.start) / (end - start))
    rhythm = kind.rhythms[int(rng.random() * len(kind.rhythms))]
    parts = [(kind, own, active), *((KINDS[n], c, Span(start, end)) for n, c in beside.items())]
    for part, requests, when in parts:
        if requests < 1 or when.end - when.start < DAY / 24:
            continue
        events = converse(rng, requests, when, rhythm, account.zone, part.turns)
        events = repeat(rng, events, rate)
        if events.times.size:
            path = (kind.name, index, part.name)
            group = account.group if part is kind else index
            yield Activity(account, part, events, path, group)
