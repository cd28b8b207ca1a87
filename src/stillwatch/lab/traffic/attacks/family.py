"""What a family of attack is: how its accounts behave, and which tiers it can be written in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stillwatch.lab.traffic.kinds.kind import Kind
from stillwatch.lab.traffic.request import Stock
from stillwatch.lab.traffic.scenario import Campaign, Tier
from stillwatch.lab.traffic.talks import Talks

__all__ = ["Effort", "Family"]


@dataclass(frozen=True, kw_only=True)
class Family:
    """A family of attack. `behaviour` says how its accounts act, and holds the writer.

    `scattered`: each turn of a conversation goes through another account.
    """

    behaviour: Kind
    tiers: tuple[Tier, ...]
    languages: tuple[str, ...] = ("en",)
    scattered: bool = False

    @property
    def name(self) -> str:
        return self.behaviour.name


class Effort:
    """What the accounts of one campaign share while it runs: its queue and its spoils.

    Accounts work in the order of time, so that an answer is sent back in after it was given.
    """

    def __init__(self, campaign: Campaign, start: float) -> None:
        self.campaign = campaign
        #: answers of the teacher that wait to be sent back in
        self.answers: list[str] = []
        #: conversations that go over several accounts; set by the traffic for scattered families
        self.talks: Talks | None = None
        self._start = start  # 0 to 1: where in a public set the campaign begins
        self._next: dict[str, int] = {}
        self._states: list[str] = []

    def item(self, name: str, items: Sequence[str]) -> str:
        """The next item of a public set: each is handed out once before any comes again."""
        at = self._next.get(name, int(self._start * len(items)))
        self._next[name] = at + 1
        return items[at % len(items)]

    def states(self, stock: Stock, count: int) -> list[str]:
        """`count` repository states that all accounts run from; the first caller's files."""
        if not self._states:
            files = [stock.take()[0] for _ in range(2 * count)]
            self._states = [f"{a}\n{b}" for a, b in zip(files[::2], files[1::2], strict=True)]
        return self._states
