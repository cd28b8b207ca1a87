"""What a block rests on: who tells the pattern, what our cases decided, how many accounts meet it.

The same grounds are asked before an account is slowed and as long as it is, so that nothing stays
in force that would not be begun again.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping

import msgspec
from sqlalchemy import Connection, func, select

from stillwatch.cases.standing import standings
from stillwatch.intel.crowds import is_crowd
from stillwatch.intel.matching.indicators import WORDING, indicator_of
from stillwatch.intel.received.live import Support, supports
from stillwatch.intel.received.outcomes import read_verdicts
from stillwatch.intel.received.reputation import distrusted, read_reputations
from stillwatch.intel.received.schema import BLOCKS, HITS, OBJECTS

__all__ = ["Carried", "Grounds", "last_until"]


class Carried(msgspec.Struct, frozen=True):
    """Who tells a pattern of those that are trusted (`told`), and of them those to whom it meets no
    crowd here (`carrying`)."""

    told: tuple[Support, ...]
    carrying: tuple[Support, ...]

    @property
    def senders(self) -> frozenset[str]:
        """Who carries it."""
        return frozenset(each.sender for each in self.carrying)


class Grounds:
    """Everything that speaks for and against blocks at a time `now`, within a transaction."""

    def __init__(self, connection: Connection, now: int) -> None:
        self._connection = connection
        self.told = supports(connection, now)
        self.verdicts = read_verdicts(connection)
        self._reputations = read_reputations(connection, self.told, self.verdicts)
        self._spread = _spread(connection)
        blocked = select(BLOCKS.c.account).where(BLOCKS.c.ended_at.is_(None))
        accounts = {*connection.execute(blocked).scalars(), *_accounts(self.verdicts.met)}
        self._people = standings(connection, sorted(accounts), now)
        # one for all accounts that meet a pattern, and for all rules
        self.carried = functools.cache(self._carried)
        self._bad = functools.cache(lambda share: distrusted(self._reputations, share))

    def _carried(self, pattern: str, share: float) -> Carried:
        bad = self._bad(share)
        told = tuple(each for each in self.told.get(pattern, ()) if each.sender not in bad)
        carrying = tuple(each for each in told if not self._is_crowd(pattern, each))
        return Carried(told, carrying)

    def confirmed(self, pattern: str) -> bool:
        """Whether our own cases confirm it."""
        return self.verdicts.of(pattern) == "confirmed"

    def against(self, pattern: str, account: str, kind: str, share: float) -> str:
        """Why nothing is done about an account, whoever tells; nothing where it may be."""
        carried, known = self.carried(pattern, share), self._people.get(account)
        if not carried.told:
            return "nobody tells it any more, or nobody who is trusted"
        if not carried.carrying:
            return "a crowd meets it here"
        if account in self.verdicts.dismissed:
            return "people cleared the account"
        if known is not None and (known.allowed or known.purposes):
            return "the account is allow-listed or registered for a purpose"
        if kind == WORDING and account not in self.verdicts.upheld:
            return "only its wording was told, which honest users of a tool send too"
        return ""

    def _is_crowd(self, pattern: str, support: Support) -> bool:
        """Whether more accounts meet it here than this sender tells of, or than one effort has. In
        any log: who was met before the crowd came is as innocent as the crowd."""
        body = self._connection.execute(
            select(OBJECTS.c.body).where(
                OBJECTS.c.sender == support.sender, OBJECTS.c.id == support.id, OBJECTS.c.newest
            )
        ).scalar_one()
        claimed = indicator_of(json.loads(body)).accounts
        return any(is_crowd(having, of, claimed) for having, of in self._spread.get(pattern, ()))


def last_until(carrying: Iterable[Support], needed: int) -> int:
    """Until when `needed` senders tell it; until the last of them does, where none is needed."""
    ends: dict[str, int] = {}
    for each in carrying:
        ends[each.sender] = max(each.valid_until, ends.get(each.sender, 0))
    return sorted(ends.values(), reverse=True)[max(needed, 1) - 1]


def _accounts(met: Mapping[str, Iterable[str]]) -> set[str]:
    return set().union(*met.values())


def _spread(connection: Connection) -> dict[str, list[tuple[int, int]]]:
    """Pattern → how many accounts met it, and out of how many: in each log, and in all together."""
    found: dict[str, list[tuple[int, int]]] = {}
    logs = select(HITS.c.pattern, HITS.c.accounts, HITS.c.of).distinct()
    for pattern, accounts, of in connection.execute(logs):
        found.setdefault(pattern, []).append((accounts, of))
    every = select(HITS.c.pattern, func.count()).group_by(HITS.c.pattern)
    for pattern, accounts in connection.execute(every):
        found[pattern].append((accounts, 0))
    return found
