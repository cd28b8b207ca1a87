"""Text that the model wrote for one account comes back in the prompts of others.

A pipeline that cleans, grades or rewrites the teacher's answers sends them in again, and a pool
spreads that work: account A gets an answer, account B has it rewritten. What counts was seen in an
answer before anybody sent it, in the answers of few accounts only, and it comes back under another
organisation. A template cannot explain that: its words are in prompts first. An account's own
answers come back too, from editors and coding agents, so those are shown but never counted.
Sources: the cleaner of the September 2026 disclosure (770,609 exchanges in ten days), and
Evol-Instruct (arXiv 2304.12244), whose outputs are its next inputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import ibis
import numpy as np
from ibis.expr.types import Table

from stillwatch.detections.accounts import Accounts, read_accounts
from stillwatch.detections.bounds import bounded
from stillwatch.detections.detection import (
    FEWEST,
    Abstained,
    Evidence,
    Family,
    Findings,
    Metadata,
    Tables,
)
from stillwatch.detections.group import Group, Ints, Mask
from stillwatch.detections.pools import find_pools, link_pools
from stillwatch.detections.tables import ACCOUNT_DAYS, SHINGLES, prompt_shingles, thinned
from stillwatch.detections.wording import share_of
from stillwatch.engines import Stage
from stillwatch.statistics import excess

__all__ = ["Reentry", "answer_shingles", "returned"]

#: account-days in whose answers a passage may be found; above, it is a stock phrase
WRITERS = 4
#: account-days that may send it; above, it has become public
READERS = 60
#: passages that an organisation must have sent before it is said to feed on others' answers
PASSAGES = 2
#: own passages by exchange from which on an account feeds on its own answers
OWN = 0.5
CEILING, OWN_CEILING = 5.0, 2.0

Inputs = Mapping[str, Table]


def answer_shingles(thin: int) -> Stage:
    """Which account was answered with which shingle, and when first: ``account, shingle, first``.

    Only shingles divisible by `thin` (a power of two) are read, as in `prompt_shingles`.
    """

    def build(inputs: Inputs) -> Table:
        rows = inputs["exchanges"].select("account", "at", "output_shingles")
        rows = rows.mutate(shingle=rows.output_shingles.unnest()).drop("output_shingles")
        kept = rows.filter(rows.shingle % thin == 0)
        answered = kept.group_by("account", "shingle").agg(first=kept.at.min())
        return bounded(answered, "shingle", SHINGLES, sampling=thin)

    return Stage(f"answer_shingles_{thin}", build, daily=True)


def returned(thin: int) -> Stage:
    """Who got, and who sent, the passages that were first seen in an answer.

    One row an account, shingle and side: ``account, shingle, sent`` (false: got it as an answer).
    """
    answers, prompts = f"answer_shingles_{thin}", f"prompt_shingles_{thin}"

    def build(inputs: Inputs) -> Table:
        got, sent = inputs[answers], inputs[prompts]
        written = got.group_by("shingle").agg(written=got["first"].min(), writers=got.count())
        asked = sent.group_by("shingle").agg(asked=sent["first"].min(), readers=sent.count())
        both = written.join(asked, "shingle")
        back = both.filter(
            (both.asked > both.written) & (both.writers <= WRITERS) & (both.readers <= READERS)
        )
        sides = [
            table.select("account", "shingle")
            .distinct()
            .semi_join(back, "shingle")
            .mutate(sent=ibis.literal(side))
            for side, table in ((False, got), (True, sent))
        ]
        return ibis.union(*sides)

    return Stage(f"returned_{thin}", build, reads=(answers, prompts))


@dataclass(frozen=True)
class _Returned:
    """Passages that came back, one entry an account and side; ``at`` is the account's position.

    ``sent`` is false where the account got the passage as an answer. ``own`` marks what the
    sender's own organisation had got; ``feeding`` the owners that feed on others' answers.
    """

    at: Ints
    passage: Ints
    sent: Mask
    own: Mask
    accounts: Accounts

    @cached_property
    def feeding(self) -> Mask:
        feeding, _ = self.feed(np.ones(len(self.at), dtype=bool))
        return feeding

    def foreign(self, chosen: Mask) -> Mask:
        """Which entries send a passage that a chosen account of another owner got."""
        written = np.zeros(int(self.passage.max(initial=-1)) + 1, dtype=bool)
        written[self.passage[chosen & ~self.sent]] = True
        foreign: Mask = chosen & self.sent & ~self.own & written[self.passage]
        return foreign

    def feed(self, chosen: Mask) -> tuple[Mask, int]:
        """The owners that send passages of other chosen owners, and how many passages that is."""
        rows = self.foreign(chosen)
        owner, owners = self.accounts.owner[self.at[rows]], self.accounts.owners
        pairs = np.unique(self.passage[rows] * owners + owner)
        feeding: Mask = np.bincount(pairs % max(1, owners), minlength=owners) >= PASSAGES
        passages = np.unique((pairs // max(1, owners))[feeding[pairs % max(1, owners)]])
        return feeding, len(passages)


class Reentry:
    """Links accounts that send what others were answered. One instance a scan: :meth:`find` keeps
    the returned passages that :meth:`judge` looks up."""

    metadata = Metadata(
        name="reentry",
        family=Family.CONTENT,
        title="The model's answers come back as prompts",
        sees="passages that were first seen in an answer and are then sent by other accounts",
        null="what the model wrote for one organisation is not sent in by another one",
        base_rate="measured in the same log: organisations outside the group that do so",
        look_alikes=(
            "answers that were published and are quoted",
            "graders and observability tools of a company whose accounts the log does not join",
            "coding agents and editors (own answers only)",
        ),
        atlas=("AML.T0024.002", "AML.T0005.001"),
        needs=("completion",),
    )

    def __init__(self) -> None:
        self._returned: _Returned | None = None
        self._thin = 1

    def stages(self, sampling: int) -> Sequence[Stage]:
        thin = thinned(sampling)
        return [ACCOUNT_DAYS, prompt_shingles(thin), answer_shingles(thin), returned(thin)]

    def find(self, tables: Tables) -> Findings:
        thin = self._thin = thinned(tables.sampling)
        if not tables.engine.collect(tables[f"answer_shingles_{thin}"].limit(1)).num_rows:
            raise Abstained("the log holds no answers (completion)")
        rows = tables.engine.collect(tables[f"returned_{thin}"])
        accounts = read_accounts(tables)
        account, shingle, sent = (
            rows[name].to_numpy(zero_copy_only=False) for name in ("account", "shingle", "sent")
        )
        at, passage = accounts.at(account), np.unique(shingle, return_inverse=True)[1]
        pair = passage * accounts.owners + accounts.owner[at]
        own = sent & np.isin(pair, pair[~sent])
        self._returned = back = _Returned(at, passage, sent, own, accounts)
        foreign = back.foreign(np.ones(len(at), dtype=bool))
        score = np.log1p(np.bincount(at[foreign], minlength=len(accounts)))
        score += np.log1p(np.bincount(at[own], minlength=len(accounts))) / 4
        found = np.flatnonzero(score)
        ties = foreign | (~sent & np.isin(passage, passage[foreign]))
        pools = find_pools(account[ties], shingle[ties], least=3, ties=PASSAGES)
        return Findings(
            scores=dict(zip(accounts.account[found].tolist(), score[found].tolist(), strict=True)),
            links=link_pools(pools, tables.population),
            labels={pool.name: "returned answers" for pool in pools},
        )

    def judge(self, group: Group) -> Sequence[Evidence]:
        back = self._returned
        if back is None:
            return []
        members = back.accounts.within(group.accounts)
        return [*self._foreign(back, members), *self._own(back, members)]

    def _foreign(self, back: _Returned, members: Mask) -> Sequence[Evidence]:
        feeding, passages = back.feed(members[back.at])
        hits, of = int(feeding.sum()), back.accounts.count(members)
        usual = back.accounts.count(back.feeding[back.accounts.owner] & ~members)
        others = back.accounts.count(~members)
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
                text=f"{hits} of {of} organisations send in what the model wrote for another one "
                f"of them ({passages} passages were seen, in a sample); elsewhere "
                f"{share_of(usual, others, 'organisations')} do.",
            )
        ]

    def _own(self, back: _Returned, members: Mask) -> Sequence[Evidence]:
        times = np.bincount(back.at[back.own], minlength=len(members))
        rate = times * self._thin / back.accounts.exchanges
        feeding = rate >= OWN
        hits, of = int(feeding[members].sum()), int(members.sum())
        usual, others = int(feeding[~members].sum()), int((~members).sum())
        weight = min(OWN_CEILING, excess(hits, of, usual, others))
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
                text=f"{hits} of {of} accounts feed the model's answers back to it, as chains of "
                f"rewriting do, and editors and coding agents too; elsewhere "
                f"{share_of(usual, others, 'accounts')} do.",
            )
        ]
