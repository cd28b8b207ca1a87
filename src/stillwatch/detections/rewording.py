"""Public problems, each in words that are used once: what a paraphrasing harvester sends.

Who has each request reworded by a model leaves no wording to find. What is asked for stays: public
problems, which others send too. Evaluators wrap them into one template, and classes send them as
they are. Somebody who puts every one of them into words of its own has a rewriter at work, or is a
person with homework, of whom there are many with a few each. Source: tier T2 of the threat model,
docs/detections/rewording.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import ibis
import numpy as np
import pyarrow as pa
from ibis.expr.types import Table

from stillwatch.detections.crowds import one_company, rarity_of_strangers
from stillwatch.detections.detection import LINKS, Evidence, Family, Findings, Metadata, Tables
from stillwatch.detections.group import Group
from stillwatch.detections.infrastructure import organisations
from stillwatch.detections.tables import ACCOUNT_DAYS, postings, public_passages, shared_cells
from stillwatch.detections.wording import share_of
from stillwatch.engines import Stage

__all__ = ["LEAST_REWORDED", "Rewording", "public_contents"]

#: passages of public texts, of the eight or more that are kept of a text: from how many on a
#: content holds a public text at all, and how many a problem in words of its own leaves
HOLDS, PUBLIC = 2, 4
#: style cells of a reworded content that nobody else sends
OWN = 2
#: contents of an account among which a phrase of one may come back in another: a template comes
#: back every time
AGAIN = 100
#: share of an account's public problems, and of its exchanges, that must be reworded
MOSTLY, SHARE = 0.7, 0.1
#: reworded problems from which on accounts are put together: many people have a few
LEAST_REWORDED = (2, 8, 32)


def public_contents(sampling: int) -> Stage:
    """Contents that hold a public text: ``account, content, public, reworded``.

    Public is what several accounts send, nearly each in one content only; ``public`` counts such
    passages. ``reworded`` is true where these are many, some cells of the content are nowhere else,
    and none comes back in the account more than once in a hundred contents.
    """
    shared = f"shared_cells_{sampling}"

    def build(inputs: Mapping[str, Table]) -> Table:
        rows = inputs["exchanges"]
        passages = postings(rows, sampling, "content", of="shingles", called="shingle")
        cells = postings(rows, sampling, "content")
        sent = passages.group_by("account", "shingle").agg(
            varied=ibis._.content.min() != ibis._.content.max()
        )
        held = (
            passages.semi_join(public_passages(sent), "shingle")
            .group_by("account", "content")
            .agg(public=ibis._.shingle.nunique())
            .filter(ibis._.public >= max(1, HOLDS // sampling))
        )
        plenty = held.filter(held.public >= max(1, PUBLIC // sampling))
        inside = cells.semi_join(plenty, ["account", "content"]).distinct()
        again = (
            cells.semi_join(inside, ["account", "cell"])
            .group_by("account", "cell")
            .agg(contents=ibis._.content.nunique())
        )
        many = rows.group_by("account").agg(of=ibis._.content.nunique())
        known = inputs[shared].select("cell", known=ibis.literal(1, type="int64"))
        seen = inside.join(again, ["account", "cell"]).join(many, "account")
        wording = (
            seen.left_join(known, "cell")
            .group_by("account", "content")
            .agg(
                own=ibis._.known.isnull().cast("int64").sum(),
                beyond=((ibis._.contents - 1) * AGAIN - ibis._.of).max(),
            )
            .filter((ibis._.own >= max(1, OWN // sampling)) & (ibis._.beyond <= 0))
            .select("account", "content", once=ibis.literal(1, type="int64"))
        )
        both = held.left_join(wording, ["account", "content"])
        return both.select("account", "content", "public", reworded=both.once.notnull())

    return Stage(f"public_contents_{sampling}", build, reads=("exchanges", shared))


class Rewording:
    """Links accounts whose public problems are mostly reworded; judges by how rare that is."""

    metadata = Metadata(
        name="rewording",
        family=Family.CONTENT,
        title="Public problems, each in words used once",
        sees="public problems that others send too, in a wording that never comes back",
        null="who sends public problems sends them as they are, or in a template",
        base_rate="simulated: 0.3 % of accounts, people with homework and evaluators",
        look_alikes=("homework", "evaluators whose problems few others send", "translators"),
        atlas=("AML.T0024.002", "AML.T0005.001"),
    )

    def stages(self, sampling: int) -> Sequence[Stage]:
        return [ACCOUNT_DAYS, shared_cells(sampling), public_contents(sampling)]

    def find(self, tables: Tables) -> Findings:
        found = tables[f"public_contents_{tables.sampling}"]
        found = found.filter(found.public >= max(1, PUBLIC // tables.sampling))
        days = tables["account_days"]
        totals = days.group_by("account").agg(exchanges=days.exchanges.sum())
        counts = tables.engine.collect(
            found.group_by("account")
            .agg(public=found.count(), reworded=found.reworded.cast("int64").sum())
            .join(totals, "account")
        ).sort_by("account")
        account = counts["account"].to_numpy()
        many = counts["reworded"].to_numpy().astype(np.int64)
        exchanges = counts["exchanges"].to_numpy()
        mostly = (many >= MOSTLY * counts["public"].to_numpy()) & (many >= SHARE * exchanges)
        chosen = [np.flatnonzero(mostly & (many >= least)) for least in LEAST_REWORDED]
        at = np.concatenate(chosen)
        sizes = [len(each) for each in chosen]
        rarity = [math.log(max(tables.population, 2) / max(1, size)) for size in sizes]
        share = np.minimum(1.0, many / exchanges)
        return Findings(
            scores=dict(zip(account[chosen[0]].tolist(), share[chosen[0]].tolist(), strict=True)),
            links=pa.Table.from_arrays(
                [account[at], np.repeat(LEAST_REWORDED, sizes), many[at], np.repeat(rarity, sizes)],
                schema=LINKS,
            ),
            labels=dict.fromkeys(LEAST_REWORDED, "public problems in words used once"),
        )

    def judge(self, group: Group) -> Sequence[Evidence]:
        if self.metadata.name not in group.links or not group.styled.any():
            return []
        members = len(group.shared.accounts)
        orgs = len(np.unique(organisations(group.shared)))
        if own := one_company(self.metadata, members, orgs):
            return own
        sample = len(group.others.accounts)
        theirs = int((np.bincount(group.others.owner[group.others_styled]) >= group.least).sum())
        return [
            Evidence(
                self.metadata.family,
                self.metadata.name,
                value=float(orgs),
                base_rate=theirs / max(1, sample),
                weight=rarity_of_strangers(orgs, members, group.population, theirs, sample),
                text=f"{members} accounts of {orgs} organisations send public problems, each in "
                f"words that are used once, in {float(group.styled.mean()):.0%} of their "
                f"exchanges; {share_of(theirs, sample, 'other accounts')} send so many of them.",
            )
        ]
