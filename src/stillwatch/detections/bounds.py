"""What is kept of an account and a day has a limit, however much it sends."""

from __future__ import annotations

import ibis
from ibis.expr.types import Table

__all__ = ["bounded"]

#: halvings after which an account that still has too many rows keeps them
_HALVINGS = 24


def bounded(
    rows: Table, by: str, most: int, *, sampling: int = 1, days: Table | None = None
) -> Table:
    """Of each account that has more than `most` of `rows` an even sample.

    The column `by` (a keyed hash, divisible by `sampling`) decides: kept is what the smallest
    sufficient power of two divides, so that between half of `most` and `most` rows are expected to
    remain; a quarter more is rare. The samples are nested: what two accounts share is kept by both
    or by the one that has fewer (coordinated sampling, Cohen and Kaplan 2013).

    Args:
        days: ``account, days``: for rows of several days, over how many `most` is multiplied.
    """
    held = rows.group_by("account").agg(held=ibis._.count())
    if days is not None:
        held = held.join(days, "account")
    allowed = ibis.literal(most, type="int64") if days is None else held.days * most
    thin = ibis.cases(
        *((held.held <= allowed * 2**n, sampling * 2**n) for n in range(_HALVINGS)),
        else_=sampling * 2**_HALVINGS,
    )
    sampled = rows.join(held.select("account", thin=thin.cast("int64")), "account")
    return sampled.filter(sampled[by] % sampled.thin == 0).drop("thin")
