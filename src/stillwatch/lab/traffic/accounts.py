"""Who sends: simulated accounts, innocent ones and members of campaigns.

An account draws from a generator of its own, seeded by (seed, kind, index): it is the same in every
period and does not depend on how many others there are before it. Members of an organisation share
what organisations share: payment, mail domain, an office, sometimes the device they were set up on.
A campaign's account begins as an innocent one would; then its :class:`~.scenario.Leaks` tie it to
others.
"""

from __future__ import annotations

import hashlib
import zlib
from random import Random

import msgspec
import numpy as np

from stillwatch.lab.traffic.arrivals import DAY, HOUR, Span
from stillwatch.lab.traffic.infrastructure import (
    COUNTRIES,
    Network,
    Networks,
    Site,
    Software,
    country,
    software,
    webmail,
)
from stillwatch.lab.traffic.kinds.kind import Kind
from stillwatch.lab.traffic.parameters import Parameters, draw_parameters
from stillwatch.lab.traffic.scenario import Campaign

__all__ = ["Account", "Registrar", "seeded"]

#: what a number in a seed stands for
ACCOUNT, ORG, GROUP, MEMBER, PLAN, LAYOUT = range(6)


def seeded(seed: int, *path: int | str) -> np.random.Generator:
    """A generator of its own for everything that has a name in a simulation."""
    key = [zlib.crc32(p.encode()) if isinstance(p, str) else p for p in path]
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def spoken(rng: np.random.Generator) -> Random:
    """A generator for wordings: quicker than numpy's, one draw at a time."""
    return Random(int(rng.integers(1 << 62)))


class Account(msgspec.Struct):
    """One simulated account; fields as in :class:`stillwatch.exchange.RawExchange`."""

    name: str
    org: str | None
    key: str
    tenant_kind: str | None
    channel: str
    country: str
    zone: float
    network: Network
    software: Software
    accept_language: str | None
    payment: str | None
    device: str | None
    email_domain: str | None
    registered_at: int
    blocked_at: int | None
    parameters: Parameters
    keeps_content: bool
    names_conversations: bool
    group: int


