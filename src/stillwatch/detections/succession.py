"""New accounts take over within hours what a blocked pool did.

When a provider blocks a pool, its operator switches to a spare one: accounts that had sent none of
it before take up the same wording. Honest accounts begin at any hour, so the group's beginnings in
the hours after a block are compared with those in the hours before it, and both with everybody
else's in the same hours: neither the time of day nor a tool that is becoming popular can do that.
A template explains what its users send, but not when they begin.
Source: threats.md §1, the spare pool of about 5,000 accounts of the September 2026 disclosure.
"""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import numpy as np
import pyarrow as pa

from stillwatch.detections.accounts import Accounts, read_accounts
from stillwatch.detections.detection import (
    FEWEST,
    Abstained,
    Evidence,
    Family,
    Findings,
    Metadata,
    Tables,
)
from stillwatch.detections.group import UNKNOWN, Group, Ints, Mask, Rows
from stillwatch.detections.infrastructure import organisations
from stillwatch.detections.pools import find_pools, link_pools
from stillwatch.detections.tables import ACCOUNT_DAYS, account_cells, shared_cells
from stillwatch.engines import Stage
from stillwatch.statistics import excess

__all__ = ["Succession"]

HOUR = 3_600_000_000  # µs
#: how long after a block a beginning counts as a succession
WINDOW = 24 * HOUR
#: blocks this close together are one event
EVENT = 6 * HOUR
#: accounts that one event must block to be called a pool
POOL = 3
#: a style cell of more accounts is a popular tool's
CROWD = 200
CEILING = 5.0


class Succession:
    """Links blocked accounts to newcomers with the same rare wording; judges by when they began."""

    metadata = Metadata(
        name="succession",
        family=Family.TIME,
        title="New accounts step in for blocked ones",
        sees="accounts that take up a wording within a day after others with it were blocked",
        null="accounts of the group begin as often before a block as after it, as others do",
        base_rate="measured in the same log: other accounts that began in the same hours",
        look_alikes=("a class or a company that is blocked by mistake and signs up again",),
        atlas=("AML.T0021", "AML.T0008.005"),
        needs=("blocked_at",),
    )

    def stages(self, sampling: int) -> Sequence[Stage]:
        return [ACCOUNT_DAYS, shared_cells(sampling), account_cells(sampling)]

    def find(self, tables: Tables) -> Findings:
        accounts = read_accounts(tables)
        blocked = _blocked(accounts)
        if not len(blocked):
            raise Abstained("no account was blocked in the time of the log (blocked_at)")
        account, cell, spread = _rare_cells(tables, accounts.account[blocked])
        at = accounts.at(account)
        old = np.isin(at, blocked)
        new = _followers(cell, old, accounts.first_at[at], accounts.blocked_at[at])
        kept = old | new
        pools = [
            pool
            for pool in find_pools(account[kept], cell[kept], least=POOL + FEWEST)
            if _follows(accounts, accounts.at(pool.accounts))
        ]
        linked = np.concatenate([pool.accounts for pool in pools]) if pools else account[:0]
        counted = new & np.isin(account, linked)
        rarity = np.log(max(tables.population, 2) / spread[counted])
        score: dict[int, float] = {}
        for each, nats in zip(account[counted].tolist(), rarity.tolist(), strict=True):
            score[each] = max(score.get(each, 0.0), nats)
        return Findings(
            scores=score,
            links=link_pools(pools, tables.population),
            labels={pool.name: "succession of a blocked pool" for pool in pools},
        )

    def judge(self, group: Group) -> Sequence[Evidence]:
        event = _event(_last(group.rows, "blocked_at"))
        begin = min(group.rows.ints("at").min(), group.others.ints("at").min(initial=2**62))
        if event is None or event - begin < EVENT:
            return []
        window = min(WINDOW, event - begin)
        # cover traffic may have gone on before: what counts is when an account took up the wording
        work = group.shared if group.styled.any() else group.rows
        before, after = _beginnings(work, event, window)
        usual_before, usual_after = _beginnings(group.others, event, window)
        others = usual_before + usual_after
        # one more on either side: where nobody else began, before and after are as likely
        weight = excess(after, before + after, usual_after + 1, others + 2)
        if after < FEWEST or weight < 0.5:
            return []
        hours = window / HOUR
        rate = (usual_after + 1) / (others + 2)
        return [
            Evidence(
                self.metadata.family,
                self.metadata.name,
                value=after / (before + after),
                base_rate=rate,
                weight=min(CEILING, weight),
                text=f"After accounts of the group were blocked, {after} organisations took up "
                f"this work within {hours:.0f} hours; {before} had in the {hours:.0f} hours "
                f"before. Of the other accounts that began in that time {rate:.0%} did so after.",
            )
        ]


