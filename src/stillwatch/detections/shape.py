"""How the API is used: rare request parameters, the same ones under many organisations.

A harvest of log probabilities, a reward model, a pipeline of samples: each has a set of parameters
that its one script sends from every account. But a tool sets its template *and* its parameters, so
only the exchanges without the group's template count (law 1). Sources: the parameters of Alpaca,
Magpie, OpenThoughts and UltraFeedback pipelines as published with their data; Carlini et al.,
"Stealing part of a production language model" (ICML 2024), for log probabilities and logit bias.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from ibis.expr.types import Table

from stillwatch.detections.detection import (
    FEWEST,
    LINKS,
    Evidence,
    Family,
    Findings,
    Metadata,
    Tables,
    weigh,
)
from stillwatch.detections.group import Group, Ints, Rows
from stillwatch.detections.infrastructure import organisations
from stillwatch.detections.signature import SURFACES, describe, sign, signature, surfaces
from stillwatch.detections.wording import percent, share_of
from stillwatch.engines import Stage
from stillwatch.statistics import count_pairs, excess

__all__ = ["Shape", "signatures"]

#: surfaces that few honest programs open; two of them in one signature link its accounts
RARE = ("several", "logprobs", "biased", "prefill", "few")
#: a signature of more accounts is a program's, not a pool's
CROWD = 60
#: exchanges of an organisation below which its habits are unknown
LEAST = 3
#: share of an organisation's exchanges from which on a surface is a habit
HABIT = 0.1
#: share of organisations that one signature must hold; honest users of one tool stay below
MOST = 0.5
CEILING = 4.0
#: open surfaces are the habit of a trade: simulated evaluators and classes reached 4 nats and more
#: (seeds 11 and 12), so they colour a score and make no family
SURFACE_CEILING = 1.0


def signatures(sampling: int) -> Stage:
    """How often each account sent which parameters: ``account, signature, uses``.

    Of a large log every `sampling`-th exchange, by the digest of the request.
    """

    def build(inputs: Mapping[str, Table]) -> Table:
        rows = inputs["exchanges"]
        if sampling > 1:
            rows = rows.filter(rows.request % sampling == 0)
        signed = rows.select("account", signature=signature(rows))
        return signed.group_by("account", "signature").agg(uses=signed.count())

    return Stage(f"signatures_{sampling}", build, daily=True)


class Shape:
    """Links accounts by signatures that open two rare surfaces; judges by how alike members are."""

    metadata = Metadata(
        name="shape",
        family=Family.SHAPE,
        title="Request parameters of one script",
        sees="n, log probabilities, biases, dictated beginnings, caps, sampling, reasoning",
        null="organisations choose their parameters independently of each other",
        base_rate="measured in the same log, on a random sample of other accounts",
        look_alikes=("evaluators", "classifiers that read log probabilities", "tools with presets"),
        atlas=("AML.T0024.002", "AML.T0005.001"),
    )

    def stages(self, sampling: int) -> Sequence[Stage]:
        return [signatures(sampling)]

    def find(self, tables: Tables) -> Findings:
        uses = tables[f"signatures_{tables.sampling}"]
        uses = uses.group_by("account", "signature").agg(uses=uses.uses.sum())
        found = tables.engine.collect(uses).sort_by([("account", "ascending")])
        if not found.num_rows:
            return Findings()
        account, sent = found["account"].to_numpy(), found["uses"].to_numpy().astype(np.int64)
        kinds, kind = np.unique(found["signature"].to_numpy(), return_inverse=True)
        opened = surfaces(kinds)
        rarity = np.log(max(tables.population, 2) / np.bincount(kind))
        _, first, owner = np.unique(account, return_index=True, return_inverse=True)
        share = sent / np.bincount(owner, weights=sent)[owner]
        open_ = np.any(list(opened.values()), axis=0)
        score = np.bincount(owner, weights=share * rarity[kind] * open_[kind])
        rare = np.sum([opened[name] for name in RARE], axis=0) >= 2
        habit = rare[kind] & (share >= HABIT) & (sent >= LEAST)
        crowd = np.bincount(kind[habit], minlength=len(kinds))
        linked = habit & (crowd[kind] >= 3) & (crowd[kind] <= CROWD)
        links = pa.Table.from_arrays(
            [
                pa.array(column)
                for column in (account, kinds[kind], sent, np.maximum(rarity[kind], 0.0))
            ],
            schema=LINKS,
        ).filter(pa.array(linked))
        scores = zip(account[first].tolist(), score.tolist(), strict=True)
        named = {each: describe(each) for each in kinds[np.unique(kind[linked])].tolist()}
        return Findings({a: s for a, s in scores if s > 0}, links, labels=named)

    def judge(self, group: Group) -> Sequence[Evidence]:
        return [*self._one_script(group), *self._open_surfaces(group)]

    def _one_script(self, group: Group) -> Sequence[Evidence]:
        usual = group.others.once(_habitual)
        chosen, hits, of, everything = _most_alike(group.rows.once(_habitual), usual)
        rest_chosen, rest_hits, rest_of, rest = _most_alike(_habitual(group.unshared), usual)
        weight, explained = weigh(everything, rest, CEILING)
        if not explained:
            chosen, hits, of = rest_chosen, rest_hits, rest_of
        if weight < 0.5:
            return self._diverse(group, usual)
        rate = float((usual == chosen).mean())
        return [
            Evidence(
                self.metadata.family,
                self.metadata.name,
                value=hits / of,
                base_rate=rate,
                weight=weight,
                explained=explained,
                text=f"{hits} of {of} organisations send the same request parameters "
                f"({describe(chosen)}){_where(explained)}; elsewhere "
                f"{share_of(rate * len(usual), len(usual), 'organisations')} do.",
            )
        ]

    def _diverse(self, group: Group, usual: Ints) -> Sequence[Evidence]:
        """What speaks against one operator: parameters as different as those of strangers."""
        habits = group.rows.once(_habitual)
        alike, strangers = _alike(habits), _alike(usual)
        if len(habits) < 5 or alike > strangers:
            return []
        return [
            Evidence(
                self.metadata.family,
                self.metadata.name,
                value=alike,
                base_rate=strangers,
                speaks_for=False,
                text=f"The organisations' request parameters differ as strangers' do: two of them "
                f"agree in {percent(alike)} of cases, two others in {percent(strangers)}.",
            )
        ]

    def _open_surfaces(self, group: Group) -> Sequence[Evidence]:
        usual, others = group.others.once(_open)
        inside, of = _open(group.rows)
        rest, rest_of = _open(group.unshared)
        best, said = 0.0, []
        remains = 0.0
        for name, words in SURFACES.items():
            if inside[name] < FEWEST:
                continue
            nats = excess(inside[name], of, usual[name], others) - math.log(len(SURFACES))
            left = excess(rest[name], rest_of, usual[name], others) - math.log(len(SURFACES))
            remains = max(remains, left)
            if nats > 1.0:
                said.append((nats, name, words))
            best = max(best, nats)
        weight, explained = weigh(best, remains, SURFACE_CEILING)
        if not said or weight < 0.5:
            return []
        said.sort(reverse=True)
        name = said[0][1]
        return [
            Evidence(
                self.metadata.family,
                self.metadata.name,
                value=inside[name] / of,
                base_rate=usual[name] / others,
                weight=weight,
                explained=explained,
                text=f"{inside[name]} of {of} organisations regularly ask for "
                f"{' and '.join(words for _, _, words in said)}{_where(explained)}; elsewhere "
                f"{share_of(usual[name], others, 'organisations')} ask for {said[0][2]}.",
            )
        ]


def _where(explained: bool) -> str:
    return ", but only beside the wording that they share" if explained else ""


def _habitual(rows: Rows) -> Ints:
    """The signature that each organisation with enough exchanges sends most."""
    owner = organisations(rows)[rows.owner]
    owners, signatures, counts = count_pairs(owner, rows.once(sign))
    if not counts.size:
        return np.zeros(0, dtype=np.int64)
    order = np.lexsort((signatures, -counts, owners))
    _, first, which = np.unique(owners[order], return_index=True, return_inverse=True)
    enough = np.bincount(which, weights=counts[order]) >= LEAST
    habits: Ints = signatures[order][first[enough]]
    return habits


def _most_alike(habits: Ints, usual: Ints) -> tuple[int, int, int, float]:
    """The signature that most organisations share beyond `usual`: it, who, of how many, nats."""
    kinds, counts = np.unique(habits, return_counts=True)
    best = (0, 0, len(habits), 0.0)
    for kind, count in zip(kinds.tolist(), counts.tolist(), strict=True):
        if count >= max(FEWEST, MOST * len(habits)):
            nats = excess(count, len(habits), int((usual == kind).sum()), len(usual))
            nats -= math.log(len(kinds))  # the signature was chosen after looking
            if nats > best[3]:
                best = kind, count, len(habits), nats
    return best


def _alike(habits: Ints) -> float:
    """Probability that two organisations share their signature."""
    _, counts = np.unique(habits, return_counts=True)
    pairs = len(habits) * (len(habits) - 1)
    return float((counts * (counts - 1)).sum() / pairs) if pairs else 0.0


def _open(rows: Rows) -> tuple[dict[str, int], int]:
    """How many organisations use each surface habitually, and how many there are to tell."""
    _, owner = np.unique(organisations(rows)[rows.owner], return_inverse=True)
    total = np.bincount(owner)
    enough = total >= LEAST
    opened = surfaces(rows.once(sign))
    habit = {
        name: (np.bincount(owner, weights=used) >= HABIT * total) & enough
        for name, used in opened.items()
    }
    return {name: int(who.sum()) for name, who in habit.items()}, int(enough.sum())