class Registrar:
    """Makes accounts. `origin` is the start of period 0, `span` that of this simulation."""

    def __init__(self, seed: int, accounts: int, origin: int, span: Span) -> None:
        self._seed = seed
        self._networks = Networks(accounts)
        self._origin = origin
        self.start, self._end = span
        self._layouts: dict[tuple[str, int], tuple[list[int], list[int]]] = {}

    def innocent(self, kind: Kind, index: int, count: int) -> Account:
        """Account `index` of the `count` of its kind."""
        rng = seeded(self._seed, ACCOUNT, kind.name, index)
        orgs, groups = self._layout(kind, count)
        org = seeded(self._seed, ORG, kind.name, orgs[index])
        group = seeded(self._seed, GROUP, kind.name, groups[index])
        together = kind.together
        ours = org.random() < kind.orgs
        place = group if together else org if ours else rng
        land = country(place)
        site = kind.sites[int(place.random() * len(kind.sites))]
        network = self._networks.draw(place, site, land)
        fresh = rng.random() < 0.06  # signs up while we watch
        name = _name("acct", self._seed, kind.name, f"{index} {self.start if fresh else ''}")
        org_name = _name("org", self._seed, kind.name, orgs[index]) if ours else None
        domain = f"{org_name}.example" if org_name else webmail(rng)
        device: str | None = _token("dev", self._seed, kind.name, index)
        admin = org.random() < 0.3
        if ours and admin:
            device = _token("dev", self._seed, kind.name, f"admin{orgs[index]}")
        payment = _token("pay", self._seed, kind.name, f"{ours}{orgs[index] if ours else index}")
        age = float(np.exp(rng.uniform(np.log(3.0), np.log(1_100.0)))) * DAY
        registered = self._origin - int(age)
        if fresh:
            registered = self.start + int(rng.random() * (self._end - self.start) * 0.8)
        if together:
            domain = f"{_name('school', self._seed, kind.name, groups[index])}.example"
            batch = self._origin - int(group.uniform(1, 30) * DAY)
            registered = batch + int(rng.uniform(0, 6) * HOUR)
            org_name = domain if group.random() < 0.5 else None
            payment = _token("pay", self._seed, kind.name, f"class{groups[index]}")
        blocked = None
        if rng.random() < 0.006:  # a card that was refused, a complaint
            blocked = self.start + int(rng.random() * (self._end - self.start))
        return Account(
            name=name,
            org=org_name,
            key=_name("key", self._seed, kind.name, index),
            tenant_kind=kind.registered if rng.random() < 0.5 else None,
            channel=kind.channels[int(rng.random() * len(kind.channels))],
            country=COUNTRIES[land].code,
            zone=COUNTRIES[land].zone,
            network=network,
            software=software(group if kind.one_client else rng, kind.client),
            accept_language=COUNTRIES[land].language if kind.client == "browser" else None,
            payment=payment if together or rng.random() > kind.free else None,
            device=device if rng.random() > 0.15 else None,
            email_domain=domain,
            registered_at=registered,
            blocked_at=blocked,
            parameters=draw_parameters(group if kind.one_script else rng, kind.profile),
            keeps_content=rng.random() > 0.2,
            names_conversations=rng.random() < kind.conversations,
            group=groups[index],
        )

    def member(
        self, campaign: Campaign, family: Kind, cover: Kind, index: int, since: int
    ) -> Account:
        """Account `index` of `campaign`; `since` is when the campaign began to sign up.

        It poses as the kind that covers it, or uses the API as the family does.
        """
        who = campaign.name
        rng = seeded(self._seed, MEMBER, who, index)
        ours = seeded(self._seed, MEMBER, who)
        posed = cover if campaign.cover and rng.random() < 0.5 else family
        land = country(rng)
        site = (Site.HOME, Site.HOME, Site.CLOUD, Site.VPN)[int(rng.random() * 4)]
        org = _name("org", self._seed, who, index) if rng.random() < posed.orgs * 0.6 else None
        account = Account(
            name=_name("acct", self._seed, who, index),
            org=org,
            key=_name("key", self._seed, who, index),
            tenant_kind=("education", "startup")[int(rng.random() * 2)]
            if rng.random() < 0.2
            else None,
            channel=posed.channels[int(rng.random() * len(posed.channels))],
            country=COUNTRIES[land].code,
            zone=COUNTRIES[land].zone,
            network=self._networks.draw(rng, site, land),
            software=software(rng, posed.client),
            accept_language=COUNTRIES[land].language if posed.client == "browser" else None,
            payment=_token("pay", self._seed, who, index) if rng.random() > posed.free else None,
            device=_token("dev", self._seed, who, index) if rng.random() > 0.15 else None,
            email_domain=f"{org}.example" if org else webmail(rng),
            registered_at=since - int(np.exp(rng.uniform(np.log(3.0), np.log(1_100.0))) * DAY),
            blocked_at=None,
            parameters=draw_parameters(
                ours if campaign.parameters == "uniform" else rng, family.profile
            ),
            keeps_content=rng.random() > 0.2,
            names_conversations=rng.random() < posed.conversations,
            group=0,
        )
        self._leak(account, campaign, family, since, rng)
        return account

    def _leak(
        self,
        account: Account,
        campaign: Campaign,
        family: Kind,
        since: int,
        rng: np.random.Generator,
    ) -> None:
        """Tie `account` to others of its campaign, as often as the campaign's leaks say."""
        who, leaks = campaign.name, campaign.leaks
        weak = rng.random(6)
        if weak[0] < leaks.payment:
            pick = int(rng.integers(max(1, campaign.accounts // leaks.payment_group)))
            account.payment = _token("pay", self._seed, who, f"shared{pick}")
        if weak[1] < leaks.device:
            pick = int(rng.integers(max(1, campaign.accounts // leaks.device_group)))
            account.device = _token("dev", self._seed, who, f"shared{pick}")
        if weak[2] < leaks.address:
            exit_ = seeded(self._seed, MEMBER, who, f"exit{int(rng.integers(leaks.addresses))}")
            account.network = self._networks.draw(exit_, Site.HOME, country(exit_))
        if weak[3] < leaks.registration:
            late = 3 * DAY + rng.random() * leaks.registration_hours * HOUR
            account.registered_at = since - int(late)
        if weak[4] < leaks.mail:
            account.email_domain = f"{_name('mail', self._seed, who, 0)}.example"
        if weak[5] < leaks.client:
            account.software = software(seeded(self._seed, MEMBER, who, "client"), family.client)

    def _layout(self, kind: Kind, count: int) -> tuple[list[int], list[int]]:
        """Organisation and group of each account of a kind."""
        if (kind.name, count) not in self._layouts:
            sizes = seeded(self._seed, LAYOUT, kind.name).geometric(1 / kind.org_size, count)
            orgs = np.repeat(np.arange(count), sizes)[:count].tolist()
            if kind.groups == 0:
                groups = list(range(count))
            elif kind.together:
                # some classes are five times as large as others
                place = (np.arange(count) + 0.5) / count
                groups = (place**0.6 * kind.groups).astype(int).tolist()
            else:
                weights = np.arange(1, kind.groups + 1) ** -0.7
                drawn = seeded(self._seed, GROUP, kind.name).random(count)
                groups = np.searchsorted(np.cumsum(weights) / weights.sum(), drawn).tolist()
            self._layouts[kind.name, count] = orgs, groups
        return self._layouts[kind.name, count]


def _name(prefix: str, seed: int, kind: str, index: int | str, size: int = 6) -> str:
    """A name that says nothing about who bears it, of `size` bytes in hexadecimal."""
    text = f"{prefix} {seed} {kind} {index}"
    return f"{prefix}-{hashlib.blake2b(text.encode(), digest_size=size).hexdigest()}"


def _token(prefix: str, seed: int, kind: str, index: int | str) -> str:
    """The token of an instrument or a device: as long as those of payment services, so that nobody
    can find it by trying."""
    return _name(prefix, seed, kind, index, size=12)
