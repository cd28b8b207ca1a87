"""The hidden campaigns of a scenario: who of their accounts does what when, and what covers it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from stillwatch.errors import SettingsError
from stillwatch.lab.traffic.accounts import PLAN, Account, Registrar, seeded
from stillwatch.lab.traffic.activity import Activity, Events, converse, repeat, spread_turns
from stillwatch.lab.traffic.arrivals import DAY, HOUR, SECOND, Rhythm, Span, arrivals
from stillwatch.lab.traffic.attacks import FAMILIES, Family
from stillwatch.lab.traffic.kinds import KINDS
from stillwatch.lab.traffic.scenario import PERIOD_DAYS, Arrival, Campaign, Scenario

__all__ = ["attack_counts", "campaign_activities", "family_of"]

Times = NDArray[np.int64]


def family_of(campaign: Campaign) -> Family:
    """The family of a campaign.

    Raises:
        SettingsError: there is none of that name, or it is not written in this tier or language.
    """
    if campaign.family not in FAMILIES:
        raise SettingsError(
            f"there is no family '{campaign.family}'; there are {', '.join(FAMILIES)}"
        )
    family = FAMILIES[campaign.family]
    if campaign.tier not in family.tiers or campaign.language not in family.languages:
        raise SettingsError(
            f"'{family.name}' is written in {', '.join(family.tiers)} and "
            f"{', '.join(family.languages)}, not in {campaign.tier} and {campaign.language}"
        )
    unknown = set(campaign.cover_kinds) - KINDS.keys()
    if unknown or not campaign.cover_kinds:
        raise SettingsError(
            f"campaign '{campaign.name}': cover_kinds must name some of {', '.join(KINDS)}"
        )
    return family


def attack_counts(campaigns: Sequence[Campaign], innocent: int) -> list[int]:
    """Attack exchanges of each campaign, given the number of innocent ones.

    Raises:
        SettingsError: the shares leave no room for innocent traffic.
    """
    fixed = [round(c.accounts * c.per_account) if c.per_account else 0 for c in campaigns]
    others = innocent + sum(
        count / (1 - c.cover) for count, c in zip(fixed, campaigns, strict=True)
    )
    room = 1 - sum((c.share or 0) / (1 - c.cover) for c in campaigns)
    if room <= 0.05:
        raise SettingsError("the campaigns and their cover leave no room for innocent traffic")
    total = others / room
    return [
        max(c.accounts, count or round((c.share or 0) * total))
        for count, c in zip(fixed, campaigns, strict=True)
    ]


def campaign_activities(
    scenario: Scenario, number: int, count: int, seed: int, registrar: Registrar, span: Span
) -> Iterator[Activity]:
    """Attack and cover activities of campaign `number` with `count` attack exchanges."""
    campaign = scenario.campaigns[number]
    family = family_of(campaign)
    rng = seeded(seed, PLAN, scenario.period, "campaign", campaign.name)
    if campaign.days is not None:
        first, last = campaign.days
        span = Span(span.start + int(first * DAY), min(span.end, span.start + int(last * DAY)))
        if span.end <= span.start:
            raise SettingsError(f"campaign '{campaign.name}' is not active in this scenario")
    since = span.start
    if campaign.since_period is not None:
        since -= (scenario.period - campaign.since_period) * PERIOD_DAYS * DAY
    covers = [
        KINDS[campaign.cover_kinds[int(u * len(campaign.cover_kinds))]]
        for u in rng.random(campaign.accounts).tolist()
    ]
    members = [
        registrar.member(campaign, family.behaviour, covers[index], index, since)
        for index in range(campaign.accounts)
    ]
    shifts = _shifts(campaign, members, span, rng)
    weights = np.exp(rng.normal(0.0, campaign.volume_log_sd, campaign.accounts))
    release = None
    if scenario.release_day is not None:
        release = registrar.start + int(scenario.release_day * DAY)
    events = _attack_events(rng, campaign, family, count, shifts, weights, release, members)
    for index, member in enumerate(members):
        path = (campaign.name, index)
        mine = repeat(rng, events[index], campaign.retries)
        if mine.times.size:
            yield Activity(
                member, family.behaviour, mine, (*path, "attack"), 0, number, attack=True
            )
        cover = int(rng.poisson(mine.times.size * campaign.cover / (1 - campaign.cover)))
        if cover:
            kind = covers[index]
            when = Span(span.start, min(span.end, member.blocked_at or span.end))
            covering = converse(rng, cover, when, Rhythm.HUMAN, member.zone, kind.turns)
            if covering.times.size:
                yield Activity(member, kind, covering, (*path, "cover"), index, number)


def _shifts(
    campaign: Campaign, members: list[Account], span: Span, rng: np.random.Generator
) -> list[Span]:
    """When each account can attack: before the pool is blocked, or after, or all the time."""
    failover = campaign.failover
    if failover is None:
        return [span] * len(members)
    blocked = span.start + int(failover.day * DAY)
    if not span.start < blocked < span.end:
        raise SettingsError(f"campaign '{campaign.name}': the day of the block is outside of it")
    resumed = min(span.end - 1, blocked + int(failover.lag_hours * HOUR))
    first = round(len(members) * failover.share)
    for member in members[:first]:
        member.blocked_at = blocked + int(rng.random() * HOUR / 2)
    return [
        Span(span.start, blocked) if index < first else Span(resumed, span.end)
        for index in range(len(members))
    ]


def _attack_events(
    rng: np.random.Generator,
    campaign: Campaign,
    family: Family,
    count: int,
    shifts: list[Span],
    weights: NDArray[np.float64],
    release: int | None,
    members: list[Account],
) -> list[Events]:
    """The attack events of each account. Accounts of one shift share that shift's work."""
    whole = sum(shift.end - shift.start for shift in set(shifts))
    parts: dict[int, Events] = {}
    turns = family.behaviour.turns
    for shift in sorted(set(shifts)):
        pool = np.array([i for i, s in enumerate(shifts) if s == shift])
        requests = max(pool.size, round(count * (shift.end - shift.start) / whole))
        if turns is None:
            lengths = np.ones(requests, np.int64)
        else:
            lengths = turns.lengths(rng, requests)
            lengths = lengths[: int(np.searchsorted(np.cumsum(lengths), requests)) + 1]
        owners = _deal(rng, pool, weights[pool], lengths.size)
        starts = _starts(rng, campaign.arrival, owners, shift, release, members)
        if turns is None:
            events = Events(starts, np.arange(starts.size), np.zeros(starts.size, bool))
            sender = owners
        else:
            events = spread_turns(rng, starts, lengths, shift, turns)
            sender = owners[events.threads]
            if family.scattered:
                sender = rng.choice(pool, events.times.size, p=weights[pool] / weights[pool].sum())
        order = np.argsort(events.times, kind="stable")
        for index in pool.tolist():
            mine = order[sender[order] == index]
            parts[index] = Events(
                events.times[mine], events.threads[mine], np.zeros(mine.size, bool)
            )
    return [parts[index] for index in range(len(shifts))]


