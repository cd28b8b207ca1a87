"""What a kind of account is: how many, how busy, from where, with what program, saying what."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from stillwatch.lab.traffic.arrivals import Rhythm, Turns, Volume
from stillwatch.lab.traffic.infrastructure import Site
from stillwatch.lab.traffic.request import Writer

__all__ = ["Kind", "Supply"]


class Supply(NamedTuple):
    """Texts of a pool for one account: so many per request, and `base` more.

    `optional`: where texts are few, it gets none.
    """

    each: float
    base: int = 1
    optional: bool = False


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of account, or the way a campaign's accounts behave.

    Attributes:
        about: one line, for tables.
        share: of the innocent accounts, before weights of a scenario; they are normalised.
        least: accounts at any size of the simulation, so that each kind can be judged.
        turns: None where every request stands alone.
        sites, rhythms, channels: drawn from evenly; repeat an entry to weigh it.
        orgs: share of accounts that belong to an organisation; `org_size` is its mean size.
        groups: tenants, frameworks, tools or classes; 0 gives each account one of its own.
        together: the members of a group share a place, a school and a registration day (classes).
        one_client, one_script: the members of a group share the program, the request parameters.
        registered: what the provider's registry says, for half of the accounts.
        free: share of accounts without a means of payment.
        conversations: share of accounts that send a conversation id.
        pools: pool → the texts of it that are this account's alone.
        either: more such; each account gets one of them. Repeat an entry to weigh it.
        repeats: why a text may occur in two accounts; None: it may not.
        beside: another kind whose requests the same accounts send, and their share.
        adopted: requests begin when the tool has appeared, mid-period; `beside` goes on.
    """

    name: str
    about: str
    share: float
    volume: Volume
    writer: Writer
    least: int = 0
    turns: Turns | None = None
    sites: tuple[str, ...] = (Site.CLOUD, Site.CLOUD, Site.OFFICE)
    rhythms: tuple[Rhythm, ...] = (Rhythm.OFFICE,)
    client: str = "library"
    profile: str = "assistant"
    orgs: float = 0.6
    org_size: float = 1.6
    groups: int = 0
    together: bool = False
    one_client: bool = False
    one_script: bool = False
    registered: str | None = None
    channels: tuple[str, ...] = ("api",)
    free: float = 0.05
    conversations: float = 0.1
    pools: dict[str, Supply] = field(default_factory=dict)
    either: tuple[dict[str, Supply], ...] = ()
    repeats: str | None = None
    beside: tuple[tuple[str, float], ...] = ()
    adopted: bool = False
