"""Fetches the exchanges of candidate accounts, and of a sample of everybody else, in one pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import ibis
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import scipy.sparse as sp

from stillwatch.campaigns.candidates import Candidate
from stillwatch.detections import ROW_COLUMNS, Group, Rows, Tables

__all__ = ["Gathered", "gather"]

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

#: accounts outside all candidates that the background is measured on, and exchanges of each
BACKGROUND, BACKGROUND_EXCHANGES = 1_500, 64
#: share of the background that may be the candidate's own before it is measured without them
MIXED = 0.03
#: accounts of one candidate that are looked at closely, and exchanges of each
ACCOUNTS, EXCHANGES = 1_000, 256
#: style cells that an exchange must hold to be said to carry the style
HITS = 2
#: an account carries a group's marks when so many of its exchanges, and such a share, hold them
MARKED, SHARE = 2, 0.1
#: an account is like the group when its cosine to the mean is so much of the median member's
ALIKE = 0.5
#: a further style belongs to the group when such a share of its users use the main style too
BELONGS = 0.6


class Gathered:
    """Exchanges in memory, sorted by account."""

    def __init__(
        self, table: pa.Table, background: Ints, population: int, hits: int, most: int | None
    ) -> None:
        self._table = table.sort_by([("account", "ascending"), ("at", "ascending")])
        self._account = self._table["account"].to_numpy()
        self._background = background
        self._population = population
        self._others = self.rows(background)
        self._hits = hits
        self._most = most

    def rows(self, accounts: Ints) -> Rows:
        """The exchanges of `accounts` (ascending)."""
        first = np.searchsorted(self._account, accounts, side="left")
        last = np.searchsorted(self._account, accounts, side="right")
        spans = [np.arange(a, b) for a, b in zip(first, last, strict=True)]
        chosen = np.concatenate(spans) if spans else np.zeros(0, dtype=np.int64)
        return Rows(self._table.take(pa.array(chosen)))

    def group(self, candidate: Candidate, styles: Mapping[int, Ints]) -> Group:
        """`candidate` with its exchanges; `styles` gives the cells of the styles it shares.

        Of a candidate with styles only the :func:`carriers` belong to the group.
        """
        own = {name: styles[name] for name in candidate.links.get("echo", {}) if name in styles}
        accounts = candidate.accounts
        if self._most is not None and len(accounts) > self._most:
            accounts = accounts[:: -(-len(accounts) // self._most)]  # digests are in random order
        rows = self.rows(accounts)
        others = self._others
        ours = np.isin(self._background, candidate.accounts, assume_unique=True)
        if ours.mean() > MIXED:
            others = self.rows(self._background[~ours])
        style = self._styles(rows, list(own.values()))
        style = _of_one_piece(rows, style)
        if own:
            carries = carriers(rows, style >= 0, tied_accounts(candidate))
            carries &= _alike(rows, style >= 0, np.unique(np.concatenate(list(own.values()))))
            rows, style = rows.where(carries[rows.owner]), style[carries[rows.owner]]
        return Group(
            rows=rows,
            styled=style >= 0,
            style=style,
            others=others,
            others_styled=(self._styles(others, list(own.values())) >= 0)
            & ~np.isin(others.accounts, candidate.accounts)[others.owner],
            population=self._population,
            links={name: dict(objects) for name, objects in candidate.links.items()},
        )

    def _styles(self, rows: Rows, styles: Sequence[Ints]) -> Ints:
        """For each exchange the number of the style it holds most cells of; -1 for none."""
        best = np.full(len(rows), self._hits - 1, dtype=np.int64)
        style = np.full(len(rows), -1, dtype=np.int64)
        owner, cells = rows.once(_cells)
        for number, wanted in enumerate(styles):
            at = np.minimum(np.searchsorted(wanted, cells), len(wanted) - 1)
            found = np.bincount(owner[wanted[at] == cells], minlength=len(rows))
            style[found > best] = number
            best = np.maximum(best, found)
        return style


def _cells(rows: Rows) -> tuple[Ints, Ints]:
    return rows.lists("cells")


def _of_one_piece(rows: Rows, style: Ints) -> Ints:
    """`style` without the styles that most of their users use without the group's main one.

    Members of a campaign also send public problems, as evaluators do: such a style brings
    strangers in, and is no mark of the group.
    """
    numbers = np.unique(style[style >= 0])
    users = {int(n): np.unique(rows.owner[style == n]) for n in numbers}
    if len(users) < 2:
        return style
    main = max(users, key=lambda n: (len(users[n]), -n))
    foreign = [
        n for n, own in users.items() if np.isin(own, users[main]).mean() < BELONGS and n != main
    ]
    return np.where(np.isin(style, foreign), -1, style)


def _alike(rows: Rows, marked: Mask, cells: Ints) -> Mask:
    """Which accounts use the cells of the group's styles in the proportions that the others do.

    Workers of one generator draw from the same clauses; strangers who share a public phrase or
    two with it use those alone. On simulated traffic members have a cosine of 0.54 and more to
    the mean profile, strangers in their styles 0.06 and less.
    """
    entry, used = rows.lists("cells")
    at = np.minimum(np.searchsorted(cells, used), len(cells) - 1)
    chosen = (cells[at] == used) & marked[entry]
    shape = (len(rows.accounts), len(cells))
    counts = sp.coo_matrix(
        (np.ones(int(chosen.sum())), (rows.owner[entry[chosen]], at[chosen])), shape=shape
    ).tocsr()
    length = np.sqrt(np.asarray(counts.multiply(counts).sum(axis=1)).ravel())
    profile = sp.diags(1 / np.maximum(length, 1e-9)) @ counts
    alike: Mask = length > 0
    if not alike.any():
        return alike
    for _ in range(4):  # the mean of those who are alike, and those who are like it, settle
        mean = np.asarray(profile[alike].mean(axis=0)).ravel()
        cosine = profile @ mean / max(1e-9, float(np.linalg.norm(mean)))
        alike = (length > 0) & (cosine >= ALIKE * np.median(cosine[alike]))
    return alike


def tied_accounts(candidate: Candidate) -> Ints:
    """The accounts that share something else than a style, ascending."""
    ties = [accounts for name, _, accounts in candidate.objects() if name != "echo"]
    return np.unique(np.concatenate(ties)) if ties else np.zeros(0, dtype=np.int64)


def carriers(rows: Rows, marked: Mask, tied: Ints) -> Mask:
    """Which accounts of `rows` carry the group's marks; being linked is not being a member.

    An account must carry them in a good part of its exchanges, or at all if it is `tied` to
    others by more than style: a chance phrase is in one exchange of many.
    """
    total = np.bincount(rows.owner, minlength=len(rows.accounts))
    marks = np.bincount(rows.owner[marked], minlength=len(rows.accounts))
    often = (marks >= MARKED) & (marks >= SHARE * total)
    carrying: Mask = often | ((marks >= 1) & np.isin(rows.accounts, tied))
    return carrying


def gather(tables: Tables, candidates: Sequence[Candidate], *, whole: bool = False) -> Gathered:
    """Collect what :class:`Gathered` holds.

    Of large candidates and of busy accounts a sample, unless `whole`: then every exchange.
    """
    days = tables["account_days"]
    totals = tables.engine.collect(
        days.group_by("account").agg(exchanges=days.exchanges.sum())
    ).sort_by("account")
    account = totals["account"].to_numpy()
    exchanges = totals["exchanges"].to_numpy()
    wanted = [each.accounts for each in candidates]
    inside = np.unique(np.concatenate(wanted)) if wanted else np.zeros(0, dtype=np.int64)
    outside = np.setdiff1d(account, inside)
    if len(outside) < BACKGROUND:  # nearly everybody is in some candidate: sample from all
        outside = account
    background = np.sort(outside[:: max(1, len(outside) // BACKGROUND)][:BACKGROUND])
    chosen = np.union1d(inside, background)
    at = np.searchsorted(account, chosen)
    most = np.where(
        np.isin(chosen, inside),
        exchanges.max(initial=1) if whole else EXCHANGES,
        BACKGROUND_EXCHANGES,
    )
    thin = 2 ** np.ceil(np.log2(np.maximum(1.0, exchanges[at] / most))).astype(np.int64)
    keys = ibis.memtable(pa.table({"account": chosen, "thin": thin}))
    rows = tables["exchanges"].select(*ROW_COLUMNS).join(keys, "account")
    found = tables.engine.collect(rows.filter(rows.request % rows.thin == 0).drop("thin"))
    # the thinned cells of a style are few, so that one of them must do
    hits = HITS if tables.sampling < 4 else 1
    return Gathered(found, background, tables.population, hits, None if whole else ACCOUNTS)
