"""A cell of the benchmark: one campaign, or none, hidden in a population that all cells share."""

from __future__ import annotations

from dataclasses import dataclass

from stillwatch.errors import SettingsError
from stillwatch.lab.traffic import Arrival, Campaign, Leaks, Tier

__all__ = ["CALIBRATION", "DRIFT", "REFERENCE", "ROUNDS", "SHARED", "TEST", "Cell", "Generation"]

#: the four periods of the simulator, whose texts are disjoint
REFERENCE, CALIBRATION, TEST, DRIFT = range(4)
#: parts of the period after each of which an adaptive campaign learns whether it was named
ROUNDS = 4
#: what a campaign with infrastructure signals shares; between the two campaigns of the demo
SHARED = Leaks(
    payment=0.35,
    payment_group=6,
    device=0.2,
    device_group=5,
    address=0.35,
    addresses=10,
    registration=0.4,
    registration_hours=30,
    client=0.4,
)


@dataclass(frozen=True)
class Generation:
    """One set of accounts of an adaptive campaign: the `number`-th, at work from round `since`.

    It works until it is named; then the next one takes over with accounts and a wording of its own
    and half the share of attack.
    """

    cell: str
    number: int
    since: int

    @property
    def campaign(self) -> str:
        return f"{self.cell}/{self.number}-{self.since}"


@dataclass(frozen=True, kw_only=True)
class Cell:
    """What is hidden, and in which period.

    Attributes:
        tier: how its prompts resemble each other; None for a cell without a campaign.
        accounts: accounts that take part (K).
        exchanges: mean exchanges of an account, its cover traffic included (n).
        cover: share of those that are ordinary use.
        log_sd: spread of the volumes over the accounts.
        shared: infrastructure signals are on.
        adaptive: the campaign is told after each round whether it was named (tier T5).
        period: one of the four; a campaign is hidden in the test period alone.
        active: the days in which it is at work, the whole period if None. Where they are given, it
            is counted how much is leaked before a look at the log so far reports it.
    """

    name: str
    tier: Tier | None = None
    family: str = ""
    accounts: int = 0
    exchanges: int = 0
    cover: float = 0.5
    log_sd: float = 0.4
    arrival: Arrival = Arrival.SPREAD
    shared: bool = False
    adaptive: bool = False
    period: int = TEST
    active: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.tier is not None and self.period != TEST:
            raise SettingsError(f"cell '{self.name}' hides a campaign outside of the test period")

    @property
    def attack(self) -> int:
        """Attack exchanges that are planned (N)."""
        return round(self.accounts * self.exchanges * (1 - self.cover))

    @property
    def level(self) -> str:
        """The tier as tables print it: T5 where the campaign adapts."""
        return "none" if self.tier is None else "T5" if self.adaptive else str(self.tier)

    def generations(self) -> tuple[Generation, ...]:
        """Every generation that an adaptive campaign could need; only some are ever looked at."""
        pairs = [(0, 0), *((n, s) for n in range(1, ROUNDS) for s in range(n, ROUNDS))]
        return tuple(Generation(self.name, number, since) for number, since in pairs)

    def campaigns(self, days: float) -> tuple[Campaign, ...]:
        """What the simulator has to plan for this cell in a period of `days`."""
        if self.tier is None:
            return ()
        if not self.adaptive:
            attacks = self.exchanges * (1 - self.cover)
            return (self._campaign(self.name, attacks, self.cover, self.active),)
        found = []
        for each in self.generations():
            share = (1 - self.cover) / 2**each.number
            left = (ROUNDS - each.since) / ROUNDS
            active = (days * each.since / ROUNDS, days)
            found.append(
                self._campaign(each.campaign, self.exchanges * share * left, 1 - share, active)
            )
        return tuple(found)

    def _campaign(
        self, name: str, per_account: float, cover: float, active: tuple[float, float] | None
    ) -> Campaign:
        assert self.tier is not None
        return Campaign(
            name=name,
            family=self.family,
            tier=self.tier,
            accounts=self.accounts,
            per_account=per_account,
            cover=cover,
            arrival=self.arrival,
            volume_log_sd=self.log_sd,
            leaks=SHARED if self.shared else Leaks(),
            days=active,
        )
