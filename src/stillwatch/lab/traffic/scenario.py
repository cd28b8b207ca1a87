"""What to simulate, as frozen dataclasses: a scenario, its campaigns, and what gives them away."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from stillwatch.errors import SettingsError

__all__ = ["PERIODS", "PERIOD_DAYS", "Arrival", "Campaign", "Failover", "Leaks", "Scenario", "Tier"]

#: disjoint periods that the pools of text are divided into
PERIODS = 4
#: days from the start of one period to the start of the next
PERIOD_DAYS = 28
_EPOCH = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday


class Tier(StrEnum):
    """How the prompts of a campaign resemble each other; see :mod:`.tiers` for the measure."""

    T0 = "T0"  #: verbatim
    T1 = "T1"  #: a clause grammar
    T2 = "T2"  #: paraphrase: many wordings of one intent
    T3 = "T3"  #: public templates that innocent accounts send too
    T4 = "T4"  #: resampled benign traffic


class Arrival(StrEnum):
    """How the exchanges of a campaign fall in time."""

    SPREAD = "spread"  #: a work queue that is drained evenly
    SYNCHRONISED = "synchronised"  #: batches; every account works in the same ones
    BURST = "burst"  #: each account in one short run of its own
    HUMAN = "human"  #: mimicry of people's days
    PIVOT = "pivot"  #: half of it in the 24 hours after a model is released


@dataclass(frozen=True, kw_only=True)
class Leaks:
    """Infrastructure that the accounts of a campaign share. All shares are 0 to 1.

    `*_group` is how many accounts share one value; the other accounts are as innocent ones are.
    """

    payment: float = 0.0
    payment_group: int = 6
    device: float = 0.0
    device_group: int = 4
    address: float = 0.0
    addresses: int = 12
    registration: float = 0.0
    registration_hours: float = 36.0
    mail: float = 0.0
    client: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Failover:
    """The provider blocks the first `share` of the accounts on `day`; the others take over.

    The first exchange of the spare pool follows within `lag_hours`.
    """

    day: float
    share: float = 0.5
    lag_hours: float = 3.0


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """One distillation effort. Volumes come from `per_account` or from `share`, not from both.

    Attributes:
        family: a name of :data:`stillwatch.lab.traffic.attacks.FAMILIES`.
        accounts: accounts that take part (K).
        per_account: mean attack exchanges of an account over the whole scenario.
        share: attack exchanges as a share of all exchanges, instead of `per_account`.
        cover: share of a member's exchanges that are ordinary use, of the kinds in `cover_kinds`.
        volume_log_sd: spread of the attack volumes over the accounts (log-normal).
        retries: share of attack exchanges that repeat the one before after an error.
        parameters: "honest" draws each account's request parameters as innocent accounts do,
            "uniform" uses one such draw for the whole campaign.
        language: "en" or "zh", where the family knows it.
        days: first and last day of activity, from the start of the scenario; None is all of it.
        since_period: the period in which the accounts were registered; None is this one.
    """

    name: str
    family: str
    tier: Tier
    accounts: int
    per_account: float | None = None
    share: float | None = None
    cover: float = 0.5
    cover_kinds: tuple[str, ...] = ("chat", "coding_agent", "tool_use")
    arrival: Arrival = Arrival.SPREAD
    volume_log_sd: float = 0.4
    retries: float = 0.02
    leaks: Leaks = field(default_factory=Leaks)
    failover: Failover | None = None
    parameters: str = "honest"
    language: str = "en"
    days: tuple[float, float] | None = None
    since_period: int | None = None

    def __post_init__(self) -> None:
        who = f"campaign '{self.name}'"
        if (self.per_account is None) == (self.share is None):
            raise SettingsError(f"{who} needs either per_account or share")
        if self.accounts < 1 or not 0 <= self.cover < 1 or not 0 <= self.retries < 1:
            raise SettingsError(f"{who}: accounts ≥ 1, and cover and retries in [0, 1), please")
        if self.share is not None and not 0 < self.share < 0.5:
            raise SettingsError(f"{who}: share must be above 0 and below 0.5")
        if not 0 <= self.volume_log_sd <= 2:
            raise SettingsError(f"{who}: volume_log_sd must be in [0, 2]")
        if self.parameters not in ("honest", "uniform"):
            raise SettingsError(f"{who}: parameters are 'honest' or 'uniform'")


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Innocent accounts of many kinds over some days, and the campaigns hidden among them.

    Attributes:
        about: one line, for the list of presets.
        accounts: innocent accounts.
        kinds: weights that replace the usual share of some kinds; 0 leaves a kind out.
        period: 0 to 3. Texts of two periods are disjoint; accounts and their templates stay.
        start: first moment; None is a Monday, 28 days later for each period.
        volume: factor on the volume of every innocent account.
        release_day: when a new model appears, in days from the start; None for never.
        infrastructure: False leaves every address, device and payment unknown.
        apart: its campaigns are never looked at together: each draws from the whole campaign side
            of the pools, so that two of them may send one text.
    """

    name: str
    about: str
    days: float = 2.0
    accounts: int = 3_200
    kinds: dict[str, float] = field(default_factory=dict)
    campaigns: tuple[Campaign, ...] = ()
    period: int = 0
    start: datetime | None = None
    volume: float = 1.0
    release_day: float | None = None
    infrastructure: bool = True
    apart: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.period < PERIODS:
            raise SettingsError(
                f"there are {PERIODS} periods, 0 to {PERIODS - 1}: not {self.period}"
            )
        if self.accounts < 1 or not 0 < self.days <= PERIOD_DAYS:
            raise SettingsError(
                f"a scenario needs accounts, and more than 0 and at most {PERIOD_DAYS} days"
            )
        if self.start is not None and self.start.tzinfo is None:
            raise SettingsError("the start needs a time zone")
        names = [campaign.name for campaign in self.campaigns]
        if len(set(names)) < len(names):
            raise SettingsError("two campaigns of a scenario have the same name")

    @property
    def begins(self) -> datetime:
        return self.start or _EPOCH + timedelta(days=PERIOD_DAYS * self.period)

    def scaled(self, factor: float) -> Scenario:
        """The same with `factor` times as many accounts on both sides; loads per account stay."""
        return dataclasses.replace(
            self,
            accounts=max(1, round(self.accounts * factor)),
            campaigns=tuple(
                dataclasses.replace(c, accounts=max(1, round(c.accounts * factor)))
                for c in self.campaigns
            ),
        )
