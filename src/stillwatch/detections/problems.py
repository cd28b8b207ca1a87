"""Public problem sets: who sends their problems, and whether the accounts divide them up.

Evaluators, classrooms and harvesters send the same public problems, so sending them says nothing
by itself. How they are divided does: an evaluator sends the whole set from one account, a class
sends the same few from every account, and a work queue sends each problem once, from whichever
account is free. So the statistic is the repeats among members inside a set that somebody else (or
a registry) names, against the repeats that independent senders would have (a birthday problem). A
harness that brings its wording and its problems cannot explain that. Source: detection.md §2b;
Extraction Warning (arXiv 1711.07221) for the coverage of a set by colluding users.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import ibis
import numpy as np
import pyarrow as pa
from ibis.expr.types import Table

from stillwatch.detections.accounts import Accounts, read_accounts
from stillwatch.detections.detection import FEWEST, Evidence, Family, Findings, Metadata, Tables
from stillwatch.detections.group import Group, Ints, Mask
from stillwatch.detections.passages import Passages
from stillwatch.detections.tables import (
    ACCOUNT_DAYS,
    CONTENTS,
    prompt_shingles,
    public_passages,
    thinned,
)
from stillwatch.detections.wording import share_of, times
from stillwatch.engines import Stage
from stillwatch.statistics import count_pairs, excess, rarity_of_repeats

__all__ = ["Problems", "shared_passages"]

Inputs = Mapping[str, Table]

#: accounts that may share a passage; above, everybody knows it
MANY = 2_000
#: passages that somebody must send to be taken for a set
SET = 30
#: the part of a set that its dividers must reach together
REACH = 0.05
#: share of an organisation's exchanges from which on it is said to send public problems
PUBLIC = 0.3
#: share of its exchanges, and of organisations, from which on all replay the same
REPLAY, REPLAYERS = 0.3, 0.5
CEILING, PUBLIC_CEILING = 4.0, 1.5
#: shingles that are kept of a text of ordinary length
_SHINGLES = 8


def shared_passages(thin: int) -> Stage:
    """Passages that several accounts send, and the content that each sends it in.

    ``account, shingle, held, content``: who sends it in one content only, and so takes it from
    somewhere; ``held`` is how many passages it sends in all, those that nobody shares included.
    """
    reads = f"prompt_shingles_{thin}"

    def build(inputs: Inputs) -> Table:
        rows = inputs[reads]
        sent = rows.group_by("account", "shingle").agg(
            within=rows.varied.cast("int64").max(),
            content=rows.content.min(),
            other=rows.content.max(),
        )
        varies = (sent.within == 1) | (sent.content != sent.other)  # on a day, or between days
        sent = sent.select("account", "shingle", "content", varied=varies)
        public = public_passages(sent)
        shared = public.filter(public.accounts <= MANY)
        totals = sent.group_by("account").agg(held=sent.count())
        found = sent.filter(~sent.varied).semi_join(shared, "shingle").join(totals, "account")
        return found.select("account", "shingle", "held", "content")

    return Stage(f"shared_passages_{thin}", build, reads=(reads,))


class _Set(NamedTuple):
    """A problem set: what a report calls it, who sent what of it (positions of accounts, passages
    numbered from 0), and how many passages it has."""

    name: str
    at: Ints
    passage: Ints
    size: int


@dataclass(frozen=True)
class _Sets:
    """What accounts share of problems. ``at`` and ``sender`` are positions of accounts.

    Attributes:
        at, passage, content_of: one entry an account and passage, ordered by account, with the
            content that it sends it in; passages from 0.
        held: by account, how many passages it sends, shared or not.
        registry: known sets.
        sender, content, uses: one entry an account and exact content; contents from 0.
        public: by owner, whether a good part of its exchanges are public problems.
        replaying: by owner, whether a good part of its exchanges are exact contents of others.
    """

    at: Ints
    passage: Ints
    content_of: Ints
    held: Ints
    registry: Sequence[_Set]
    sender: Ints
    content: Ints
    uses: Ints
    accounts: Accounts
    public: Mask
    replaying: Mask


class Problems:
    """Judges groups; links nobody, since evaluators and harvesters share the same problems.

    One instance a scan: :meth:`find` keeps the shared problems that :meth:`judge` looks up.

    Args:
        registry: known problem sets, name → shingles of their problems, sketched with the key of
            the scan (column ``shingles`` of :class:`stillwatch.sketches.Sketcher`).
    """

    metadata = Metadata(
        name="problems",
        family=Family.PURPOSE,
        title="A public problem set, divided among accounts",
        sees="problems that strangers send too, and how often two members send the same one",
        null="members choose problems independently, so that some are sent twice",
        base_rate="repeats: the birthday problem; public problems: measured in the same log",
        look_alikes=("evaluators", "classrooms", "parts of one set given to different classes"),
        atlas=("AML.T0024.002", "AML.T0005.001"),
    )

    def __init__(self, registry: Mapping[str, Ints] | None = None) -> None:
        self._registry = {name: np.unique(known) for name, known in (registry or {}).items()}
        self._sets: _Sets | None = None

    def stages(self, sampling: int) -> Sequence[Stage]:
        thin = thinned(sampling)
        return [ACCOUNT_DAYS, CONTENTS, prompt_shingles(thin), shared_passages(thin)]

    def find(self, tables: Tables) -> Findings:
        thin = thinned(tables.sampling)
        accounts = read_accounts(tables)
        passages = tables.engine.collect(tables[f"shared_passages_{thin}"]).sort_by("account")
        contents = tables.engine.collect(tables["contents"])
        at = accounts.at(passages["account"].to_numpy())
        passage = np.unique(passages["shingle"].to_numpy(), return_inverse=True)[1]
        held = np.zeros(len(accounts), dtype=np.int64)
        held[at] = passages["held"].to_numpy()
        sender = accounts.at(contents["account"].to_numpy())
        content = np.unique(contents["content"].to_numpy(), return_inverse=True)[1]
        uses = contents["uses"].to_numpy().astype(np.int64)
        texts = np.bincount(at, minlength=len(accounts)) * (thin / _SHINGLES)
        exchanges = np.bincount(accounts.owner, accounts.exchanges, accounts.owners)
        public = np.bincount(accounts.owner, texts, accounts.owners) >= PUBLIC * exchanges
        replaying = _replaying(accounts, sender, content, uses, least=FEWEST)
        self._sets = _Sets(
            at=at,
            passage=passage,
            content_of=passages["content"].to_numpy(),
            held=held,
            registry=[
                _registered(tables, accounts, f"the problem set {name}", known)
                for name, known in self._registry.items()
            ],
            sender=sender,
            content=content,
            uses=uses,
            accounts=accounts,
            public=public,
            replaying=replaying,
        )
        found = np.flatnonzero(texts)
        share = np.minimum(1.0, texts[found] / accounts.exchanges[found])
        return Findings(dict(zip(accounts.account[found].tolist(), share.tolist(), strict=True)))

    def passages(self, customer: Ints) -> Passages | None:
        """Who takes which passage; None where :meth:`find` has not been asked.

        Args:
            customer: for each account of the log, ascending, the number of its customer.
        """
        sets = self._sets
        if sets is None:
            return None
        sender = sets.accounts.account[sets.at]
        return Passages(sender, sets.content_of, sets.passage, customer[sets.at])

    def judge(self, group: Group) -> Sequence[Evidence]:
        sets = self._sets
        if sets is None:
            return []
        members = sets.accounts.within(group.accounts)
        return [
            *self._divided(sets, members),
            *self._sent(sets, members),
            *self._replayed(sets, members),
        ]

    def _divided(self, sets: _Sets, members: Mask) -> Sequence[Evidence]:
        """Evidence that the members divide a set among themselves."""
        accounts = sets.accounts
        best: Evidence | None = None
        for name, at, passage, size in _candidates(sets, members):
            ours = members[at]
            problem, sender, _ = count_pairs(passage[ours], accounts.owner[at[ours]])
            senders = np.unique(problem, return_counts=True)[1]
            each = np.unique(sender, return_counts=True)[1]
            if len(each) < FEWEST or len(senders) < REACH * size or 2 * each.max() > len(problem):
                continue
            repeats = int((senders * (senders - 1) // 2).sum())
            expected = float(len(problem) ** 2 - (each**2).sum()) / 2 / size
            weight = min(CEILING, rarity_of_repeats(repeats, expected))
            if weight >= 0.5 and (best is None or weight > best.weight):
                best = Evidence(
                    self.metadata.family,
                    self.metadata.name,
                    value=repeats / expected,
                    base_rate=None,
                    weight=weight,
                    text=f"{len(each)} organisations together send {len(senders) / size:.0%} of "
                    f"{name}, and {_together(repeats)}; independent "
                    f"senders would do so about {expected:.0f} times.",
                )
        return [] if best is None else [best]

    def _sent(self, sets: _Sets, members: Mask) -> Sequence[Evidence]:
        """That they send public problems at all: worth saying, explained by any harness."""
        accounts = sets.accounts
        public = sets.public[accounts.owner]
        hits, of = accounts.count(public & members), accounts.count(members)
        usual, others = accounts.count(public & ~members), accounts.count(~members)
        weight = min(PUBLIC_CEILING, excess(hits, of, usual, others))
        if weight < 0.5 or hits < FEWEST:
            return []
        return [
            Evidence(
                self.metadata.family,
                self.metadata.name,
                value=hits / of,
                base_rate=usual / others,
                weight=weight,
                explained=True,
                text=f"{hits} of {of} organisations send problems that strangers send too, as "
                f"evaluators, students and harvesters do; elsewhere "
                f"{share_of(usual, others, 'organisations')} do.",
            )
        ]

    def _replayed(self, sets: _Sets, members: Mask) -> Sequence[Evidence]:
        """What speaks against a campaign: every member sends the same texts."""
        accounts = sets.accounts
        of = accounts.count(members)
        ours = members[sets.sender]
        replaying = _replaying(
            accounts,
            sets.sender[ours],
            sets.content[ours],
            sets.uses[ours],
            least=max(FEWEST, int(np.ceil(REPLAY * of))),
        )
        hits = accounts.count(replaying[accounts.owner] & members)
        usual = accounts.count(sets.replaying[accounts.owner] & ~members)
        others = accounts.count(~members)
        weight = min(CEILING, excess(hits, of, usual, others))
        if hits < max(FEWEST, REPLAYERS * of) or weight < 0.5:
            return []
        return [
            Evidence(
                self.metadata.family,
                self.metadata.name,
                value=hits / of,
                base_rate=usual / others,
                weight=weight,
                speaks_for=False,
                veto=True,
                text=f"{hits} of {of} organisations send the very same texts as the others: an "
                f"assignment or an evaluation that each does for itself, not work divided up. "
                f"Elsewhere {share_of(usual, others, 'organisations')} do.",
            )
        ]


def _together(repeats: int) -> str:
    if not repeats:
        return "no two of them sent the same problem"
    return f"two of them sent the same problem {times(repeats)}"


def _registered(tables: Tables, accounts: Accounts, name: str, known: Ints) -> _Set:
    """A registered set, and who sends passages of it; a log holds only the thinned ones."""
    thin = thinned(tables.sampling)
    kept = known[known % thin == 0]
    sent = tables[f"prompt_shingles_{thin}"].select("account", "shingle")
    wanted = ibis.memtable(pa.table({"shingle": kept}))
    found = tables.engine.collect(sent.semi_join(wanted, "shingle").distinct())
    passage = np.searchsorted(kept, found["shingle"].to_numpy())
    return _Set(name, accounts.at(found["account"].to_numpy()), passage, len(kept))


def _candidates(sets: _Sets, members: Mask) -> list[_Set]:
    """Sets that the members' passages may come from: the registered ones, and the passages of the
    stranger who shares most of them."""
    accounts = sets.accounts
    strange = ~np.isin(accounts.owner, accounts.owner[members])[sets.at]
    asked = np.zeros(int(sets.passage.max(initial=-1)) + 1, dtype=bool)
    asked[sets.passage[members[sets.at]]] = True
    overlap = np.bincount(sets.at[strange & asked[sets.passage]], minlength=1)
    stranger = int(overlap.argmax())
    # all that it sends, not only what others send too: with fewer, repeats would seem due
    size = int(sets.held[stranger]) if overlap[stranger] else 0
    if size < SET:
        return [*sets.registry]
    known = np.zeros(len(asked), dtype=bool)
    known[sets.passage[slice(*np.searchsorted(sets.at, [stranger, stranger + 1]))]] = True
    inside = known[sets.passage]
    name = "a set of problems that another account sends too"
    return [*sets.registry, _Set(name, sets.at[inside], sets.passage[inside], size)]


def _replaying(accounts: Accounts, sender: Ints, content: Ints, uses: Ints, *, least: int) -> Mask:
    """Which owners send contents of at least `least` owners in a good part of their exchanges."""
    owner, owners = accounts.owner[sender], max(1, accounts.owners)
    senders = np.bincount(np.unique(content * owners + owner) // owners, minlength=1)
    replayed = senders[content] >= least
    times = np.bincount(owner[replayed], uses[replayed], owners)
    exchanges = np.bincount(accounts.owner, accounts.exchanges, owners)
    replaying: Mask = (times >= REPLAY * exchanges) & (times > 0)
    return replaying
