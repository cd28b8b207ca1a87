"""What a scan says: campaigns with their evidence, and everything a report shows around them."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, field

from stillwatch.campaigns.track_record import TrackRecord
from stillwatch.detections import Evidence, Metadata

__all__ = [
    "COUNTS",
    "Bound",
    "Calibration",
    "Campaign",
    "Member",
    "Ran",
    "ScanReport",
    "Source",
    "Template",
    "Tie",
]


#: nats from which on a family of evidence counts as one of the two that law 1 asks for
COUNTS = 2.0


@dataclass(frozen=True)
class Template:
    """Masked words that members share, from the cell dictionary: readable, never a prompt.

    Attributes:
        words: e.g. ``evaluate the following response on a scale from ▢``.
        members, others: accounts in the campaign, and outside it, that sent them; of a clause put
            together from several windows the fewest members and the most others of any.
        exchanges: in how many of the campaign's exchanges they occur, likewise the fewest.
    """

    words: str
    members: int
    others: int
    exchanges: int


@dataclass(frozen=True)
class Member:
    """One account of a campaign. `share` of its exchanges carries the campaign's marks.

    `reasons` are phrases for a reviewer: what it shares with how many other members.
    """

    account: str
    score: float
    exchanges: int
    share: float
    first_seen: dt.datetime
    last_seen: dt.datetime
    registered_at: dt.datetime | None
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Tie:
    """Accounts of a campaign that share one object: a style, a payment instrument, an address.

    `detection` says which one saw it; `label` names the object without revealing it.
    """

    detection: str
    label: str
    accounts: tuple[str, ...]


@dataclass(frozen=True)
class Campaign:
    """Many exchanges over many accounts that serve one distillation effort.

    Attributes:
        id: stable for the same log and key.
        score: nats of the best evidence of each family, less those of the counter-evidence;
            it only ranks, and carries no error rate.
        exchanges: those with the campaign's marks, without its members' other exchanges.
        hours: hour → (exchanges with the campaign's marks, other exchanges of its members).
        e_value: log of its e-value (nats), -inf where no test with a promise could be applied.
        level: the smallest α at which it is reported; 1 where nothing can be promised of it.
        withheld: why no verdict is given although its level is low enough; None where one is.
    """

    id: str
    score: float
    first_seen: dt.datetime
    last_seen: dt.datetime
    exchanges: int
    tokens: int | None
    members: tuple[Member, ...]
    evidence: tuple[Evidence, ...]
    counter_evidence: tuple[Evidence, ...]
    templates: tuple[Template, ...] = ()
    ties: tuple[Tie, ...] = ()
    hours: dict[dt.datetime, tuple[int, int]] = field(default_factory=dict)
    e_value: float = -math.inf
    level: float = 1.0
    withheld: str | None = None

    @property
    def families(self) -> tuple[str, ...]:
        """The independent families of evidence that carry it, sorted (law 1: two or more)."""
        return tuple(
            sorted({e.family for e in self.evidence if e.weight >= COUNTS and not e.explained})
        )


@dataclass(frozen=True)
class Source:
    """What was read."""

    rows: int
    rejected: int
    first: dt.datetime | None
    last: dt.datetime | None
    accounts: int
    files: tuple[str, ...]
    format: str


@dataclass(frozen=True)
class Ran:
    """One detection of the scan; `abstained` says why it had no say, None if it ran."""

    metadata: Metadata
    abstained: str | None
    seconds: float


@dataclass(frozen=True)
class Calibration:
    """How the tests behave on groups that are not reported: one in twenty may reach 20.

    Attributes:
        groups: tested and not reported.
        large: those of them with an e-value of 20 or more.
    """

    groups: int = 0
    large: int = 0


@dataclass(frozen=True)
class Bound:
    """What can be said of the groups with the largest e-values, wherever one stops.

    Attributes:
        groups: how many of them.
        e_value: of the last of them, in nats.
        false: how many of them are false, at most; with 95 % confidence for all lengths at once.
    """

    groups: int
    e_value: float
    false: int


@dataclass(frozen=True)
class ScanReport:
    """Everything that `scan` found, best campaign first.

    Attributes:
        campaigns: of these at most `alpha` are expected to be false.
        review: groups that somebody should look at, of which nothing is promised.
        tested: groups that were tested for the promise.
        withheld: segments in which no verdict is given, each with the reason.
        calibration: how the tests behave on what is not reported.
        bounds: what holds for the first one, two, … groups, those for review included.
    """

    source: Source
    campaigns: tuple[Campaign, ...]
    considered: int
    """candidate groups that were judged, the rejected ones included"""
    detections: tuple[Ran, ...]
    notes: tuple[str, ...]
    reference: str | None
    """the reference period in words, None when novelty was judged inside the log"""
    pseudonymous: bool
    version: str
    review: tuple[Campaign, ...] = ()
    alpha: float = 0.05
    tested: int = 0
    withheld: tuple[tuple[str, str], ...] = ()
    calibration: Calibration = field(default_factory=Calibration)
    bounds: tuple[Bound, ...] = ()
    track_record: tuple[TrackRecord, ...] = ()
    """how campaigns with the same detections were decided by people, earlier"""
    caveat: str | None = None
    """what must be read first, e.g. that the accounts are simulated; None for nothing"""
