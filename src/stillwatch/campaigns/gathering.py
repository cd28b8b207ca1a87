"""Fetches the exchanges of candidate accounts, and of a sample of everybody else, in one pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import ibis
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import scipy.sparse as sp

from stillwatch.campaigns.candidates import Candidate
from stillwatch.campaigns.marks import Marks, spans, union
from stillwatch.detections import (
    LEAST_MARKED,
    ROW_COLUMNS,
    Group,
    Rewording,
    Rows,
    Tables,
    senders_contents,
)
from stillwatch.engines import Stage

__all__ = ["Gathered", "gather", "gathered_stages"]

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

#: accounts outside all candidates that the background is measured on, and exchanges of each
BACKGROUND, BACKGROUND_EXCHANGES = 1_500, 64
#: share of the background that may be the candidate's own before it is measured without them
MIXED = 0.03
#: accounts of one candidate that are looked at closely, exchanges of each, and of all together
#: (of each at least as many as of an account in the background)
ACCOUNTS, EXCHANGES, ROWS = 1_000, 256, 65_536
#: what must be known of every exchange of a member; a judgement may read all of ROW_COLUMNS
SETTLED_COLUMNS = (
    "at",
    "account",
    "org",
    "registered_at",
    "prompt_tokens",
    "completion_tokens",
    "content",
    "cells",
)
#: style cells that an exchange must hold to be said to carry the style
HITS = 2
#: share of an account's exchanges that hold the group's marks, where it carries them
SHARE = 0.1
#: an account is like the group when its cosine to the mean is so much of the median member's
ALIKE = 0.55
#: accounts of a group from which on a part of it is looked at by itself, and the least and the
#: largest part that is worth it
CROWD, FEWEST, PART = 20, 5, 0.8
#: a further style belongs to the group when such a share of its users use the main style too
BELONGS = 0.6


class Gathered:
    """Exchanges in memory, sorted by account."""

    def __init__(
        self,
        table: pa.Table,
        background: Ints,
        population: int,
        hits: int,
        most: int | None,
        styles: Mapping[int, Ints],
        public: pa.Table,
    ) -> None:
        table = table.unify_dictionaries().combine_chunks()
        at = table["at"].cast("int64").to_numpy()
        order = np.lexsort((at, table["account"].to_numpy()))
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        self._styles = styles
        cells = table["cells"].combine_chunks()
        self._marks = Marks(cells, place, union(list(styles.values())))
        self._table = table.drop_columns("cells").take(pa.array(order))
        self._account = self._table["account"].to_numpy()
        contents = _pairs(self._table)
        self._public = np.isin(contents, _pairs(public))
        self._reworded = np.isin(contents, _pairs(public.filter(public["reworded"])))
        self._background = background
        self._population = population
        self._others_at = self._positions(background)
        self._others = self._rows(self._others_at)
        self._hits = hits
        self._most = most

    def _positions(self, accounts: Ints) -> Ints:
        """Where in the table the exchanges of `accounts` (ascending) are."""
        first = np.searchsorted(self._account, accounts, side="left")
        return spans(first, np.searchsorted(self._account, accounts, side="right"))

    def _rows(self, positions: Ints) -> Rows:
        return Rows(self._table.take(pa.array(positions)), ordered=True)

    def group(self, candidate: Candidate) -> Group:
        """`candidate` with its exchanges.

        Of a candidate with styles only the :func:`carriers` belong to the group. What is reworded
        is a style of its own.
        """
        own = [self._styles[name] for name in candidate.links.get("echo", {})]
        rewords = "rewording" in candidate.links
        positions = self._positions(_part(candidate.accounts, self._most))
        place = self._places(positions)
        held = [self._marks.holding(cells) for cells in own]
        rows = self._rows(positions)
        style = _of_one_piece(rows, self._style(len(rows), place, held))
        if rewords:
            style = np.where((style < 0) & self._reworded[positions], len(own), style)
        if candidate.filled:
            style = np.where(self._public[positions], style, -1)
        if own or rewords:
            # somebody in a crowd shares an address with somebody: it makes nobody a member
            tied = union([]) if candidate.filled else tied_accounts(candidate)
            carries = carriers(rows, style >= 0, tied, least=candidate.least)
            if not rewords:
                carries &= self._alike(rows, place, (style >= 0) & carries[rows.owner], own)
            rows, style = rows.where(carries[rows.owner]), style[carries[rows.owner]]
        others, others_at = self._others, self._others_at
        ours = np.isin(self._background, candidate.accounts, assume_unique=True)
        if ours.mean() > MIXED:
            others_at = self._positions(self._background[~ours])
            others = self._rows(others_at)
        return Group(
            rows=rows,
            styled=style >= 0,
            style=style,
            others=others,
            others_styled=(
                (self._style(len(others), self._places(others_at), held) >= 0)
                | (rewords & self._reworded[others_at])
            )
            & ~np.isin(others.accounts, candidate.accounts)[others.owner],
            population=self._population,
            links={name: dict(objects) for name, objects in candidate.links.items()},
            least=candidate.least,
        )

    def carrying(self, candidate: Candidate, group: Group) -> Ints:
        """The accounts of `group`; all of `candidate` where only a part of it was looked at."""
        whole = self._most is None or len(candidate.accounts) <= self._most
        return group.accounts if whole else candidate.accounts

    def filled(self, candidate: Candidate, group: Group) -> Group | None:
        """Those of `group` who fill its wording with what others send too; None where few do.

        A public template is used by an honest crowd for matters of their own. Who puts public
        problems into it, to have them answered, is another group in it. What is put in decides
        which exchanges count, for everybody alike, so that volumes stay as they are.
        """
        if not candidate.links.get("echo") or len(group.accounts) < CROWD:
            return None
        part = self.group(replace(candidate, filled=True))
        return part if FEWEST <= len(part.accounts) <= PART * len(group.accounts) else None

    def _style(self, count: int, place: Ints, held: Sequence[tuple[Ints, Ints]]) -> Ints:
        """For each of `count` exchanges the number of the style it holds most cells of, or -1."""
        best = np.full(count, self._hits - 1, dtype=np.int64)
        style = np.full(count, -1, dtype=np.int64)
        for number, (entry, _) in enumerate(held):
            at = place[entry]
            found = np.bincount(at[at >= 0], minlength=count)
            style[found > best] = number
            best = np.maximum(best, found)
        return style

    def _places(self, positions: Ints) -> Ints:
        """For each exchange of the table its place in `positions`, or -1."""
        place = np.full(len(self._account), -1, dtype=np.int64)
        place[positions] = np.arange(len(positions))
        return place

    def _alike(self, rows: Rows, place: Ints, marked: Mask, styles: Sequence[Ints]) -> Mask:
        cells = union(styles)
        entry, cell = self._marks.holding(cells)
        at = place[entry]
        chosen = at >= 0
        chosen[chosen] = marked[at[chosen]]
        return _alike(rows.owner[at[chosen]], cell[chosen], (len(rows.accounts), len(cells)))


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


def _alike(owner: Ints, cell: Ints, shape: tuple[int, int]) -> Mask:
    """Which accounts use the cells of the group's styles in the proportions that the others do.

    Workers of one generator draw from the same clauses; strangers who share a public phrase or
    two with it use those alone. On simulated traffic members have a cosine of 0.41 and more to
    the mean profile, strangers mostly 0.2 and less. The mean is that of the half that is most
    alike, so that users of a tool whose template fell into the same style do not shift it.

    Args:
        owner, cell: one entry a use of a cell in a marked exchange.
        shape: accounts and cells.
    """
    counts = sp.coo_matrix((np.ones(len(owner)), (owner, cell)), shape=shape).tocsr()
    length = np.sqrt(np.asarray(counts.multiply(counts).sum(axis=1)).ravel())
    profile = sp.diags(1 / np.maximum(length, 1e-9)) @ counts
    alike: Mask = length > 0
    if not alike.any():
        return alike
    core = alike
    for _ in range(4):  # the mean of the half that is most alike, and who is like it, settle
        mean = np.asarray(profile[core].mean(axis=0)).ravel()
        cosine = profile @ mean / max(1e-9, float(np.linalg.norm(mean)))
        middle = np.median(cosine[alike])
        core = alike & (cosine >= middle)
        alike = (length > 0) & (cosine >= ALIKE * middle)
    return alike


def tied_accounts(candidate: Candidate) -> Ints:
    """The accounts that share something else than a style, ascending."""
    return union(list(candidate.ties()))


def carriers(rows: Rows, marked: Mask, tied: Ints, *, least: int = LEAST_MARKED) -> Mask:
    """Which accounts of `rows` carry the group's marks; being linked is not being a member.

    An account must carry them in `least` and a good part of its exchanges, or at all if it is
    `tied` to others by more than style: a chance phrase is in one exchange of many.
    """
    total = np.bincount(rows.owner, minlength=len(rows.accounts))
    marks = np.bincount(rows.owner[marked], minlength=len(rows.accounts))
    often = (marks >= least) & (marks >= SHARE * total)
    carrying: Mask = often | ((marks >= 1) & np.isin(rows.accounts, tied))
    return carrying


def gathered_stages(sampling: int) -> Sequence[Stage]:
    """What :func:`gather` reads."""
    return Rewording().stages(sampling)


def gather(
    tables: Tables,
    candidates: Sequence[Candidate],
    styles: Mapping[int, Ints],
    *,
    whole: bool = False,
) -> Gathered:
    """Collect what :class:`Gathered` holds; `styles` gives the cells of each style.

    Of large candidates and of busy accounts a sample, unless `whole`: then every exchange, with
    :data:`SETTLED_COLUMNS` only.
    """
    days = tables["account_days"]
    totals = tables.engine.collect(
        days.group_by("account").agg(exchanges=days.exchanges.sum())
    ).sort_by("account")
    account = totals["account"].to_numpy()
    exchanges = totals["exchanges"].to_numpy()
    most = None if whole else ACCOUNTS
    inside = union([each.accounts for each in candidates])
    outside = np.setdiff1d(account, inside)
    if len(outside) < BACKGROUND:  # nearly everybody is in some candidate: sample from all
        outside = account
    background = np.sort(outside[:: max(1, len(outside) // BACKGROUND)][:BACKGROUND])
    limit = np.zeros(len(account), dtype=np.int64)
    limit[np.searchsorted(account, background)] = BACKGROUND_EXCHANGES
    for candidate in candidates:
        part = _part(candidate.accounts, most)
        each = max(BACKGROUND_EXCHANGES, min(EXCHANGES, ROWS // len(part)))
        at = np.searchsorted(account, part)
        limit[at] = exchanges[at] if whole else np.maximum(limit[at], each)
    chosen = np.flatnonzero(limit)
    busy = np.maximum(1.0, exchanges[chosen] / limit[chosen])
    thin = 2 ** np.ceil(np.log2(busy)).astype(np.int64)
    keys = ibis.memtable(pa.table({"account": account[chosen], "thin": thin}))
    columns = SETTLED_COLUMNS if whole else ROW_COLUMNS
    rows = tables["exchanges"].select(*columns).join(keys, "account")
    # by content: what two accounts sent stays with both, or with the one of which more is seen
    found = tables.engine.collect(rows.filter(rows.content % rows.thin == 0))
    # the thinned cells of a style are few, so that one of them must do
    hits = HITS if tables.sampling < 4 else 1
    own = {n: styles[n] for one in candidates for n in one.links.get("echo", {})}
    public = tables[f"public_contents_{tables.sampling}"].semi_join(keys, "account")
    return Gathered(
        found, background, tables.population, hits, most, own, tables.engine.collect(public)
    )


def _pairs(table: pa.Table) -> Ints:
    names = ("account", "content")
    return senders_contents(*(table[name].cast("int64").to_numpy() for name in names))


def _part(accounts: Ints, most: int | None) -> Ints:
    """Of more than `most` accounts an even part; digests are in random order."""
    return accounts if most is None else accounts[:: max(1, -(-len(accounts) // most))]
