"""Who was met by what: counts by rule, by account and by kind of customer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

__all__ = ["AccountTally", "RuleTally", "Tallies"]


class RuleTally:
    """Requests that one rule (level, limit, action) met, by what it did with them; the times are
    microseconds since 1970-01-01 UTC."""

    __slots__ = ("counts", "first", "index", "last", "needs")

    def __init__(self, index: int) -> None:
        self.index = index
        self.counts: Counter[str] = Counter()
        self.needs: set[str] = set()
        self.first: int | None = None
        self.last: int | None = None

    def add(self, what: str, at: int) -> None:
        self.counts[what] += 1
        if self.first is None:
            self.first = at
        self.last = at


class AccountTally:
    """What one account met. `met` and `perhaps` are bit sets of rules, by their index."""

    __slots__ = ("counts", "first", "kind", "last", "met", "org", "perhaps")

    def __init__(self, kind: str | None, org: str | None, outcomes: int) -> None:
        self.kind, self.org = kind, org
        self.counts = [0] * outcomes
        self.met = 0
        self.perhaps = 0
        self.first: int | None = None
        self.last: int | None = None


class Tallies:
    """Everything that is counted. `outcomes` are named in their order, the harmless one first.

    Memory grows with the number of accounts, not with that of requests.
    """

    def __init__(self, outcomes: Sequence[str]) -> None:
        self.outcomes = tuple(outcomes)
        self._number = {name: i for i, name in enumerate(outcomes)}
        self.totals: Counter[str] = Counter()
        self.effects: Counter[str] = Counter()
        self.rules: dict[str, RuleTally] = {}
        self.accounts: dict[str, AccountTally] = {}

    def rule(self, name: str) -> RuleTally:
        """The tally of a rule; a new one where it was not met yet."""
        found = self.rules.get(name)
        if found is None:
            found = self.rules[name] = RuleTally(len(self.rules))
        return found

    def request(
        self, account: str, kind: str | None, org: str | None, outcome: str, at: int
    ) -> AccountTally:
        """Count a request of an account."""
        self.totals[outcome] += 1
        found = self.accounts.get(account)
        if found is None:
            found = self.accounts[account] = AccountTally(kind, org, len(self.outcomes))
        number = self._number[outcome]
        found.counts[number] += 1
        if number:
            if found.first is None:
                found.first = at
            found.last = at
        return found

    def affected(self, tally: AccountTally) -> int:
        """Requests of an account that did not come out as before."""
        return sum(tally.counts[1:])

    def among(self, bits: int) -> Iterator[str]:
        """The rules of a bit set."""
        return (name for name, rule in self.rules.items() if bits >> rule.index & 1)

    def accounts_met(self) -> Counter[str]:
        """How many accounts each rule met."""
        found: Counter[str] = Counter()
        for sets, accounts in Counter(each.met for each in self.accounts.values()).items():
            for name, rule in self.rules.items():
                if sets >> rule.index & 1:
                    found[name] += accounts
        return found

    def most_affected(self, number: int | None = None) -> list[tuple[str, AccountTally]]:
        """Accounts with affected requests, those with most of them first."""
        affected = ((n, t) for n, t in self.accounts.items() if self.affected(t))
        ordered = sorted(affected, key=lambda each: (-self.affected(each[1]), each[0]))
        return ordered if number is None else ordered[:number]

    def kinds(self) -> dict[str | None, tuple[int, int, list[int]]]:
        """By kind of customer: accounts, affected ones, and their requests by outcome."""
        found: dict[str | None, tuple[int, int, list[int]]] = {}
        for tally in self.accounts.values():
            all_, hit, counts = found.get(tally.kind, (0, 0, [0] * len(self.outcomes)))
            found[tally.kind] = (
                all_ + 1,
                hit + bool(self.affected(tally)),
                list(_sums(counts, tally.counts)),
            )
        return found


def _sums(one: Iterable[int], other: Iterable[int]) -> Iterator[int]:
    return (a + b for a, b in zip(one, other, strict=True))
