"""Accounts that share a payment instrument, a device or an address that few others use.

A value that many accounts show (an office, a VPN, a carrier's NAT, a stock user agent) says
nothing, so a link weighs the logarithm of how rare it is. Accounts of one organisation are
expected to share, and headers and addresses are the attacker's to choose: good for linking, weak
as a verdict. Source: the disclosures of February and September 2026 name shared payment methods,
devices and registrations; EvilCohort (USENIX Security 2015) links accounts by addresses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stillwatch.detections.accounts import Accounts, read_accounts, shared
from stillwatch.detections.customers import customers
from stillwatch.detections.detection import (
    LINKS,
    Abstained,
    Evidence,
    Family,
    Findings,
    Metadata,
    Tables,
)
from stillwatch.detections.group import UNKNOWN, Group, Ints, Mask, Rows
from stillwatch.detections.tables import ACCOUNT_DAYS, INFRASTRUCTURE, INFRASTRUCTURE_KINDS
from stillwatch.detections.wording import share_of
from stillwatch.engines import Stage

__all__ = ["Holders", "Infrastructure"]

#: a value that more accounts than this share is a crowd's, not a pool's
CROWD = 60
#: what can carry a verdict; the others link, but a company or a campus explains them
STRONG = ("payment", "device")
#: how much a link by another value weighs beside a strong one
WEAK = 0.3
#: the most that this family may add to a score, nats
CEILING = 6.0


@dataclass(frozen=True)
class Holders:
    """Who has which payment instrument or device, one entry each; only what several accounts have.

    Attributes:
        account: digests.
        value: numbered from 0.
        customer: who is behind the account, see :func:`customers`.
    """

    account: Ints
    value: Ints
    customer: Ints


class Infrastructure:
    """Links by rare shared values; judges by how many members share a payment or a device."""

    metadata = Metadata(
        name="infrastructure",
        family=Family.INFRASTRUCTURE,
        title="Shared payment, device or address",
        sees="payment instruments, devices, addresses and mail domains that several accounts share",
        null="accounts of different customers share no instrument or device",
        base_rate="simulated: 2 % of accounts share a payment or device with another customer",
        look_alikes=("offices and campuses behind one address", "VPNs", "families sharing a card"),
        atlas=("AML.T0021", "AML.T0008.005"),
        needs=("payment", "device", "ip"),
    )

    def __init__(self) -> None:
        nothing = np.zeros(0, dtype=np.int64)
        self._accounts, self.customers, self._rare = nothing, nothing, nothing
        self._sharing: Mask = np.zeros(0, dtype=bool)
        self.holders = Holders(nothing, nothing, nothing)

    def stages(self, sampling: int) -> Sequence[Stage]:
        return [ACCOUNT_DAYS, INFRASTRUCTURE]

    def find(self, tables: Tables) -> Findings:
        uses = tables["infrastructure"]
        uses = uses.group_by("account", "object", "kind").agg(uses=uses.uses.sum())
        spread = uses.group_by("object").agg(accounts=uses.count())
        rare = spread.filter((spread.accounts > 1) & (spread.accounts <= CROWD))
        found = tables.engine.collect(uses.join(rare, "object"))
        known = read_accounts(tables)
        self._accounts, self.customers = known.account, known.owner
        self._sharing = np.zeros(len(known), dtype=bool)
        if not found.num_rows:
            if not tables.engine.collect(uses.limit(1)).num_rows:
                raise Abstained("the log names no payment, device, address or mail domain")
            return Findings()
        population = tables.population
        accounts = found["accounts"].to_numpy()
        kind = found["kind"].to_numpy()
        strong = np.isin(kind, [INFRASTRUCTURE_KINDS.index(name) for name in STRONG])
        self.customers = customers(
            known, *(_holders(found, kind, name) for name in ("payment", "email_domain"))
        )
        self._look_around(known, found.filter(pa.array(strong)))
        weight = np.log(max(population, 2) / accounts) * np.where(strong, 1.0, WEAK)
        links = pa.Table.from_arrays(
            [found["account"], found["object"], found["uses"], weight], schema=LINKS
        )
        order = np.argsort(found["account"].to_numpy(), kind="stable")
        owners, first = np.unique(found["account"].to_numpy()[order], return_index=True)
        best = np.maximum.reduceat(weight[order], first)
        named = dict(
            zip(found["object"].to_pylist(), [INFRASTRUCTURE_KINDS[k] for k in kind], strict=True)
        )
        return Findings(dict(zip(owners.tolist(), best.tolist(), strict=True)), links, labels=named)

    def _look_around(self, accounts: Accounts, strong: pa.Table) -> None:
        """Which accounts of the log share a strong value with one of another customer."""
        at = accounts.at(strong["account"].to_numpy())
        things, thing = np.unique(strong["object"].to_numpy(), return_inverse=True)
        self._rare = things
        self._sharing[at[shared(self.customers[at], thing)]] = True
        self.holders = Holders(strong["account"].to_numpy(), thing, self.customers[at])

    def judge(self, group: Group) -> Sequence[Evidence]:
        if not any(group.rows.knows(kind) for kind in STRONG):
            return []
        customer = self.customers[np.searchsorted(self._accounts, group.accounts)]
        share, shared_by = _sharing(group.rows, customer, self._rare)
        outside = ~np.isin(self._accounts, group.accounts, assume_unique=True)
        usual = float(self._sharing[outside].mean()) if outside.any() else 0.0
        if share < 0.05 or share < 3 * usual:
            return []
        members, others = len(group.accounts), int(outside.sum())
        excess = share * members * np.log((share + 0.01) / (usual + 0.01))
        return [
            Evidence(
                self.metadata.family,
                self.metadata.name,
                value=share,
                base_rate=usual,
                weight=float(min(CEILING, excess)),
                text=f"{shared_by} of {members} accounts, of different customers, share a "
                f"payment instrument or a device with another of them; outside the group "
                f"{share_of(usual * others, others, 'accounts')} do.",
            )
        ]


def _holders(found: pa.Table, kind: npt.NDArray[np.int8], name: str) -> tuple[Ints, Ints]:
    """The accounts with a value of the kind called `name`, and the value."""
    chosen = kind == INFRASTRUCTURE_KINDS.index(name)
    return found["account"].to_numpy()[chosen], found["object"].to_numpy()[chosen]


def _sharing(rows: Rows, customer: Ints, rare: Ints) -> tuple[float, int]:
    """Share and number of the accounts that share a strong value with one of another customer.

    Only values in `rare` count: those that several accounts of the log have, and no crowd.
    """
    sharing = np.zeros(len(rows.accounts), dtype=bool)
    for kind in STRONG:
        value = rows.ints(kind)
        known = (value != UNKNOWN) & np.isin(value, rare)
        owner = rows.owner[known]
        which = np.unique(value[known], return_inverse=True)[1]
        sharing[owner[shared(customer[owner], which)]] = True
    return (float(sharing.mean()) if len(sharing) else 0.0), int(sharing.sum())


def organisations(rows: Rows) -> Ints:
    """For each account of `rows` its organisation; the account itself where none is known."""
    org = np.full(len(rows.accounts), UNKNOWN)
    np.maximum.at(org, rows.owner, rows.ints("org"))
    return np.where(org == UNKNOWN, rows.accounts, org)
