"""How many other accounts send the same style cells: the echo of one generator.

Queries are pooled over accounts first and attributed second, so that an account with ten requests
is as visible as one with a thousand. Cells that keep company form a style
(:mod:`stillwatch.detections.styles`); an account that uses two cells of a style is linked to it.
A template, a tool or a harness echoes just as loudly: an echo alone is never a campaign.
Source: measured prototype, docs/detections/echo.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from stillwatch.detections.crowds import one_company, rarity_of_strangers
from stillwatch.detections.detection import (
    LINKS,
    Evidence,
    Family,
    Findings,
    Metadata,
    Tables,
)
from stillwatch.detections.group import Group, Ints
from stillwatch.detections.infrastructure import organisations
from stillwatch.detections.styles import Style, find_styles
from stillwatch.detections.tables import (
    ACCOUNT_DAYS,
    account_cells,
    cell_spread,
    shared_cells,
)
from stillwatch.detections.wording import share_of
from stillwatch.engines import Stage

__all__ = ["Echo"]

#: accounts that must share a cell before it is looked at
LEAST = 4
#: (account, cell) pairs that communities are sought in; above, cells are thinned once more
PAIRS = 3_000_000
#: two styles with so many accounts in common (Jaccard) are one
SAME = 0.5


class Echo:
    """Links accounts by styles; judges by how many organisations share one that few others use."""

    metadata = Metadata(
        name="echo",
        family=Family.CONTENT,
        title="The same wording from many accounts",
        sees="masked word 5-grams that several accounts share and that occur together",
        null="accounts write their prompts independently of each other, chance phrases apart",
        base_rate="every popular tool, framework and harness has one: the report counts them",
        look_alikes=("tools", "RAG frameworks", "coding harnesses", "assignments", "benchmarks"),
        atlas=("AML.T0024.002", "AML.T0005.001"),
    )

    def stages(self, sampling: int) -> Sequence[Stage]:
        return [
            ACCOUNT_DAYS,
            shared_cells(sampling),
            account_cells(sampling),
            cell_spread(sampling, LEAST),
        ]

    def find(self, tables: Tables) -> Findings:
        spread = tables[f"cell_spread_{tables.sampling}_{LEAST}"]
        thin = tables.sampling
        pairs = tables.engine.collect(spread.select("account", "cell", "uses", "varied"))
        while pairs.num_rows > PAIRS:
            thin *= 2
            pairs = pairs.filter(pa.array(pairs["cell"].to_numpy() % thin == 0))
        everything = _styles(pairs, tables.population)
        recurring = _styles(pairs.filter(pairs["varied"]), tables.population)
        styles = [*everything, *_new(recurring, everything)]
        return Findings(
            scores=_scores(styles, tables),
            links=_links(styles, tables.population),
            styles={style.name: style.cells for style in styles},
            labels={style.name: "style" for style in styles},
        )

    def judge(self, group: Group) -> Sequence[Evidence]:
        if not group.styled.any() or (group.links and self.metadata.name not in group.links):
            return []
        members = len(group.shared.accounts)
        orgs = len(np.unique(organisations(group.shared)))
        if own := one_company(self.metadata, members, orgs):
            return own
        share = float(group.styled.mean())
        sample = len(group.others.accounts)
        theirs = len(group.others.where(group.others_styled).accounts)
        outside = theirs / max(1, sample)
        return [
            Evidence(
                self.metadata.family,
                self.metadata.name,
                value=float(orgs),
                base_rate=outside,
                weight=rarity_of_strangers(orgs, members, group.population, theirs, sample),
                text=f"{members} accounts of {orgs} organisations send the same masked wordings, "
                f"in {share:.0%} of their exchanges; "
                f"{share_of(outside * sample, sample, 'other accounts')} ever do.",
            )
        ]


def _styles(pairs: pa.Table, population: int) -> list[Style]:
    account, cell, uses = (pairs[name].to_numpy() for name in ("account", "cell", "uses"))
    return find_styles(account, cell, uses, population=population)


def _new(found: Sequence[Style], known: Sequence[Style]) -> list[Style]:
    """Styles whose accounts are not mostly those of a known style, under names of their own.

    A few busy accounts that also send what is passed around, such as public problems, have more
    cells in common with others who send that than with each other. What they put into one text
    after another is theirs alone.
    """
    names = {style.name for style in known}
    new = []
    for style in found:
        name = next((each for each in style.cells.tolist() if each not in names), None)
        if name is None or any(_same(style.accounts, each.accounts) for each in known):
            continue
        names.add(name)
        new.append(replace(style, name=name))
    return new


def _same(left: Ints, right: Ints) -> bool:
    both = len(np.intersect1d(left, right, assume_unique=True))
    return both >= SAME * (len(left) + len(right) - both)


def _links(styles: Sequence[Style], population: int) -> pa.Table:
    sizes = [len(style.accounts) for style in styles]
    rarity = [math.log(max(population, 2) / size) for size in sizes]
    if not styles:
        return LINKS.empty_table()
    return pa.Table.from_arrays(
        [
            pa.array(np.concatenate([style.accounts for style in styles])),
            pa.array(np.repeat([style.name for style in styles], sizes)),
            pa.array(np.concatenate([style.uses for style in styles])),
            pa.array(np.repeat(rarity, sizes)),
        ],
        schema=LINKS,
    )


def _scores(styles: Sequence[Style], tables: Tables) -> dict[int, float]:
    """Nats by account: the rarity of its styles times the share of its exchanges they take."""
    if not styles:
        return {}
    days = tables["account_days"]
    totals = tables.engine.collect(
        days.group_by("account").agg(exchanges=days.exchanges.sum())
    ).sort_by("account")
    account, exchanges = totals["account"].to_numpy(), totals["exchanges"].to_numpy()
    score = np.zeros(len(account))
    for style in styles:
        at = np.searchsorted(account, style.accounts)
        share = np.minimum(1.0, style.uses / exchanges[at])
        rarity = math.log(max(tables.population, 2) / len(style.accounts))
        np.maximum.at(score, at, share * max(0.0, rarity))
    chosen = np.flatnonzero(score)
    return dict(zip(account[chosen].tolist(), score[chosen].tolist(), strict=True))
