"""What our own cases say of a pattern: confirmed, refuted, or only matched.

A pattern is confirmed where at least half of the accounts that meet it here are in cases that were
upheld, and refuted where one is in a case that was dismissed and none in one that was upheld. An
account of a dismissed case was cleared by people, whatever others say of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec
from sqlalchemy import Connection, select

from stillwatch.cases.schema import ACCOUNTS, CASES
from stillwatch.cases.states import State
from stillwatch.intel.received.schema import HITS

__all__ = ["Outcome", "Verdicts", "read_verdicts"]

Outcome = Literal["matched", "confirmed", "refuted"]
#: share of the accounts meeting a pattern that upheld cases must hold
CONFIRMS = 0.5


class Verdicts(msgspec.Struct, frozen=True):
    """Accounts of our own that met patterns, and what was decided of them."""

    met: Mapping[str, frozenset[str]]
    upheld: frozenset[str]
    dismissed: frozenset[str]

    def of(self, pattern: str) -> Outcome:
        """What our cases say of a pattern."""
        met = self.met.get(pattern, frozenset())
        upheld = met & self.upheld
        if met and len(upheld) >= CONFIRMS * len(met):
            return "confirmed"
        return "refuted" if met & self.dismissed and not upheld else "matched"


def read_verdicts(connection: Connection) -> Verdicts:
    """The verdicts that stand now on accounts that met something; an appeal suspends one."""
    met: dict[str, set[str]] = {}
    for pattern, account in connection.execute(select(HITS.c.pattern, HITS.c.account)):
        met.setdefault(pattern, set()).add(account)
    decided: dict[str, set[str]] = {"upheld": set(), "dismissed": set()}
    rows = connection.execute(
        select(CASES.c.verdict, ACCOUNTS.c.account)
        .join(ACCOUNTS, ACCOUNTS.c.case_id == CASES.c.id)
        .where(
            CASES.c.state.in_([str(State.DECIDED), str(State.CLOSED)]),
            CASES.c.verdict.in_(list(decided)),
            ACCOUNTS.c.account.in_(select(HITS.c.account)),
        )
    )
    for verdict, account in rows:
        decided[verdict].add(account)
    return Verdicts(
        {pattern: frozenset(some) for pattern, some in met.items()},
        frozenset(decided["upheld"]),
        frozenset(decided["dismissed"] - decided["upheld"]),
    )
