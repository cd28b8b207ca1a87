"""One conversation under several accounts, and long conversations that never meet their cache.

A relay spreads the turns of its users' conversations over its pool: one account sends a
conversation up to some answer, another goes on from there. Such a *state*, the messages up to the
last answer, holds text that the model wrote, so it does not come about twice by chance; and it
arrives where its prefix is not cached. Sources: one-api picks a channel at random for each request
(``relay/adaptor``, ``model/cache.go``); chained digests of prefixes are those of prefix caches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import ibis
import numpy as np
from ibis.expr.types import Table

from stillwatch.detections.accounts import Accounts, meeting, read_accounts
from stillwatch.detections.bounds import bounded
from stillwatch.detections.detection import (
    FEWEST,
    Abstained,
    Evidence,
    Family,
    Findings,
    Metadata,
    Tables,
    weigh,
)
from stillwatch.detections.group import UNKNOWN, Group, Ints, Mask, Rows
from stillwatch.detections.infrastructure import organisations
from stillwatch.detections.pools import find_pools, link_pools
from stillwatch.detections.tables import ACCOUNT_DAYS
from stillwatch.detections.wording import share_of
from stillwatch.engines import Stage
from stillwatch.statistics import excess

__all__ = ["Prefixes", "shared_states", "states"]

Inputs = Mapping[str, Table]

#: entries of the chain that an exchange keeps, the newest ones
KEPT = 16
#: a state in more requests is a fixed beginning (a greeting, worked examples), no conversation
REQUESTS = 24
#: input tokens from which on a cache of prefixes should have helped
LONG = 1_500
#: exchanges that long, below which an account's cached share says nothing
LEAST = 3
#: cached share of long conversations below which an account misses its cache
MISSED = 0.1
#: states of conversations that are kept of an account and a day
STATES = 32
CEILING, CACHE_CEILING = 5.0, 2.5


def states(thin: int) -> Stage:
    """Conversation states by request: ``account, owner, request, state``.

    Of each conversation of three messages or more whose answer is not dictated: the state before
    its newest message, and from five messages on the one before that, which was the newest state
    of an earlier request: so a conversation meets itself. Only states that are divisible by
    `thin` (a power of two) are kept.
    """

    def build(inputs: Inputs) -> Table:
        rows = inputs["exchanges"]
        rows = rows.filter((rows.turns >= 3) & ~rows.prefill.fill_null(False))
        held = ibis.least(rows.turns, KEPT)
        earlier = rows.prefixes[ibis.greatest(held - 4, 0)]
        rows = rows.select(
            "account",
            "request",
            owner=ibis.coalesce(rows.org, rows.account),
            newest=rows.prefixes[held - 2],
            earlier=ibis.ifelse(rows.turns >= 5, earlier, ibis.null("int64")),
        )
        sides = [
            rows.filter(rows[state] % thin == 0).select(
                "account", "owner", "request", state=rows[state]
            )
            for state in ("newest", "earlier")
        ]
        return bounded(ibis.union(*sides), "state", STATES, sampling=thin)

    return Stage(f"states_{thin}", build, daily=True)


def shared_states(thin: int) -> Stage:
    """States that at least two organisations sent, fixed beginnings left out.

    One row a request and state: ``account, owner, request, state``.
    """
    reads = f"states_{thin}"

    def build(inputs: Inputs) -> Table:
        sent = inputs[reads]
        shared = (
            sent.group_by("state")
            .agg(least=sent.owner.min(), most=sent.owner.max(), requests=sent.count())
            .filter(lambda table: (table.least != table.most) & (table.requests <= REQUESTS))
        )
        return sent.semi_join(shared, "state")

    return Stage(f"shared_states_{thin}", build, reads=(reads,))


@dataclass(frozen=True)
class _Shared:
    """The shared states of a log, one entry a request; ``at`` is the account's position.

    ``wandering`` says which owners share a state with any other.
    """

    at: Ints
    state: Ints
    request: Ints
    accounts: Accounts
    wandering: Mask


class Prefixes:
    """Links pools whose accounts continue each other's conversations. One instance a scan:
    :meth:`find` keeps the shared states that :meth:`judge` looks up."""

    metadata = Metadata(
        name="prefixes",
        family=Family.CONTENT,
        title="Conversations that wander between accounts",
        sees="conversations, answers included, that go on under an account of another organisation",
        null="a conversation stays with the organisation that began it",
        base_rate="measured in the same log: organisations outside the group that share a state",
        look_alikes=(
            "forks of one company whose accounts the log does not join",
            "coding harnesses and chat widgets with fixed first messages",
            "evaluators that replay scripted conversations at temperature 0",
            "people who move to another account",
        ),
        atlas=("AML.T0008.005", "AML.T0024.002"),
        needs=("messages",),
    )

    def __init__(self) -> None:
        self._shared: _Shared | None = None

    def stages(self, sampling: int) -> Sequence[Stage]:
        thin = _thin(sampling)
        return [ACCOUNT_DAYS, states(thin), shared_states(thin)]

    def find(self, tables: Tables) -> Findings:
        thin = _thin(tables.sampling)
        if not tables.engine.collect(tables[f"states_{thin}"].limit(1)).num_rows:
            raise Abstained("the log holds no conversations of three messages or more")
        rows = tables.engine.collect(tables[f"shared_states_{thin}"])
        account, digest, request = (
            rows[name].to_numpy() for name in ("account", "state", "request")
        )
        accounts = read_accounts(tables)
        at, state = accounts.at(account), np.unique(digest, return_inverse=True)[1]
        wandering = meeting(accounts.owner[at], state, accounts.owners)
        self._shared = _Shared(at, state, request, accounts, wandering)
        pools = find_pools(account, digest, least=3)
        pairs = np.unique(state * len(accounts) + at)
        scored, counts = np.unique(pairs % max(1, len(accounts)), return_counts=True)
        names = accounts.account[scored].tolist()
        return Findings(
            scores=dict(zip(names, np.log1p(counts).tolist(), strict=True)),
            links=link_pools(pools, tables.population),
            labels={pool.name: "conversations" for pool in pools},
        )

    def judge(self, group: Group) -> Sequence[Evidence]:
        return [*self._wandering(group), *self._missing(group)]

    def _wandering(self, group: Group) -> Sequence[Evidence]:
        shared = self._shared
        if shared is None:
            return []
        accounts = shared.accounts
        members = accounts.within(group.accounts)
        inside, outside = accounts.count(members), accounts.count(~members)
        usual = accounts.count(shared.wandering[accounts.owner] & ~members)
        ours = members[shared.at]
        # of busy accounts a sample is at hand: what is not in it is not known to lack the style
        unstyled = group.rows.ints("request")[~group.styled]
        styled = ours.copy()
        styled[ours] = ~np.isin(shared.request[ours], unstyled)
        wandering, rest = (
            int(meeting(accounts.owner[shared.at[some]], shared.state[some], accounts.owners).sum())
            for some in (ours, ours & ~styled)
        )
        weight, explained = weigh(
            excess(wandering, inside, usual, outside),
            excess(rest, inside, usual, outside),
            CEILING,
        )
        if weight < 0.5 or wandering < FEWEST:
            return []
        conversations = len(np.unique(shared.state[ours]))
        return [
            Evidence(
                self.metadata.family,
                self.metadata.name,
                value=wandering / inside,
                base_rate=usual / max(1, outside),
                weight=weight,
                explained=explained,
                text=f"{wandering} of {inside} organisations behind these accounts go on with "
                f"conversations that another of them began ({conversations} such points were "
                f"seen); elsewhere {share_of(usual, outside, 'organisations')} do.",
            )
        ]

    def _missing(self, group: Group) -> Sequence[Evidence]:
        if not group.rows.knows("cached_tokens"):
            return []
        hits, of = _misses(group.rows)
        usual, others = group.others.once(_misses)
        rest = excess(*_misses(group.unshared), usual, others)
        weight, explained = weigh(excess(hits, of, usual, others), rest, CACHE_CEILING)
        if weight < 0.5 or hits < FEWEST:
            return []
        return [
            Evidence(
                self.metadata.family,
                self.metadata.name,
                value=hits / of,
                base_rate=usual / others,
                weight=weight,
                explained=explained,
                text=f"{hits} of {of} organisations with long conversations find less than "
                f"{MISSED:.0%} of them in the cache, as if each turn came from somewhere else; "
                f"elsewhere {share_of(usual, others, 'organisations')} do.",
            )
        ]


def _thin(sampling: int) -> int:
    """All states of a small log; of a large one some, the same ones in every account."""
    return 1 if sampling == 1 else 2 * sampling


def _misses(rows: Rows) -> tuple[int, int]:
    """Organisations that miss the cache in long conversations, and all that have such."""
    prompt, cached = rows.ints("prompt_tokens"), rows.ints("cached_tokens")
    long = (rows.ints("turns") >= 3) & (prompt >= LONG) & (cached != UNKNOWN)
    _, owner = np.unique(organisations(rows)[rows.owner[long]], return_inverse=True)
    times = np.bincount(owner)
    sent = np.bincount(owner, weights=prompt[long])
    served = np.bincount(owner, weights=cached[long])
    judged = times >= LEAST
    return int((served[judged] < MISSED * sent[judged]).sum()), int(judged.sum())
