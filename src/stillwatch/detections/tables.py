"""The stages that several detections share: cells, infrastructure, contents, account days.

Every expression here runs on each engine of :mod:`stillwatch.engines`: no window functions, joins
on equality only, signed 64-bit integers, division by powers of two written as ``%``.
"""

from __future__ import annotations

from collections.abc import Mapping

import ibis
from ibis.expr.types import Table

from stillwatch.detections.bounds import bounded
from stillwatch.engines import Stage

__all__ = [
    "ACCOUNT_DAYS",
    "CONTENTS",
    "INFRASTRUCTURE",
    "INFRASTRUCTURE_KINDS",
    "SHINGLES",
    "account_cells",
    "cell_spread",
    "postings",
    "prompt_shingles",
    "public_passages",
    "shared_cells",
    "thinned",
]

Inputs = Mapping[str, Table]

#: what is kept of an account and a day, in rows: together less than 4 kB
OBJECTS, TEXTS, SHINGLES = 8, 16, 48
#: style cells that recur in several texts, which make a style, and others
VARIED_CELLS, OTHER_CELLS = 60, 30

#: columns whose sharing between accounts is a link, weighed by how rare the shared value is
INFRASTRUCTURE_KINDS = ("payment", "device", "ip", "ja4", "email_domain")


def _account_days(inputs: Inputs) -> Table:
    rows = inputs["exchanges"]
    return rows.group_by("account", day=rows.at.date()).agg(
        exchanges=rows.count(),
        first_at=rows.at.min(),
        last_at=rows.at.max(),
        org=rows.org.max(),
        tenant_kind=rows.tenant_kind.cast("string").min(),
        registered_at=rows.registered_at.min(),
        blocked_at=rows.blocked_at.max(),
        words=rows.words.sum(),
        prompt_tokens=rows.prompt_tokens.sum(),
        cached_tokens=rows.cached_tokens.sum(),
        completion_tokens=rows.completion_tokens.sum(),
        asking=(rows.asks != 0).sum(),
        first_model=rows.model.cast("string").min(),
        last_model=rows.model.cast("string").max(),
    )


#: one row an account and UTC day: who it is, volumes and times
ACCOUNT_DAYS = Stage("account_days", _account_days, daily=True)


def _infrastructure(inputs: Inputs) -> Table:
    rows = inputs["exchanges"]
    kinds = [
        bounded(
            rows.filter(rows[kind].notnull())
            .group_by("account", object=ibis._[kind])
            .agg(uses=ibis._.count()),
            "object",
            OBJECTS,
        ).mutate(kind=ibis.literal(code, type="int32"))
        for code, kind in enumerate(INFRASTRUCTURE_KINDS)
    ]
    return ibis.union(*kinds)


#: which account used which instrument, device, address…: `account, object, uses, kind`
INFRASTRUCTURE = Stage("infrastructure", _infrastructure, daily=True)


def _contents(inputs: Inputs) -> Table:
    rows = inputs["exchanges"]
    rows = rows.filter(rows.words >= 5)
    shared = (
        rows.group_by("content")
        .agg(least=rows.account.min(), most=rows.account.max())
        .filter(lambda table: table.least != table.most)
        .select("content")
    )
    sent = rows.join(shared, "content").group_by("account", "content").agg(uses=ibis._.count())
    return bounded(sent.select("account", "content", "uses"), "content", TEXTS, days=_days(inputs))


def _days(inputs: Inputs) -> Table:
    """On how many days each account was active."""
    return inputs["account_days"].group_by("account").agg(days=ibis._.count())


#: exact contents of five words or more that at least two accounts sent
CONTENTS = Stage("contents", _contents, reads=("exchanges", "account_days"))


def postings(
    rows: Table, sampling: int, *columns: str, of: str = "cells", called: str = "cell"
) -> Table:
    """One row an entry of the list column `of`, with account and `columns`.

    Of entries only those divisible by `sampling`, a power of two.
    """
    found = rows.select("account", *columns, **{called: rows[of].unnest()})
    return found if sampling == 1 else found.filter(found[called] % sampling == 0)


#: accounts that may put a public passage into several contents, as a share of its senders: more,
#: and it is a template's
REPEATING = 0.25


