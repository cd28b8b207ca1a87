"""What can happen to a case. The events are the truth: its state is computed from them alone.

Events speak of accounts by their numbers in the case, never by name. They are stored as JSON with
the name of their kind; a kind is never taken away, for stores that hold it are still read.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from stillwatch.cases.evidence import Item
from stillwatch.cases.measures import Measure, Undone

__all__ = [
    "Added",
    "Appealed",
    "Approved",
    "Asked",
    "Automated",
    "Body",
    "Claimed",
    "Closed",
    "Emergency",
    "Event",
    "Lifted",
    "Opened",
    "Proposed",
    "Refused",
    "Released",
    "Target",
    "Updated",
    "Verdict",
    "Withdrawn",
    "body_of",
    "encoded",
]

#: `upheld`: the terms were broken; `dismissed`: they were not; `undetermined`: it cannot be shown
Verdict = Literal["upheld", "dismissed", "undetermined"]


class _Body(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="event"):
    pass


class Opened(_Body, frozen=True, kw_only=True, tag="opened"):
    """A finding became a case. `allowed` are the accounts that are on the allow-list."""

    campaign: str
    segment: str
    score: float
    level: float | None
    log10_e: float | None
    first_seen: str
    last_seen: str
    exchanges: int
    tokens: int | None
    families: tuple[str, ...]
    promised: bool
    withheld: tuple[str, ...]
    digest: str
    seen: str
    accounts: tuple[int, ...]
    items: tuple[Item, ...]
    allowed: tuple[int, ...] = ()
    previous: str | None = None


class Updated(_Body, frozen=True, kw_only=True, tag="updated"):
    """A later scan or watch says more of the campaign; `accounts` are all that it names now."""

    digest: str
    score: float
    level: float | None
    last_seen: str
    exchanges: int
    families: tuple[str, ...]
    seen: str
    accounts: tuple[int, ...]
    items: tuple[Item, ...]
    allowed: tuple[int, ...] = ()


class Withdrawn(_Body, frozen=True, kw_only=True, tag="withdrawn"):
    """A later look no longer supports the campaign, which speaks against the case."""

    digest: str
    reason: str


class Claimed(_Body, frozen=True, kw_only=True, tag="claimed"):
    pass


class Released(_Body, frozen=True, kw_only=True, tag="released"):
    pass


class Asked(_Body, frozen=True, kw_only=True, tag="asked"):
    """`of` is who shall answer: the owner, the operator, another analyst."""

    question: str
    of: str


class Added(_Body, frozen=True, kw_only=True, tag="added"):
    """`answer`: this answers what was asked."""

    item: Item
    answer: bool = False


class Target(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The org of an account of the case, by the number of the account; or one `key` of it."""

    account: int
    key: str | None = None


class Proposed(_Body, frozen=True, kw_only=True, tag="proposed"):
    """What somebody wants decided. `accounts` are the numbers that the measures are for.

    `terms` and `clause` are what the accounts accepted and broke; `without_terms` says why a
    verdict stands although no accepted terms are recorded. `message` is for the owner, `summary`
    is not. `wider` are orgs and keys that the measures are for, beside the accounts; `listed` those
    of the accounts that were on the allow-list or registered, and were named all the same.
    """

    proposal: str
    verdict: Verdict
    reason: str
    summary: str
    message: str
    measures: tuple[Measure, ...]
    accounts: tuple[int, ...]
    four_eyes: bool
    expires_at: int
    terms: tuple[str, ...] = ()
    clause: str | None = None
    without_terms: str = ""
    wider: tuple[Target, ...] = ()
    listed: tuple[int, ...] = ()


class Refused(_Body, frozen=True, kw_only=True, tag="refused"):
    """A proposal will not be decided: `by` another person, or taken back by its author."""

    proposal: str
    why: str


class Approved(_Body, frozen=True, kw_only=True, tag="approved"):
    """A proposal is the decision now; `actions` are the ids that were put in force, `reaches` says
    how many accounts the orgs among their subjects had."""

    proposal: str
    actions: tuple[str, ...] = ()
    undone: tuple[str, ...] = ()
    reaches: int = 0


class Automated(_Body, frozen=True, kw_only=True, tag="automated"):
    """A rule acted, or says why it did not."""

    rule: str
    version: int
    actions: tuple[str, ...] = ()
    held_back: str = ""


class Emergency(_Body, frozen=True, kw_only=True, tag="emergency"):
    """One person suspended the accounts at once, until a time (seconds, UTC); what was seen is the
    evidence that the case was opened with."""

    reason: str
    message: str
    actions: tuple[str, ...]
    until: int


class Appealed(_Body, frozen=True, kw_only=True, tag="appealed"):
    """The owner asks for the verdict to be looked at again; `through` is how that was received."""

    text: str
    through: str


class Lifted(_Body, frozen=True, kw_only=True, tag="undone"):
    """Actions ended before their time."""

    actions: tuple[str, ...]
    why: str
    through: Undone = "person"


class Closed(_Body, frozen=True, kw_only=True, tag="closed"):
    why: str


Body = (
    Opened
    | Updated
    | Withdrawn
    | Claimed
    | Released
    | Asked
    | Added
    | Proposed
    | Refused
    | Approved
    | Automated
    | Emergency
    | Appealed
    | Lifted
    | Closed
)


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """`number` counts from 1 in its case; `at` is in seconds since the epoch and never decreases;
    `by` is who did it and `person` says that this is a human being."""

    number: int
    at: int
    by: str
    person: bool
    body: Body


_DECODER: msgspec.json.Decoder[Body] = msgspec.json.Decoder(Body)


def encoded(body: Body) -> str:
    """As it is stored: JSON, the same bytes for the same content."""
    return msgspec.json.encode(body, order="sorted").decode()


def body_of(text: str) -> Body:
    """What :func:`encoded` wrote."""
    return _DECODER.decode(text)