def _deal(
    rng: np.random.Generator, pool: NDArray[np.int64], weights: NDArray[np.float64], count: int
) -> NDArray[np.int64]:
    """Which account gets each of `count` pieces of work, as near to its weight as can be."""
    exact = weights / weights.sum() * count
    shares = np.floor(exact).astype(np.int64)
    rest = count - int(shares.sum())
    shares[np.argsort(exact - shares)[::-1][:rest]] += 1
    owners = np.repeat(pool, shares)
    rng.shuffle(owners)
    return owners


def _starts(
    rng: np.random.Generator,
    arrival: Arrival,
    owners: NDArray[np.int64],
    span: Span,
    release: int | None,
    members: list[Account],
) -> Times:
    """A start for each piece of work, in the order of `owners`."""
    length, count = span.end - span.start, owners.size
    if arrival is Arrival.PIVOT:
        if release is None or not span.start <= release < span.end:
            raise SettingsError("a campaign that pivots needs a release_day within the scenario")
        times = span.start + (rng.random(count) * length).astype(np.int64)
        pivot = rng.random(count) < 0.5
        after = min(DAY, span.end - release)
        times[pivot] = release + (rng.random(int(pivot.sum())) * after).astype(np.int64)
        return times
    if arrival is Arrival.SYNCHRONISED:
        batches = span.start + rng.random(max(3, round(length / DAY * 5))) * length * 0.97
        width = rng.exponential(6 * 60 * SECOND, count)
        late = (rng.choice(batches, count) + width).astype(np.int64)
        return np.minimum(late, span.end - 1)
    if arrival is Arrival.SPREAD:
        even = (np.arange(count) + rng.random(count)) / count
        return span.start + (even * length).astype(np.int64)
    times = np.empty(count, np.int64)
    for index in np.unique(owners).tolist():
        mine = np.flatnonzero(owners == index)
        if arrival is Arrival.HUMAN:
            times[mine] = arrivals(rng, mine.size, span, Rhythm.HUMAN, members[index].zone)
        else:
            run = min(length, int(rng.uniform(0.5, 3.0) * HOUR))
            start = span.start + int(rng.random() * (length - run))
            times[mine] = start + (rng.random(mine.size) * run).astype(np.int64)
    return times
