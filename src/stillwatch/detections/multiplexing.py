"""Many strangers behind one account: languages, programs and hours that no one customer has.

A reseller's account, or one that relays the users of another model, carries people who speak
different languages, use different harnesses and never all sleep. The family is *infrastructure*:
like an address or a payment it tells through whose hands requests went, not what they were for. A
reseller pool that shares a card and multiplexes users is one finding about infrastructure, not two
families about distillation. A template does not set who sends it: user agents, languages of the
browser and hours count everywhere, scripts and toolsets only outside the shared wording. System
prompts are left out: they hold dates and folders, and so count sessions.

Source: how transfer stations route (claude-relay-service, one-api), and why Clio found resellers
(arXiv 2412.13678). An aggregator does the same, openly: the registry and end-user ids tell it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from ibis.expr.types import Table

from stillwatch.detections.accounts import read_accounts
from stillwatch.detections.detection import FEWEST, Evidence, Family, Findings, Metadata, Tables
from stillwatch.detections.group import UNKNOWN, Group, Ints, Mask, Rows
from stillwatch.detections.infrastructure import organisations
from stillwatch.detections.tables import ACCOUNT_DAYS
from stillwatch.detections.wording import share_of
from stillwatch.engines import Stage
from stillwatch.sketches import Script
from stillwatch.statistics import count_pairs, excess

__all__ = ["Multiplexing", "clients", "hours", "variety"]

Floats = npt.NDArray[np.float64]

#: what a template may set, and what it cannot
BY_TEMPLATE = ("script", "toolset")
BY_SENDER = ("user_agent", "accept_language", "hour")
FACETS = (*BY_SENDER, *BY_TEMPLATE)
#: varieties from which on a facet can look like a crowd at all
LEAST = {"user_agent": 2.0, "accept_language": 2.0, "hour": 12.0, "script": 2.0, "toolset": 2.0}
#: exchanges of an account below which its variety is unknown
ENOUGH = 8
#: quantile of other accounts that a facet must exceed
BEYOND = 0.95
#: facets that must exceed it
FACETS_BEYOND = 2
#: tenants whose business is to carry other people's users
CARRIERS = ("aggregator", "reseller", "platform", "marketplace", "agency", "integrator")
CEILING = 4.0
_HOUR = 3_600_000_000


def clients(sampling: int) -> Stage:
    """Which programs and languages each account showed, and how often; see :func:`_thinned`."""

    def build(inputs: Mapping[str, Table]) -> Table:
        rows = _thinned(inputs["exchanges"], sampling)
        return rows.group_by("account", "script", "accept_language", "user_agent", "toolset").agg(
            uses=rows.count()
        )

    return Stage(f"clients_{sampling}", build, daily=True)


def hours(sampling: int) -> Stage:
    """When each account was active: ``account, hour`` (of the day, UTC), ``uses``."""

    def build(inputs: Mapping[str, Table]) -> Table:
        rows = _thinned(inputs["exchanges"], sampling)
        return rows.group_by("account", hour=rows.at.hour().cast("int64")).agg(uses=rows.count())

    return Stage(f"hours_{sampling}", build, daily=True)


def _thinned(rows: Table, sampling: int) -> Table:
    """Of a large log every `sampling`-th exchange, by the digest of the request."""
    return rows if sampling == 1 else rows.filter(rows.request % sampling == 0)


class Multiplexing:
    """Scores accounts by how many facets look like a crowd's; links nobody. One instance a scan:
    :meth:`find` keeps which accounts the registry calls carriers."""

    metadata = Metadata(
        name="multiplexing",
        family=Family.INFRASTRUCTURE,
        title="Many strangers behind one account",
        sees="how many programs, languages, toolsets and hours of the day one account mixes",
        null="members mix no more of them than other accounts do",
        base_rate="measured in the same log: each facet exceeds the 95th percentile of others in "
        "5 % of accounts, two at once in what the report prints",
        look_alikes=("aggregators", "platforms with one key for many users", "universities"),
        atlas=("AML.T0008.005", "AML.T0021"),
    )

    def __init__(self) -> None:
        self._carriers: Ints = np.zeros(0, dtype=np.int64)

    def stages(self, sampling: int) -> Sequence[Stage]:
        return [ACCOUNT_DAYS, clients(sampling), hours(sampling)]

    def find(self, tables: Tables) -> Findings:
        accounts = read_accounts(tables)
        kinds = [str(kind).lower() for kind in accounts.tenant_kind]
        self._carriers = accounts.account[np.isin(kinds, CARRIERS)]
        score = np.zeros(len(accounts))
        for facet in FACETS:
            account, varieties = _varieties(tables, facet)
            if len(account):
                usual = max(LEAST[facet], float(np.quantile(varieties, BEYOND)))
                beyond = np.maximum(np.log(varieties / usual), 0.0)
                np.add.at(score, accounts.at(account), beyond)
        found = np.flatnonzero(score)
        return Findings(
            dict(zip(accounts.account[found].tolist(), score[found].tolist(), strict=True))
        )

    def judge(self, group: Group) -> Sequence[Evidence]:
        return [*self._crowds(group), *self._openly(group)]

    def _crowds(self, group: Group) -> Sequence[Evidence]:
        inside, outside = _Crowds(group.rows, group.unshared), group.others.once(_crowds)
        levels = {
            facet: max(LEAST[facet], outside.quantile(facet))
            for facet in FACETS
            if inside.varieties[facet].size and outside.varieties[facet].size
        }
        hits, of = inside.beyond(levels)
        usual, others = outside.beyond(levels)
        weight = min(CEILING, excess(hits, of, usual, others))
        if weight < 0.5 or hits < FEWEST:
            return []
        return [
            Evidence(
                self.metadata.family,
                self.metadata.name,
                value=hits / of,
                base_rate=usual / others,
                weight=weight,
                text=f"{hits} of {of} organisations behind these accounts look like crowds: each "
                f"mixes programs, languages or hours; elsewhere "
                f"{share_of(usual, others, 'organisations')} do.",
            )
        ]

    def _openly(self, group: Group) -> Sequence[Evidence]:
        accounts = group.accounts
        names, carriers = _name_users(group.rows), np.isin(accounts, self._carriers)
        openly = int((names | carriers).sum())
        usually = group.others.once(_name_users) | np.isin(group.others.accounts, self._carriers)
        weight = excess(openly, len(accounts), int(usually.sum()), len(usually))
        if openly < 0.3 * len(accounts) or weight < 0.5:
            return []
        return [
            Evidence(
                self.metadata.family,
                self.metadata.name,
                value=openly / len(accounts),
                base_rate=float(usually.mean()),
                weight=min(CEILING, weight),
                speaks_for=False,
                text=f"{openly} of {len(accounts)} accounts carry other people's users openly: "
                f"{int(carriers.sum())} are registered for it, {int(names.sum())} name the user "
                f"behind each request.",
            )
        ]


def _name_users(rows: Rows) -> Mask:
    """Which accounts name the user behind most of their requests."""
    total = np.bincount(rows.owner, minlength=len(rows.accounts))
    named = np.bincount(rows.owner, rows.ints("end_user") != UNKNOWN, len(rows.accounts))
    names: Mask = named >= 0.5 * total
    return names


def variety(counts: Ints, owner: Ints, owners: int) -> Floats:
    """Effective number of values by owner (inverse Simpson index, without bias in the volume).

    Args:
        counts: uses of one value by one owner; `owner`: whose it is, 0 to `owners` - 1.

    Returns:
        1 for one value, the number of values where all are used alike; NaN below ENOUGH uses.
    """
    total = np.bincount(owner, weights=counts, minlength=owners)
    same = np.bincount(owner, weights=counts * (counts - 1.0), minlength=owners)
    varieties: Floats = np.full(owners, np.nan)
    known = total >= ENOUGH
    pairs = total[known] * (total[known] - 1)
    varieties[known] = pairs / np.maximum(same[known], 1.0)
    return varieties


def _varieties(tables: Tables, facet: str) -> tuple[Ints, Floats]:
    """Accounts with enough exchanges, and their variety in one facet, from the stages."""
    if facet == "hour":
        uses = tables[f"hours_{tables.sampling}"]
    else:
        uses = tables[f"clients_{tables.sampling}"]
        unknown = uses.script == int(Script.NONE) if facet == "script" else uses[facet].isnull()
        uses = uses.filter(~unknown)
    by_value = uses.group_by("account", facet).agg(uses=uses.uses.sum().cast("int64"))
    summed = by_value.group_by("account").agg(
        total=by_value.uses.sum(), same=(by_value.uses * (by_value.uses - 1)).sum()
    )
    found = tables.engine.collect(summed.filter(summed.total >= ENOUGH))
    total = found["total"].cast(pa.float64()).to_numpy()
    same = found["same"].cast(pa.float64()).to_numpy()
    return found["account"].to_numpy(), total * (total - 1) / np.maximum(same, 1.0)


def _crowds(rows: Rows) -> _Crowds:
    return _Crowds(rows, rows)


class _Crowds:
    """The variety of each account of some exchanges, in each facet; NaN where it is unknown."""

    def __init__(self, rows: Rows, plain: Rows) -> None:
        self.accounts = rows.accounts
        self._org = organisations(rows)
        self.varieties = {facet: self._of(rows, facet) for facet in BY_SENDER} | {
            facet: self._of(plain, facet) for facet in BY_TEMPLATE
        }

    def _of(self, rows: Rows, facet: str) -> Floats:
        values = rows.ints("at") // _HOUR % 24 if facet == "hour" else rows.ints(facet)
        known = values != (Script.NONE if facet == "script" else UNKNOWN)
        if not known.any():
            return np.zeros(0)
        owner = np.searchsorted(self.accounts, rows.ints("account")[known])
        owners, _, counts = count_pairs(owner, values[known])
        return variety(counts, owners, len(self.accounts))

    def quantile(self, facet: str) -> float:
        known = self.varieties[facet][~np.isnan(self.varieties[facet])]
        return float(np.quantile(known, BEYOND)) if len(known) else np.inf

    def beyond(self, levels: Mapping[str, float]) -> tuple[int, int]:
        """Accounts that exceed the levels of enough facets, and accounts that can be told.

        Of the accounts of one organisation, which one program feeds, one counts.
        """
        beyond = np.zeros(len(self.accounts), dtype=np.int64)
        known: Mask = np.zeros(len(self.accounts), dtype=bool)
        for facet, level in levels.items():
            beyond += self.varieties[facet] > level
            known |= ~np.isnan(self.varieties[facet])
        crowd = known & (beyond >= FACETS_BEYOND)
        return len(np.unique(self._org[crowd])), len(np.unique(self._org[known]))
