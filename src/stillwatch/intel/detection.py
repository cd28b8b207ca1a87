"""Accounts that meet indicators which others told us: one more detection, never a verdict alone.

Identifiers (a card, a device) link the accounts that meet indicators of one effort; a wording
links nobody, for honest users of a tool share it too. What others told is evidence of the family
*outside*: a campaign needs a second one from this log (law 1), so that a sender who names innocents
accuses nobody. What meets a crowd weighs nothing. Source: docs/detections/indicators.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stillwatch.detections import (
    ACCOUNT_DAYS,
    LINKS,
    Abstained,
    Accounts,
    Evidence,
    Family,
    Findings,
    Group,
    Metadata,
    Tables,
    percent,
    read_accounts,
    share_of,
    weigh,
)
from stillwatch.engines import Stage
from stillwatch.intel.crowds import is_crowd
from stillwatch.statistics import excess

__all__ = ["Indicators"]

#: the most that one sender's word may add to a score, and that of several, nats
ONE_SENDER, SEVERAL = 4.0, 6.0
#: customers of a group that must meet something: one is a finding about an account
LEAST = 2
#: bounds that are tried, the smallest first: of each some indicators are left
_BOUNDS = 16
#: nats of a wording that was told, by account, beside those of an identifier
WEAK = 0.3


@dataclass(frozen=True)
class _Told:
    """The hits that count, and the indicators that do not.

    Attributes:
        hits: a table of :data:`HITS`.
        crowds: for each indicator that meets a crowd the accounts that it meets, and the most that
            its senders claim, -1 where they say nothing.
    """

    hits: pa.Table
    crowds: dict[int, tuple[int, int]]


@dataclass(frozen=True)
class _Seen:
    """What was found in the log: all accounts, the hits that count, and the crowds."""

    accounts: Accounts
    told: _Told


@dataclass(frozen=True)
class _Said:
    """What some indicators say of a group.

    Attributes:
        told, hits: all hits of these indicators, and those of the group.
        inside, of, outside, others: customers of the group that meet them, all of it; the same of
            everybody else.
        nats, ceiling: how much that is, and the most that it may weigh.
        rate: the largest share of innocents that their senders measured; None where nobody did.
    """

    told: pa.Table
    hits: pa.Table
    inside: int
    of: int
    outside: int
    others: int
    nats: float
    rate: float | None
    senders: int
    ceiling: float


class Indicators:
    """Links by identifiers of one effort; judges by how many customers meet what was told."""

    metadata = Metadata(
        name="indicators",
        family=Family.OUTSIDE,
        title="Known to others",
        sees="identifiers and wordings that other providers told us belong to a campaign",
        null="accounts of the group meet indicators as often as other customers of the log do",
        base_rate="reported by the sender, beside the share measured on other customers here",
        look_alikes=(
            "users of a tool whose wording a sender took for a campaign's",
            "innocents that a mistaken or lying sender names",
            "whoever bought a used device or account",
        ),
        atlas=("AML.T0024.002", "AML.T0008.005", "AML.T0021"),
        needs=("indicators",),
        outside=True,
    )

    def __init__(self) -> None:
        self._seen: _Seen | None = None

    def stages(self, sampling: int) -> Sequence[Stage]:
        return [ACCOUNT_DAYS]

    def find(self, tables: Tables) -> Findings:
        self._seen = None
        if tables.hits is None:
            raise Abstained("no indicators of others were given")
        accounts = read_accounts(tables)
        known = pa.array(accounts.account)
        hits = tables.hits.filter(pc.is_in(tables.hits["account"], value_set=known))
        told = _weighed(hits, accounts)
        self._seen = _Seen(accounts, told)
        if not told.hits.num_rows:
            return Findings()
        population = max(len(accounts), 2)
        links = _links(told.hits.filter(pc.invert(told.hits["wording"])), population)
        return Findings(
            _scores(told.hits, population),
            links,
            labels=dict.fromkeys(pc.unique(links["object"]).to_pylist(), "indicators of others"),
        )

    def judge(self, group: Group) -> Sequence[Evidence]:
        if self._seen is None:
            return []
        hits, accounts = self._seen.told.hits, self._seen.accounts
        wording = hits["wording"].to_numpy(zero_copy_only=False)
        found = [
            *self._of_identifiers(group, hits.filter(pa.array(~wording)), accounts),
            *self._of_wordings(group, hits.filter(pa.array(wording)), accounts),
        ]
        return [*found, *self._of_crowds(group)]

    def _of_identifiers(
        self, group: Group, hits: pa.Table, accounts: Accounts
    ) -> Sequence[Evidence]:
        said = _strongest(group, hits, accounts)
        if said is None:
            return []
        return [
            self._evidence(
                said, min(said.ceiling, said.nats),
                f"{said.inside} of {said.of} customers meet {_number(said.hits)} that "
                f"{_told_by(said.senders)} told us of",
            )
        ]  # fmt: skip

    def _of_wordings(self, group: Group, hits: pa.Table, accounts: Accounts) -> Sequence[Evidence]:
        said = _strongest(group, hits, accounts)
        if said is None:
            return []
        # law 1: what others told of the wording that joins the group here is the same wording
        styled = group.rows.ints("request")[group.styled]
        rest = said.nats
        if len(styled):
            own = pc.is_in(said.told["request"], value_set=pa.array(styled))
            rest = excess(*_customers(group, said.told.filter(pc.invert(own)), accounts))
        nats, explained = weigh(said.nats, rest, said.ceiling)
        return [
            self._evidence(
                said, nats,
                f"{said.inside} of {said.of} customers use a wording that "
                f"{_told_by(said.senders)} told us of as a campaign's",
                explained=explained,
            )
        ]  # fmt: skip

    def _evidence(
        self, said: _Said, weight: float, text: str, *, explained: bool = False
    ) -> Evidence:
        return Evidence(
            self.metadata.family,
            self.metadata.name,
            value=said.inside / said.of,
            base_rate=said.rate if said.rate is not None else said.outside / max(1, said.others),
            weight=float(weight),
            explained=explained,
            text=f"{text}; {share_of(said.outside, said.others, 'other customers')} here do. "
            f"{_rate(said.rate)}",
        )

    def _of_crowds(self, group: Group) -> Sequence[Evidence]:
        """Indicators of others that a crowd meets here, said where they would have counted."""
        assert self._seen is not None
        crowds = self._seen.told.crowds
        if not crowds:
            return []
        largest, claimed = max(crowds.values())
        said = "their senders say nothing of it" if claimed < 0 else f"told of {claimed} at most"
        return [
            Evidence(
                self.metadata.family,
                self.metadata.name,
                value=float(largest),
                base_rate=None,
                speaks_for=False,
                text=f"{len(crowds)} indicators of others meet a crowd here (up to {largest:,} "
                f"accounts; {said}) and count for nothing.",
            )
        ]


def _weighed(hits: pa.Table, accounts: Accounts) -> _Told:
    """Leave out what meets a crowd, see :func:`is_crowd`."""
    met = hits.group_by(["indicator", "account"]).aggregate([])
    spread = met.group_by("indicator").aggregate([("account", "count")])
    said = hits.group_by("indicator").aggregate([("claimed", "max")])
    of = len(accounts)
    crowds = {
        each["indicator"]: (each["account_count"], -1 if claim is None else claim)
        for each in said.join(spread, "indicator").to_pylist()
        if is_crowd(each["account_count"], of, claim := each["claimed_max"])
    }
    kept = pc.invert(pc.is_in(hits["indicator"], value_set=pa.array(list(crowds), pa.int64())))
    return _Told(hits.filter(kept), crowds)


def _links(hits: pa.Table, population: int) -> pa.Table:
    """Accounts that meet indicators of one effort, where several do."""
    if not hits.num_rows:
        return LINKS.empty_table()
    uses = hits.group_by(["account", "effort"]).aggregate([("request", "count_distinct")])
    spread = uses.group_by("effort").aggregate([("account", "count")])
    uses = uses.join(spread, "effort").filter(pc.field("account_count") > 1)
    uses = uses.sort_by([("account", "ascending"), ("effort", "ascending")])
    weight = np.log(population / uses["account_count"].to_numpy())
    return pa.Table.from_arrays(
        [
            uses["account"],
            uses["effort"],
            uses["request_count_distinct"].cast(pa.int64()),
            pa.array(np.maximum(weight, 0.0)),
        ],
        schema=LINKS,
    )


def _scores(hits: pa.Table, population: int) -> dict[int, float]:
    """Nats by account: the rarest indicator that it meets."""
    met = hits.group_by(["account", "indicator", "wording"]).aggregate([])
    spread = met.group_by("indicator").aggregate([("account", "count")])
    met = met.join(spread, "indicator").sort_by([("account", "ascending")])
    weak = np.where(met["wording"].to_numpy(zero_copy_only=False), WEAK, 1.0)
    nats = weak * np.maximum(0.0, np.log(population / met["account_count"].to_numpy()))
    account, first = np.unique(met["account"].to_numpy(), return_index=True)
    best = np.maximum.reduceat(nats, first)
    return dict(zip(account.tolist(), best.tolist(), strict=True))


def _customers(group: Group, hits: pa.Table, accounts: Accounts) -> tuple[int, int, int, int]:
    """Customers of the group that meet something, all of it; the same of everybody else."""
    within = accounts.within(group.accounts)
    meets = accounts.within(np.unique(hits["account"].to_numpy()))
    ours = np.unique(accounts.owner[within])
    others = ~np.isin(accounts.owner, ours)
    return (
        accounts.count(within & meets),
        len(ours),
        accounts.count(others & meets),
        accounts.count(others),
    )


def _strongest(group: Group, hits: pa.Table, accounts: Accounts) -> _Said | None:
    """The most that senders' words are worth: each indicator is worth at most what its own rate of
    false matches leaves, and one whose rate is large takes nothing from those beside it."""
    ours = pa.array(group.accounts)
    unmeasured = pc.is_null(hits["rate"])
    met = hits.filter(pc.is_in(hits["account"], value_set=ours))
    bounds = sorted(set(pc.unique(met["rate"].drop_null()).to_pylist()))[:_BOUNDS]
    found: list[_Said] = []
    for rate in (None, *bounds):
        within = unmeasured
        if rate is not None:
            small = pc.fill_null(pc.less_equal(hits["rate"], rate), fill_value=False)
            within = pc.or_(unmeasured, small)
        told = hits.filter(within)
        inside, of, outside, others = _customers(group, told, accounts)
        nats = excess(inside, of, outside, others)
        if nats <= 0 or inside < LEAST:
            continue
        if rate is not None:  # what the sender's own false matches make likely is no news
            nats = min(nats, inside * max(0.0, math.log((inside / of) / max(rate, 1e-9))))
        hit = told.filter(pc.is_in(told["account"], value_set=ours))
        senders = int(pc.max(hit["senders"]).as_py() or 0)
        ceiling = SEVERAL if senders > 1 else ONE_SENDER
        found.append(
            _Said(told, hit, inside, of, outside, others, float(nats), rate, senders, ceiling)
        )
    return max(found, key=lambda said: min(said.nats, said.ceiling), default=None)


def _number(hits: pa.Table) -> str:
    number = len(pc.unique(hits["indicator"]))
    return "an identifier" if number == 1 else f"{number:,} identifiers"


def _told_by(senders: int) -> str:
    return "one sender" if senders < 2 else f"up to {senders} independent senders"


def _rate(rate: float | None) -> str:
    if rate is None:
        return "No sender measured how often innocents do."
    return f"The sender measured {percent(rate)} of innocent accounts."