def _blocked(accounts: Accounts) -> Ints:
    """Positions of the accounts that were blocked while the log ran."""
    last = accounts.last_at.max(initial=UNKNOWN)
    first = accounts.first_at.min(initial=2**62)
    return np.flatnonzero((accounts.blocked_at >= first) & (accounts.blocked_at <= last))


def _follows(accounts: Accounts, members: Ints) -> bool:
    """Whether a pool was blocked among `members`, and others of them began soon after."""
    event = _event(accounts.blocked_at[members])
    if event is None:
        return False
    since = accounts.first_at[members] - event
    return int(((since > 0) & (since <= WINDOW)).sum()) >= FEWEST


def _rare_cells(tables: Tables, blocked: Ints) -> tuple[Ints, Ints, Ints]:
    """Who uses the rare style cells of the blocked accounts: accounts, cells, users of the cell."""
    uses = tables[f"account_cells_{tables.sampling}"]
    ended = ibis.memtable(pa.table({"account": blocked}))
    theirs = uses.semi_join(ended, "account").select("cell").distinct()
    used = uses.semi_join(theirs, "cell")
    spread = used.group_by("cell").agg(accounts=used.count())
    rare = spread.filter((spread.accounts > 1) & (spread.accounts <= CROWD))
    found = tables.engine.collect(used.join(rare, "cell").select("account", "cell", "accounts"))
    account, cell, accounts = (found[name].to_numpy() for name in ("account", "cell", "accounts"))
    return account, cell, accounts


def _followers(cell: Ints, old: Mask, began: Ints, ended: Ints) -> Mask:
    """Which users of a cell began within the window after one of its blocked users (`old`) ended.

    All arguments have one entry a (account, cell) pair.
    """
    time = np.where(old, ended, began)
    order = np.lexsort((~old, time, cell))
    latest = np.maximum.accumulate(np.where(old[order], np.arange(len(order)), -1))
    since = time[order] - time[order][latest]
    follows = (latest >= 0) & (cell[order][latest] == cell[order]) & ~old[order]
    new: Mask = np.zeros(len(order), dtype=bool)
    new[order] = follows & (since <= WINDOW)
    return new


def _last(rows: Rows, column: str) -> Ints:
    """For each account the value of its last exchange."""
    last = np.searchsorted(rows.owner, np.arange(len(rows.accounts)), side="right") - 1
    values: Ints = rows.ints(column)[last]
    return values


def _event(blocked: Ints) -> int | None:
    """When the first account of the largest pool was blocked; None where none was large enough."""
    times = np.sort(blocked[blocked != UNKNOWN])
    sizes = np.searchsorted(times, times + EVENT, side="right") - np.arange(len(times))
    return int(times[sizes.argmax()]) if sizes.max(initial=0) >= POOL else None


def _begun(rows: Rows) -> tuple[Ints, Ints]:
    """Organisation and first exchange of each account."""
    first = np.searchsorted(rows.owner, np.arange(len(rows.accounts)))
    return organisations(rows), rows.ints("at")[first]


def _beginnings(rows: Rows, event: int, window: int) -> tuple[int, int]:
    """How many organisations began within the window before the event, and after it."""
    owner, first = rows.once(_begun)
    before = (first >= event - window) & (first < event)
    after = (first > event) & (first <= event + window)
    return len(np.unique(owner[before])), len(np.unique(owner[after]))
