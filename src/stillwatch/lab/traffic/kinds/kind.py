"""What a kind of account is: how many, how busy, from where, with what program, saying what."""

from __future__ import annotations

from dataclasses import dataclass, field

from stillwatch.lab.traffic.arrivals import Rhythm, Turns, Volume
from stillwatch.lab.traffic.infrastructure import Site
from stillwatch.lab.traffic.request import Writer

__all__ = ["Kind"]


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
        pools: pool → (texts per request, texts per account) that are this account's alone.
        optional: those of `pools` that it can do without, where texts are few.
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
    pools: dict[str, tuple[float, int]] = field(default_factory=dict)
    optional: tuple[str, ...] = ()
    repeats: str | None = None
    beside: tuple[tuple[str, float], ...] = ()
    adopted: bool = False