def public_passages(sent: Table) -> Table:
    """``shingle, accounts``: what several accounts send, nearly each in one content only.

    Args:
        sent: ``account, shingle, varied``, a row an account and passage; ``varied`` is true where
            the account puts it into several contents.
    """
    spread = sent.group_by("shingle").agg(
        accounts=sent.count(), varied=sent.varied.cast("int64").sum()
    )
    public = (spread.accounts > 1) & (spread.varied <= REPEATING * spread.accounts)
    return spread.filter(public).select("shingle", "accounts")


def shared_cells(sampling: int) -> Stage:
    """The style cells that at least two accounts sent.

    Only cells divisible by `sampling` (a power of two) are read. The sample is the same in every
    account, so that sharing survives it.
    """

    def build(inputs: Inputs) -> Table:
        return (
            postings(inputs["exchanges"], sampling)
            .group_by("cell")
            .agg(least=ibis._.account.min(), most=ibis._.account.max())
            .filter(lambda table: table.least != table.most)
            .select("cell")
        )

    return Stage(f"shared_cells_{sampling}", build)


def account_cells(sampling: int) -> Stage:
    """Which account used which shared cell: ``account, cell, uses, varied``.

    ``varied`` is true when the account put the cell into more than one distinct content.
    """
    shared = f"shared_cells_{sampling}"

    def build(inputs: Inputs) -> Table:
        used = (
            postings(inputs["exchanges"], sampling, "content")
            .semi_join(inputs[shared], "cell")
            .group_by("account", "cell")
            .agg(uses=ibis._.count(), least=ibis._.content.min(), most=ibis._.content.max())
            .mutate(varied=ibis._.least != ibis._.most)
            .select("account", "cell", uses=ibis._.uses.cast("int32"), varied=ibis._.varied)
        )
        days = _days(inputs)
        return ibis.union(
            bounded(used.filter(used.varied), "cell", VARIED_CELLS, sampling=sampling, days=days),
            bounded(used.filter(~used.varied), "cell", OTHER_CELLS, sampling=sampling, days=days),
        )

    return Stage(f"account_cells_{sampling}", build, reads=("exchanges", shared, "account_days"))


#: accounts that must use a cell in several contents, as a share of those who use it, for the cell
#: to belong to a template; fewer, and it belongs to a text that is passed around, such as a
#: public problem. A clause that 3 requests in 24 hold recurs in 12 % of accounts with 5 of them
VARIED = 0.03


def cell_spread(sampling: int, least: int) -> Stage:
    """:func:`account_cells` of the template cells that at least `least` accounts share.

    Column ``accounts`` says how many do. See :data:`VARIED` for what makes a template cell.
    """
    uses = f"account_cells_{sampling}"

    def build(inputs: Inputs) -> Table:
        rows = inputs[uses]
        spread = (
            rows.group_by("cell")
            .agg(accounts=rows.count(), varied_in=rows.varied.sum())
            .filter(lambda table: table.accounts >= least)
            .filter(lambda table: table.varied_in >= 1)
            .filter(lambda table: table.varied_in >= table.accounts * VARIED)
            .select("cell", "accounts")
        )
        return rows.join(spread, "cell").select("account", "cell", "uses", "varied", "accounts")

    return Stage(f"cell_spread_{sampling}_{least}", build, reads=(uses,))


def thinned(sampling: int) -> int:
    """The power of two that shingles are thinned by where cells are thinned by `sampling`.

    A text has 8 shingles or more: of a small log about one a text remains, of a large one fewer,
    the same ones in every account.
    """
    return 8 if sampling == 1 else 16 * sampling


def prompt_shingles(thin: int) -> Stage:
    """Which account sent which shingle: ``account, shingle, varied, first, content``.

    ``varied`` is true when the account put it into more than one distinct content on that day;
    ``content`` is one of those.
    """

    def build(inputs: Inputs) -> Table:
        rows = inputs["exchanges"]
        sent = (
            postings(rows, thin, "at", "content", of="shingles", called="shingle")
            .group_by("account", "shingle")
            .agg(
                least=ibis._.content.min(),
                most=ibis._.content.max(),
                first=ibis._.at.min(),
            )
            .mutate(varied=ibis._.least != ibis._.most, content=ibis._.least)
            .select("account", "shingle", "varied", "first", "content")
        )
        return bounded(sent, "shingle", SHINGLES, sampling=thin)

    return Stage(f"prompt_shingles_{thin}", build, daily=True)
