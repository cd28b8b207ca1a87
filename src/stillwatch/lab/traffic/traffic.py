"""Labelled traffic: the plan of a scenario, and its rows in the order of time.

The plan (who sends when) is made at once and is small; texts are written while the rows are read,
so that memory holds one batch and the open conversations. One seed makes everything.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from stillwatch.exchange import RawExchange
from stillwatch.lab.corpus import Corpus, load
from stillwatch.lab.traffic.accounts import GROUP, PLAN, Registrar, seeded, spoken
from stillwatch.lab.traffic.activity import Activity
from stillwatch.lab.traffic.arrivals import DAY, Span
from stillwatch.lab.traffic.attacks import Effort
from stillwatch.lab.traffic.campaigns import attack_counts, campaign_activities, family_of
from stillwatch.lab.traffic.clerk import Clerk
from stillwatch.lab.traffic.population import innocent_activities
from stillwatch.lab.traffic.presets import preset
from stillwatch.lab.traffic.request import Desk, Request
from stillwatch.lab.traffic.scenario import PERIOD_DAYS, Campaign, Scenario
from stillwatch.lab.traffic.shelves import Shelves, Want
from stillwatch.lab.traffic.summary import Summary
from stillwatch.lab.traffic.talks import Talks
from stillwatch.lab.traffic.wording import pick

__all__ = ["LABELS", "Planted", "Traffic", "simulate"]

#: the schema of ``labels.parquet``
LABELS = pa.schema(
    [
        pa.field("request_id", pa.string(), nullable=False),
        pa.field("account", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("campaign", pa.string()),
        pa.field("attack", pa.bool_(), nullable=False),
    ]
)


class Planted(NamedTuple):
    """What was hidden: a campaign, its accounts, its attack exchanges and those that cover them."""

    campaign: Campaign
    accounts: tuple[str, ...]
    exchanges: int
    cover: int


class Traffic:
    """The traffic of `scenario` under `seed`. Use :func:`simulate` to make one.

    Attributes:
        rows: number of rows.
        summary: counts by kind; complete once :meth:`batches` was read to the end.
    """

    def __init__(self, scenario: Scenario, seed: int, corpus: Corpus) -> None:
        self.scenario, self.seed = scenario, seed
        begins = int(scenario.begins.timestamp() * 1e6)
        span = Span(begins, begins + int(scenario.days * DAY))
        self._release = (
            None if scenario.release_day is None else begins + int(scenario.release_day * DAY)
        )
        origin = begins - scenario.period * PERIOD_DAYS * DAY
        registrar = Registrar(seed, scenario.accounts, origin, span)
        self._activities = list(innocent_activities(scenario, seed, registrar, span))
        innocent = sum(a.events.times.size for a in self._activities)
        for number, count in enumerate(attack_counts(scenario.campaigns, innocent)):
            self._activities += campaign_activities(scenario, number, count, seed, registrar, span)
        self._shelves = Shelves(corpus, seed, scenario.period)
        times = np.concatenate([a.events.times for a in self._activities])
        owners = np.repeat(
            np.arange(len(self._activities), dtype=np.int32),
            [a.events.times.size for a in self._activities],
        )
        order = np.argsort(times, kind="stable")
        self._times, self._owners = times[order], owners[order]
        self.rows = int(times.size)
        self.summary = Summary()

    def planted(self) -> tuple[Planted, ...]:
        """The hidden campaigns, in the order of the scenario."""
        found = []
        for number, campaign in enumerate(self.scenario.campaigns):
            mine = [a for a in self._activities if a.campaign == number]
            found.append(
                Planted(
                    campaign,
                    tuple(dict.fromkeys(a.account.name for a in mine)),
                    sum(a.events.times.size for a in mine if a.attack),
                    sum(a.events.times.size for a in mine if not a.attack),
                )
            )
        return tuple(found)

    def batches(self, size: int = 4_096) -> Iterator[list[RawExchange]]:
        """All rows in the order of time. Every call begins anew and gives the same rows."""
        self.summary = summary = Summary()
        streams = self._streams()
        batch: list[RawExchange] = []
        last: dict[int, Request] = {}
        position = [0] * len(streams)
        for number, (at, owner) in enumerate(
            zip(self._times.tolist(), self._owners.tolist(), strict=True)
        ):
            stream = streams[owner]
            retries = stream.retries
            place = position[owner]
            position[owner] = place + 1
            if retries[place]:
                request = last[owner]
            else:
                request = next(stream.writer)
                last[owner] = request
            failed = place + 1 < len(retries) and retries[place + 1]
            batch.append(
                stream.clerk.row(
                    self._request_id(number), at, request, owner, failed, stream.pivots
                )
            )
            summary.add(stream.label, stream.account, request, stream.repeats)
            if len(batch) == size:
                yield batch
                batch = []
        if batch:
            yield batch

    def labels(self) -> pa.Table:
        """One row an exchange, in the same order, with :data:`LABELS`."""
        kinds = pa.array([a.kind.name for a in self._activities])
        accounts = pa.array([a.account.name for a in self._activities])
        names = [c.name for c in self.scenario.campaigns]
        campaigns = pa.array(
            [None if a.campaign < 0 else names[a.campaign] for a in self._activities], pa.string()
        )
        attacks = pa.array([a.attack for a in self._activities])
        owners = pa.array(self._owners)
        return pa.Table.from_arrays(
            [
                pa.array([self._request_id(i) for i in range(self.rows)]),
                accounts.take(owners),
                kinds.take(owners),
                campaigns.take(owners),
                attacks.take(owners),
            ],
            schema=LABELS,
        )

    def _request_id(self, number: int) -> str:
        """Unique within four periods of one seed; says nothing about the sender."""
        mixed = (self.seed * 4 + self.scenario.period << 40) + number + 1
        return f"req-{mixed * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF:016x}"

    def _streams(self) -> list[_Stream]:
        rngs = [
            seeded(self.seed, PLAN, self.scenario.period, "text", *a.path) for a in self._activities
        ]
        voices = [spoken(rng) for rng in rngs]
        tenants = [spoken(seeded(self.seed, GROUP, "tenant", *a.path)) for a in self._activities]
        wants = []
        for activity, own, voice in zip(self._activities, tenants, voices, strict=True):
            fresh = int((~activity.events.retries).sum())
            pools = activity.kind.pools
            if activity.kind.either:
                pools = pools | pick(own, activity.kind.either)
            counts = {
                pool: int(np.ceil(supply.each * fresh)) + supply.base
                for pool, supply in pools.items()
            }
            optional = tuple(pool for pool in counts if pools[pool].optional)
            share = activity.campaign if self.scenario.apart else 0
            wants.append(Want(counts, optional, activity.campaign >= 0, voice, share))
        stocks = self._shelves.divide(wants)
        efforts = self._efforts()
        clerks: dict[str, Clerk] = {}
        streams = []
        for activity, rng, voice, own, stock in zip(
            self._activities, rngs, voices, tenants, stocks, strict=True
        ):
            name = activity.account.name
            if name not in clerks:
                clerks[name] = Clerk(
                    activity.account, spoken(rng), self._release, self.scenario.infrastructure
                )
            effort = efforts[activity.campaign] if activity.attack else None
            kind = activity.kind.name
            desk = Desk(
                rng=voice,
                tenant=own,
                common=self._common(activity),
                group=activity.group,
                threads=activity.events.threads[~activity.events.retries].tolist(),
                lengths=activity.events.lengths(),
                stocks=stock,
                public=self._shelves.public,
                effort=effort,
            )
            pivots = effort is not None and effort.campaign.arrival == "pivot"
            streams.append(
                _Stream(
                    activity.kind.writer(desk),
                    clerks[name],
                    activity.events.retries.tolist(),
                    kind,
                    name,
                    activity.kind.repeats,
                    pivots,
                )
            )
        return streams

    def _common(self, activity: Activity) -> Random:
        """What the members of a group share; for an attack, the members of the campaign."""
        if activity.attack:
            name = self.scenario.campaigns[activity.campaign].name
            return spoken(seeded(self.seed, GROUP, "campaign", name))
        return spoken(seeded(self.seed, GROUP, "common", activity.kind.name, activity.group))

    def _efforts(self) -> list[Effort]:
        efforts = []
        for number, campaign in enumerate(self.scenario.campaigns):
            rng = seeded(self.seed, GROUP, "effort", campaign.name, self.scenario.period)
            effort = Effort(campaign, float(rng.random()))
            if family_of(campaign).scattered:
                whole: dict[int, int] = {}
                for a in self._activities:
                    if a.campaign == number and a.attack:
                        for thread, count in a.events.lengths().items():
                            whole[thread] = whole.get(thread, 0) + count
                effort.talks = Talks(whole)
            efforts.append(effort)
        return efforts


class _Stream(NamedTuple):
    """An activity that is being written."""

    writer: Iterator[Request]
    clerk: Clerk
    retries: list[bool]
    label: str
    account: str
    repeats: str | None
    pivots: bool


def simulate(what: str | Scenario, seed: int = 0, *, corpus: Corpus | None = None) -> Traffic:
    """Plan the traffic of a preset or a scenario. Texts come from `corpus`, else from what ships.

    Raises:
        SettingsError: the preset is unknown, or the scenario contradicts itself.
        InputError: a pool holds too few texts for the scenario; raised when rows are read.
    """
    scenario = preset(what) if isinstance(what, str) else what
    return Traffic(scenario, seed, corpus or load())
