"""Counts by kind while rows are written: exchanges, accounts, composed and distinct texts."""

from __future__ import annotations

from typing import NamedTuple

from stillwatch.lab.traffic.request import Request

__all__ = ["KindCount", "Summary"]


class KindCount(NamedTuple):
    """One line of the table.

    Attributes:
        composed: share of the exchanges whose prompt this project put together.
        distinct: distinct prompts as a share of the exchanges; retries repeat.
        crossing: prompts that two accounts sent, though the kind does not say so.
    """

    kind: str
    accounts: int
    exchanges: int
    composed: float
    distinct: float
    crossing: int
    repeats: str | None


class Summary:
    """Collects counts; :meth:`table` shows them. Texts are remembered as 64-bit hashes."""

    def __init__(self) -> None:
        self._accounts: dict[str, set[str]] = {}
        self._exchanges: dict[str, int] = {}
        self._composed: dict[str, int] = {}
        self._texts: dict[str, set[int]] = {}
        self._repeats: dict[str, str | None] = {}
        self._sender: dict[int, str] = {}
        self._crossing: dict[str, set[int]] = {}

    def add(self, kind: str, account: str, request: Request, repeats: str | None) -> None:
        """Count one exchange. `repeats` says why the kind may repeat texts of other accounts."""
        if kind not in self._texts:
            self._accounts[kind], self._texts[kind], self._crossing[kind] = set(), set(), set()
            self._exchanges[kind] = self._composed[kind] = 0
            self._repeats[kind] = repeats
        text = hash(request.text)
        self._exchanges[kind] += 1
        self._composed[kind] += request.composed
        self._accounts[kind].add(account)
        self._texts[kind].add(text)
        if repeats is None and self._sender.setdefault(text, account) != account:
            self._crossing[kind].add(text)

    @property
    def exchanges(self) -> int:
        return sum(self._exchanges.values())

    def table(self) -> list[KindCount]:
        """One entry a kind, most exchanges first."""
        kinds = sorted(self._exchanges, key=lambda kind: -self._exchanges[kind])
        return [
            KindCount(
                kind,
                len(self._accounts[kind]),
                self._exchanges[kind],
                self._composed[kind] / self._exchanges[kind],
                len(self._texts[kind]) / self._exchanges[kind],
                len(self._crossing[kind]),
                self._repeats[kind],
            )
            for kind in kinds
        ]
